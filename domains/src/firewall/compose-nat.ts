import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Origin } from "@holdfast/core/compose/effective-config.ts";
import { type NamedItem, namedMerge } from "@holdfast/core/compose/named-merge.ts";
import { addressSetToJson, union } from "@holdfast/core/net/address-set.ts";
import { parseService } from "@holdfast/core/net/service.ts";
import {
  rateOf,
  resolveAddresses,
  resolvePeers,
  resolveServices,
  type Resolver,
  type Side,
  singleAddress,
} from "./compose-peers.ts";
import type { Layer } from "./compose.ts";
import { finding } from "./findings.ts";
import type { FirewallConfig, Masquerade, Publish } from "./model.ts";
import { at, within } from "./notes.ts";
import type { FirewallSection, SectionMasquerade, SectionPublish } from "./section.ts";

/** Narrower layers come first: the first translation that matches is the one that happens. */
export function composeNat(resolver: Resolver, layers: readonly Layer[]): FirewallConfig["nat"] {
  const stating = layers.filter(({ section }) => section.nat !== undefined);
  if (stating.length === 0) return undefined;
  return {
    masquerade: mergeList<SectionMasquerade>(
      resolver,
      stating,
      "masquerade",
      (section) => section.nat?.masquerade,
    ).flatMap(({ value, origin }) => concreteMasquerade(resolver, value, origin)),
    publish: mergeList<SectionPublish>(resolver, stating, "publish", (section) => section.nat?.publish).flatMap(
      ({ value, origin }) => concretePublish(resolver, value, origin),
    ),
  };
}

function mergeList<Item extends { readonly name: string } & Json>(
  resolver: Resolver,
  layers: readonly Layer[],
  key: "masquerade" | "publish",
  pick: (section: FirewallSection) => readonly Item[] | undefined,
): readonly NamedItem<Item>[] {
  const merged = namedMerge(
    `firewall.nat.${key}`,
    layers.map(({ origin, section }) => ({
      origin,
      items: (pick(section) ?? []).map((item, index) => ({
        name: item.name,
        value: item,
        origin: within(origin, `nat.${key}[${index}]`),
      })),
      without: (section.nat?.without?.[key] ?? []).map((one, index) => ({
        ...one,
        origin: within(origin, `nat.without.${key}[${index}]`),
      })),
    })),
    "narrow_first",
  );
  resolver.notes.findings.push(...merged.findings);
  resolver.notes.provenance.push(...merged.provenance);
  return merged.items;
}

function sideOf(origin: Origin, owner: string, key: "from" | "to"): Side {
  return { origin, path: `${origin.path}.${key}`, key: `${owner}.${key}`, zones: true, isSelf: false };
}

function concreteMasquerade(resolver: Resolver, item: SectionMasquerade, origin: Origin): readonly Masquerade[] {
  const from = resolvePeers(resolver, item.from, sideOf(origin, `masquerade:${item.name}`, "from"));
  const to = resolvePeers(resolver, item.to, sideOf(origin, `masquerade:${item.name}`, "to"));
  if (item.as === undefined) return [{ name: item.name, from: [...from], to: [...to] }];
  const address = singleAddress(resolveAddresses(resolver, item.as, origin, `${origin.path}.as`));
  if (address === null) {
    resolver.notes.findings.push(
      finding("firewall.publish_target", `${origin.path}.as`, `${item.as} is not one address.`, at(origin)),
    );
    return [];
  }
  return [{ name: item.name, from: [...from], to: [...to], as: address }];
}

function concretePublish(resolver: Resolver, item: SectionPublish, origin: Origin): readonly Publish[] {
  const complain = (
    code: "firewall.publish_service" | "firewall.publish_target" | "firewall.publish_place",
    key: string,
    message: string,
  ): readonly Publish[] => {
    resolver.notes.findings.push(finding(code, `${origin.path}.${key}`, message, at(origin)));
    return [];
  };
  const [service, ...more] = resolveServices(resolver, [item.service], origin, `${origin.path}.service`);
  const parsed = service === undefined ? undefined : parseService(service);
  if (service === undefined || parsed?.ok !== true) return [];
  const isPorts = parsed.value.protocol === "tcp" || parsed.value.protocol === "udp";
  if (more.length > 0 || !isPorts)
    return complain("firewall.publish_service", "service", `${item.service} is not one run of TCP or UDP ports.`);
  const isRange = "ports" in parsed.value && parsed.value.ports.first !== parsed.value.ports.last;
  if (isRange && item.port !== undefined)
    return complain(
      "firewall.publish_service",
      "port",
      `${item.service} is many ports, and all of them would go to port ${item.port}.`,
    );
  const to = singleAddress(resolveAddresses(resolver, item.to, origin, `${origin.path}.to`));
  if (to === null) return complain("firewall.publish_target", "to", `${item.to} is not one address.`);
  const zones = [...item.at, ...(item.hairpin ?? [])].filter((reference) => reference.startsWith("zone:"));
  const unknown = zones.find((reference) => resolver.zones[reference.slice("zone:".length)] === undefined);
  if (unknown !== undefined) return complain("firewall.publish_place", "at", `There is no ${unknown} on this server.`);
  const inside = (item.hairpin ?? []).find((reference) => !reference.startsWith("zone:"));
  if (inside !== undefined) return complain("firewall.publish_place", "hairpin", `${inside} is not a zone.`);
  const literals = item.at.filter((reference) => !reference.startsWith("zone:"));
  if (literals.includes("any"))
    return complain("firewall.publish_place", "at", "any would translate packets that are only passing through.");
  const addresses = union(
    ...literals.map((reference) => resolveAddresses(resolver, reference, origin, `${origin.path}.at`)),
  );
  const isSix = to.includes(":");
  if (addressSetToJson(addresses).some((text) => text.includes(":") !== isSix))
    return complain("firewall.publish_target", "to", `${to} and the outside addresses are of different families.`);
  return [
    {
      name: item.name,
      service,
      at: {
        interfaces: item.at.filter((reference) => reference.startsWith("zone:")),
        addresses: [...addressSetToJson(addresses)],
      },
      to,
      ...(item.port === undefined ? {} : { port: item.port }),
      from: [...resolvePeers(resolver, item.from, sideOf(origin, `publish:${item.name}`, "from"))],
      hairpin: [...(item.hairpin ?? [])],
      ...(item.log === undefined ? {} : { log: rateOf(item.log) }),
    },
  ];
}
