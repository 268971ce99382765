import { assertNever } from "../base/never.ts";
import { err, ok, type Result } from "../base/result.ts";
import { formatPorts, parsePorts, type Ports } from "./port.ts";

/** ICMP messages that exist in both families under one meaning; `any` is every ICMP and ICMPv6 message. */
export const ICMP_TYPES = ["any", "echo", "echo-reply", "unreachable", "time-exceeded", "parameter-problem"] as const;
export type IcmpType = (typeof ICMP_TYPES)[number];

/** Protocols without ports that run directly over IPv4 and IPv6. */
export const IP_PROTOCOLS = ["esp", "ah", "gre", "ospf", "vrrp"] as const;
export type IpProtocol = (typeof IP_PROTOCOLS)[number];

/** What a packet is for, as far as a filter can see. Type aliases, so that a service is plain JSON to the compiler too. */
export type Service =
  | { readonly protocol: "tcp"; readonly ports: Ports }
  | { readonly protocol: "udp"; readonly ports: Ports }
  | { readonly protocol: "icmp"; readonly type: IcmpType }
  | { readonly protocol: IpProtocol }
  | { readonly protocol: "any" };

const FORMS = "tcp/443, udp/4000-4100, icmp/echo, esp or any";

/** Reads one service. A bare port does not exist: tcp or udp is the author's decision. */
export function parseService(text: string): Result<Service, string> {
  const [protocol = "", detail, ...rest] = text.split("/");
  if (rest.length > 0) return err(`${JSON.stringify(text)} is not a service; write it like ${FORMS}`);
  if (detail === undefined && parsePorts(protocol).ok && protocol !== "any") {
    return err(`${JSON.stringify(text)} is a port without a protocol; write tcp/${protocol} or udp/${protocol}`);
  }
  if (protocol === "tcp" || protocol === "udp") {
    if (detail === undefined)
      return err(
        `${JSON.stringify(text)} says no port; write it like ${protocol}/443, or ${protocol}/any for all of them`,
      );
    const ports = parsePorts(detail);
    return ports.ok ? ok({ protocol, ports: ports.value }) : err(`${JSON.stringify(text)}: ${ports.error}`);
  }
  if (protocol === "icmp") {
    const type = ICMP_TYPES.find((known) => known === detail);
    if (type !== undefined) return ok({ protocol, type });
    return err(
      `${JSON.stringify(text)} names no ICMP message known in both families; write one of ${ICMP_TYPES.map((known) => `icmp/${known}`).join(", ")}`,
    );
  }
  if (protocol === "icmpv6")
    return err(`${JSON.stringify(text)} is for one family only; write icmp/${detail ?? "echo"}, which holds for both`);
  const alone = protocol === "any" ? protocol : IP_PROTOCOLS.find((known) => known === protocol);
  if (alone === undefined) return err(`${JSON.stringify(text)} is not a service; write it like ${FORMS}`);
  if (detail !== undefined) return err(`${JSON.stringify(text)}: ${protocol} has no ports; write ${protocol}`);
  return ok({ protocol: alone });
}

export function formatService(service: Service): string {
  switch (service.protocol) {
    case "tcp":
    case "udp":
      return `${service.protocol}/${formatPorts(service.ports)}`;
    case "icmp":
      return `icmp/${service.type}`;
    case "esp":
    case "ah":
    case "gre":
    case "ospf":
    case "vrrp":
    case "any":
      return service.protocol;
    default:
      return assertNever(service, "service");
  }
}

/** True when some packet belongs to both. */
export function servicesOverlap(a: Service, b: Service): boolean {
  if (a.protocol === "any" || b.protocol === "any") return true;
  if ((a.protocol === "tcp" || a.protocol === "udp") && b.protocol === a.protocol) {
    return a.ports.first <= b.ports.last && b.ports.first <= a.ports.last;
  }
  if (a.protocol === "icmp" && b.protocol === "icmp") return a.type === b.type || a.type === "any" || b.type === "any";
  return a.protocol === b.protocol;
}

/** True when every packet of `inner` belongs to `outer`. */
export function isServiceWithin(inner: Service, outer: Service): boolean {
  if (outer.protocol === "any") return true;
  if ((inner.protocol === "tcp" || inner.protocol === "udp") && outer.protocol === inner.protocol) {
    return outer.ports.first <= inner.ports.first && inner.ports.last <= outer.ports.last;
  }
  if (inner.protocol === "icmp" && outer.protocol === "icmp") return outer.type === inner.type || outer.type === "any";
  return inner.protocol === outer.protocol;
}

/** True when every packet of `inner` belongs to one of `outer`, ranges that touch taken together. */
export function areServicesWithin(inner: readonly Service[], outer: readonly Service[]): boolean {
  const merged = canonicalServices(outer);
  return canonicalServices(inner).every((service) => merged.some((candidate) => isServiceWithin(service, candidate)));
}

/** The one list for one set of packets: sorted, port ranges merged, nothing that another item already has. */
export function canonicalServices(services: readonly Service[]): readonly Service[] {
  if (services.some((service) => service.protocol === "any")) return [{ protocol: "any" }];
  const merged = [...mergePorts(services, "tcp"), ...mergePorts(services, "udp")];
  const icmp = ICMP_TYPES.filter((type) =>
    services.some((service) => service.protocol === "icmp" && service.type === type),
  );
  const bare = IP_PROTOCOLS.filter((protocol) => services.some((service) => service.protocol === protocol));
  return [
    ...merged,
    ...(icmp.includes("any") ? ["any" as const] : icmp).map((type): Service => ({ protocol: "icmp", type })),
    ...bare.map((protocol): Service => ({ protocol })),
  ];
}

function mergePorts(services: readonly Service[], protocol: "tcp" | "udp"): readonly Service[] {
  const ranges = services.flatMap((service) => (service.protocol === protocol ? [service.ports] : []));
  const merged: Ports[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1) {
      merged[merged.length - 1] = { first: previous.first, last: Math.max(previous.last, range.last) };
    } else {
      merged.push(range);
    }
  }
  return merged.map((ports) => ({ protocol, ports }));
}
