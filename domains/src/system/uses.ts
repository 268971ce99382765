import type { Use } from "@holdfast/core/compose/use.ts";
import { parseAddress } from "@holdfast/core/net/address.ts";
import type { SystemConfig } from "./model.ts";
import { PROXIED, parseProxy } from "./proxy-text.ts";

/** By http and by https; which of the two, the server's own list of repositories says. */
const REPOSITORY_PORTS = { first: 80, last: 443 } as const;

/** What a firewall of the same server must let through, or these settings do nothing: people to sshd, and the server to those it asks. */
export function usesOf(config: SystemConfig): readonly Use[] {
  const out = (item: string, what: string, hosts: readonly string[], protocol: "tcp" | "udp", port: number) =>
    hosts.map((host): Use => ({
      direction: "out",
      address: parseAddress(host).ok ? host : null,
      service: { protocol, ports: { first: port, last: port } },
      item,
      what: `${what} ${host}`,
    }));
  return [
    ...(config.ssh?.port ?? []).map((port): Use => ({
      direction: "in",
      address: null,
      service: { protocol: "tcp", ports: { first: port, last: port } },
      item: "system.ssh.port",
      what: "sshd listens",
    })),
    ...out("system.ntp.servers", "The time is asked of", config.ntp?.servers ?? [], "udp", 123),
    ...out("system.resolver.servers", "Names are asked of", config.resolver?.servers ?? [], "udp", 53),
    ...(config.updates?.install === "security" || config.updates?.install === "all"
      ? [
          {
            direction: "out",
            address: null,
            service: { protocol: "tcp", ports: REPOSITORY_PORTS },
            item: "system.updates.install",
            what: "Updates are fetched from repositories",
          } as const,
        ]
      : []),
    ...PROXIED.flatMap((scheme) => {
      const place = parseProxy(config.proxy?.[scheme] ?? "");
      if (!place.ok) return [];
      return out(`system.proxy.${scheme}`, "Packages are fetched by", [place.value.host], "tcp", place.value.port);
    }),
    ...(config.logs?.to ?? []).flatMap(({ host, port, by }) =>
      out("system.logs.to", "Logs are sent to", [host], by === "udp" ? by : "tcp", port),
    ),
  ];
}
