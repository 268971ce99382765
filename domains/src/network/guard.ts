import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Mismatch } from "@holdfast/core/domain.ts";
import { type Address, FAMILY_BITS, parseAddress } from "@holdfast/core/net/address.ts";
import { type Network, parseInterfaceAddress, parseNetwork } from "@holdfast/core/net/network.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { kernelName } from "./binding.ts";
import { finding } from "./findings.ts";
import { foreignFileFor } from "./foreign-file.ts";
import { ownLinks } from "./live.ts";
import { type InterfaceConfig, MAIN_TABLE, masterOf, type NetworkConfig, rolesOf } from "./model.ts";
import { LEARNT_PROTOCOLS, type NetworkObserved, type ObservedLink } from "./observed.ts";
import { DEAD_ENDS } from "./section.ts";
import { wantedRoutes } from "./wanted.ts";

/**
 * Would this cut the way by which the server is mended? Ways are looked up as the kernel does, by the longest prefix and then the lowest metric
 * of the main table, once in what is there and once in what would be there. Rules that ask other tables are not followed: they are for traffic
 * that passes through, and the trial finds what is missed here.
 */
export function guardFindings(
  confirmed: NetworkConfig | null,
  desired: NetworkConfig | null,
  observed: NetworkObserved,
  path: ManagementPath,
): readonly Finding[] {
  const before = waysNow(observed);
  const after = waysAfter(desired, observed);
  const cuts = targetsOf(path).flatMap(({ what, address }): readonly Finding[] => {
    const now = lookUp(before, address);
    if (now === null) return [];
    const then = lookUp(after, address);
    if (then !== null && then.isSure) return [];
    const where = `network.interfaces.${roleOf(desired ?? confirmed, now.dev, observed) ?? now.dev}`;
    return then === null
      ? [
          finding(
            "network.management_path_cut",
            where,
            `There would be no way to ${what} any more; it goes by ${now.dev} now.`,
          ),
        ]
      : [
          finding(
            "network.management_path_unknown",
            where,
            `The way to ${what} would be what is learnt on ${then.dev}, or what another file says; that cannot be known before.`,
          ),
        ];
  });
  return [
    ...unique(cuts),
    ...addressFindings(confirmed, desired, observed, before, path),
    ...leaseFindings(desired, observed, before, after),
  ];
}

/**
 * Ways to those who manage this server that what is confirmed gives for sure and the kernel no longer has, and the address at which the server is
 * reached, where a document says it and it is gone.
 */
export function floorLost(
  confirmed: NetworkConfig,
  observed: NetworkObserved,
  path: ManagementPath,
): readonly Mismatch[] {
  if (observed.unreadable !== null || observed.renderer.state === "starting") return [];
  const [promised, now] = [waysAfter(confirmed, observed), waysNow(observed)];
  const ways = targetsOf(path).flatMap(({ what, address }): readonly Mismatch[] => {
    const way = lookUp(promised, address);
    if (way === null || !way.isSure || lookUp(now, address) !== null) return [];
    return [
      {
        path: `interfaces.${roleOf(confirmed, way.dev, observed) ?? way.dev}`,
        expected: `a way to ${what} by ${way.dev}`,
        found: "no way at all",
      },
    ];
  });
  const live = liveAddresses(observed);
  const set = new Set(
    rolesOf(confirmed).flatMap((role) => {
      const one = confirmed.interfaces[role];
      return one?.enable === true ? [...one.ipv4.addresses, ...one.ipv6.addresses].map(plain) : [];
    }),
  );
  const gone = confirmed.reachedAt.filter((address) => set.has(address) && !live.has(address));
  return [
    ...ways,
    ...gone.map((address) => ({
      path: "reachedAt",
      expected: `${address}, at which this server is reached`,
      found: "no such address",
    })),
  ];
}

/** Links that carry management traffic now, or would. */
export function managementLinks(
  desired: NetworkConfig | null,
  observed: NetworkObserved,
  path: ManagementPath,
): ReadonlySet<string> {
  const ways = [waysNow(observed), waysAfter(desired, observed)];
  return new Set(targetsOf(path).flatMap(({ address }) => ways.flatMap((known) => lookUp(known, address)?.dev ?? [])));
}

interface Target {
  readonly what: string;
  readonly address: Address;
}

/** A network counts by its first address: networks of people who manage are reached as one. */
function targetsOf(path: ManagementPath): readonly Target[] {
  return [
    ...path.controlPlane.flatMap(({ address, port }) => {
      const parsed = parseAddress(address);
      return parsed.ok ? [{ what: `the control plane at ${address} port ${port}`, address: parsed.value }] : [];
    }),
    ...path.inbound.flatMap(({ networks }) =>
      networks.flatMap((text) => {
        const network = parseNetwork(text);
        return network.ok ? [{ what: `the management network ${text}`, address: network.value }] : [];
      }),
    ),
  ].filter(({ address }) => !isLoopback(address));
}

function isLoopback(address: Address): boolean {
  return address.family === 4 ? address.value >> 24n === 127n : address.value === 1n;
}

interface Way {
  readonly network: Network;
  readonly metric: number;
  /** Null: a dead end, for packets that would have found a way by a shorter prefix too. */
  readonly dev: string | null;
  /** Whether it is known to be there, or may be learnt. */
  readonly isSure: boolean;
}

type OpenWay = Way & { readonly dev: string };

function lookUp(ways: readonly Way[], address: Address): OpenWay | null {
  const fits = ways.filter(({ network }) => {
    const bits = BigInt(FAMILY_BITS[network.family] - network.prefix);
    return network.family === address.family && network.value >> bits === address.value >> bits;
  });
  const [best] = fits.toSorted(
    (a, b) => b.network.prefix - a.network.prefix || Number(b.isSure) - Number(a.isSure) || a.metric - b.metric,
  );
  return best === undefined || best.dev === null ? null : { ...best, dev: best.dev };
}

function waysNow(observed: NetworkObserved): readonly Way[] {
  return observed.routes.flatMap((route): readonly Way[] => {
    const network = parseNetwork(route.to);
    if (route.table !== MAIN_TABLE || !network.ok) return [];
    const way = { network: network.value, metric: route.metric, isSure: true };
    if (isDeadEnd(route)) return [{ ...way, dev: null }];
    if (route.kind !== "unicast") return [];
    return route.hops.flatMap(({ dev }) => (dev === null ? [] : [{ ...way, dev }]));
  });
}

function isDeadEnd({ kind }: { readonly kind: string }): boolean {
  return DEAD_ENDS.some((one) => one === kind);
}

const EVERYWHERE = [
  { family: 4, value: 0n, prefix: 0 },
  { family: 6, value: 0n, prefix: 0 },
] as const satisfies readonly Network[];
/** What networkd gives to routes that it learns. */
const LEARNT_METRIC = 1024;

function waysAfter(desired: NetworkConfig | null, observed: NetworkObserved): readonly Way[] {
  const roles = desired === null ? [] : rolesOf(desired);
  const named = new Map(
    roles.map((role) => [role, desired === null ? null : kernelName(desired, role, observed.links)]),
  );
  const wanted = new Set(named.values());
  const released = new Set(ownLinks(observed).flatMap((link) => (wanted.has(link.name) ? [] : [link.name])));
  // A dead end belongs to no link. One of ours that goes is in what is there before too, so that nothing is said of it.
  const untouched = waysNow(observed).filter(({ dev }) => !wanted.has(dev) && !released.has(dev ?? ""));
  const maybe = (dev: string): readonly Way[] =>
    EVERYWHERE.map((network) => ({ network, metric: LEARNT_METRIC, dev, isSure: false }));
  const fallenBack = observed.links.filter(
    (link) => released.has(link.name) && foreignFileFor(link, observed) !== null,
  );
  const ours = roles.flatMap((role): readonly Way[] => {
    const one = desired?.interfaces[role];
    const dev = named.get(role) ?? null;
    if (desired === null || one === undefined || dev === null || !one.enable || masterOf(desired, role) !== null)
      return [];
    const connected = [...one.ipv4.addresses, ...one.ipv6.addresses].flatMap((text) => {
      const parsed = parseInterfaceAddress(text);
      return parsed.ok ? [{ network: parsed.value.network, metric: 0, dev, isSure: true }] : [];
    });
    const routed = wantedRoutes(one, dev, (other) => named.get(other) ?? null).flatMap((route): readonly Way[] => {
      const network = parseNetwork(route.to);
      if (!network.ok || route.table !== MAIN_TABLE) return [];
      if (isDeadEnd(route)) return [{ network: network.value, metric: route.metric, dev: null, isSure: true }];
      const devs = route.ways.length === 0 ? [dev] : route.ways.map((way) => way.dev ?? dev);
      return devs.map((by) => ({ network: network.value, metric: route.metric, dev: by, isSure: true }));
    });
    return [...connected, ...routed, ...learntWays(one, dev, observed), ...(learns(one) ? maybe(dev) : [])];
  });
  return [...untouched, ...fallenBack.flatMap((link) => maybe(link.name)), ...ours];
}

function learns(one: InterfaceConfig): boolean {
  return one.ipv4.method === "dhcp" || one.ipv6.method === "dhcp" || one.ipv6.method === "ra";
}

/** What was learnt on the link before and will be again, as long as the method stays. */
function learntWays(one: InterfaceConfig, dev: string, observed: NetworkObserved): readonly Way[] {
  const family = { 4: one.ipv4.method === "dhcp", 6: one.ipv6.method === "dhcp" || one.ipv6.method === "ra" } as const;
  return observed.routes.flatMap((route) => {
    const network = parseNetwork(route.to);
    const isLearnt = LEARNT_PROTOCOLS.has(route.protocol) && family[route.family] && route.table === MAIN_TABLE;
    if (!network.ok || !isLearnt || !route.hops.some((hop) => hop.dev === dev)) return [];
    const isGateway = route.hops.some((hop) => hop.via !== null);
    const { use } = route.family === 4 ? one.ipv4 : one.ipv6;
    if (isGateway && !use.includes("gateway") && !use.includes("routes")) return [];
    return [{ network: network.value, metric: route.metric, dev, isSure: true }];
  });
}

/**
 * A lease is renewed hours after the change, when nobody looks, and without an answer the address is gone. networkd asks by the link itself, so that
 * only a dead end can come between; asked again within the trial it would not tell: after one silence networkd (252) asks no more until much later.
 */
function leaseFindings(
  desired: NetworkConfig | null,
  observed: NetworkObserved,
  before: readonly Way[],
  after: readonly Way[],
): readonly Finding[] {
  return observed.links.flatMap((link) => {
    const role = desired === null ? null : roleOf(desired, link.name, observed);
    if (role !== null && desired?.interfaces[role]?.ipv4.method !== "dhcp") return [];
    const lenders = new Set(link.addresses.flatMap(({ lender }) => lender ?? []));
    return [...lenders].flatMap((lender) => {
      const address = parseAddress(lender);
      if (!address.ok || lookUp(before, address.value) === null || lookUp(after, address.value) !== null) return [];
      const said = `${link.name} has its address from ${lender}, and a dead end would lead there: it would not be renewed, and lost when its time is over.`;
      return [finding("network.lease_cut", `network.interfaces.${role ?? link.name}`, said)];
    });
  });
}

/**
 * The address at which the server is reached: what its document said, or what stands on the links that lead to those who manage it. When it
 * goes, somebody must have said where the server is reached from then on.
 */
function addressFindings(
  confirmed: NetworkConfig | null,
  desired: NetworkConfig | null,
  observed: NetworkObserved,
  before: readonly Way[],
  path: ManagementPath,
): readonly Finding[] {
  const devs = new Set(targetsOf(path).flatMap(({ address }) => lookUp(before, address)?.dev ?? []));
  const carrying = observed.links.filter((link) => devs.has(link.name));
  const used = carrying.flatMap((link) =>
    link.addresses.filter((one) => one.source !== "link").map((one) => plain(one.address)),
  );
  const said = (confirmed?.reachedAt ?? []).filter((address) => liveAddresses(observed).has(address));
  const old = said.length > 0 ? said : used;
  const future = futureAddresses(desired, observed);
  const gone = old.filter((address) => !future.has(address));
  if (gone.length === 0 || (said.length === 0 && gone.length < old.length)) return [];
  const [next] = desired?.reachedAt ?? [];
  const isDeclared = next !== undefined && future.has(next) && !gone.includes(next);
  const [at] = carrying.map((link) => roleOf(desired ?? confirmed, link.name, observed) ?? link.name);
  const where = at === undefined ? "network" : `network.interfaces.${at}`;
  return isDeclared
    ? [
        finding(
          "network.management_address_moves",
          where,
          `The server is reached at ${gone.join(", ")} now and at ${next} after this, as its document says.`,
        ),
      ]
    : [
        finding(
          "network.management_path_cut",
          where,
          `${gone.join(", ")}, at which this server is reached, goes away${next === undefined ? "" : `, and ${next}, which its document says, is no address of it`}.`,
        ),
      ];
}

function plain(address: string): string {
  return address.split("/")[0] ?? address;
}

function liveAddresses(observed: NetworkObserved): ReadonlySet<string> {
  return new Set(observed.links.flatMap((link) => link.addresses.map((one) => plain(one.address))));
}

/** What will be there for sure, and what is learnt now on links that go on learning. */
function futureAddresses(desired: NetworkConfig | null, observed: NetworkObserved): ReadonlySet<string> {
  const roles = new Map<string, InterfaceConfig>();
  for (const role of desired === null ? [] : rolesOf(desired)) {
    const name = desired === null ? null : kernelName(desired, role, observed.links);
    const one = desired?.interfaces[role];
    if (name !== null && one !== undefined) roles.set(name, one);
  }
  const own = new Set(ownLinks(observed).map((link) => link.name));
  const kept = (link: ObservedLink): readonly string[] => {
    const one = roles.get(link.name);
    if (one === undefined)
      return own.has(link.name) ? fallBackAddresses(link, observed) : link.addresses.map((each) => plain(each.address));
    if (!one.enable) return [];
    return link.addresses
      .filter(
        (each) =>
          each.source === "learnt" &&
          (each.address.includes(":")
            ? one.ipv6.method !== "static" && one.ipv6.method !== "none"
            : one.ipv4.method === "dhcp"),
      )
      .map((each) => plain(each.address));
  };
  const set = [...roles.values()].flatMap((one) =>
    one.enable ? [...one.ipv4.addresses, ...one.ipv6.addresses].map(plain) : [],
  );
  return new Set([...observed.links.flatMap(kept), ...set]);
}

/** What the file of somebody else sets once ours is gone. */
function fallBackAddresses(link: ObservedLink, observed: NetworkObserved): readonly string[] {
  const text = foreignFileFor(link, observed)?.text ?? "";
  return [...text.matchAll(/^\s*Address\s*=\s*(\S+)/gm)].map((found) => plain(found[1] ?? ""));
}

function roleOf(config: NetworkConfig | null, dev: string, observed: NetworkObserved): string | null {
  if (config === null) return null;
  return rolesOf(config).find((role) => kernelName(config, role, observed.links) === dev) ?? null;
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((one) => [`${one.code} ${one.message}`, one])).values()];
}
