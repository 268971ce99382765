import type { InterfaceConfig, NetworkConfig } from "@holdfast/domains/network/model.ts";
import type { LinkSeen, NetworkSeen } from "./observed.ts";

/** One interface: what is there, what should be, or both. */
export interface LinkRow {
  /** Kernel name where it is there, else the role. */
  readonly name: string;
  /** Null: no policy names it, so it is not ours. */
  readonly role: string | null;
  readonly seen: LinkSeen | null;
  readonly desired: InterfaceConfig | null;
}

/** Ours first, by role; then the others by name. */
export function linkRows(desired: NetworkConfig | null, seen: NetworkSeen): readonly LinkRow[] {
  const ours = Object.entries(desired?.interfaces ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([role, one]): LinkRow => {
      const link = seen.links.find((candidate) => isBound(one, candidate)) ?? null;
      return { name: link?.name ?? role, role, seen: link, desired: one };
    });
  const taken = new Set(ours.flatMap((row) => (row.seen === null ? [] : [row.seen.name])));
  const others = seen.links
    .filter((link) => !taken.has(link.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((link): LinkRow => ({ name: link.name, role: null, seen: link, desired: null }));
  return [...ours, ...others];
}

/** Devices that stand on a card carry its hardware address too: a role that is bound by one means the card. */
function isBound(one: InterfaceConfig, link: LinkSeen): boolean {
  return "mac" in one.bound ? link.kind === null && link.mac === one.bound.mac : link.name === one.bound.name;
}

export interface AddressRow {
  readonly address: string;
  readonly source: "set" | "learnt" | "link" | "missing";
  readonly leaseSeconds: number | null;
  /** Set by hand and not wanted, on an interface of ours. */
  readonly isExtra: boolean;
}

/** Addresses as they are, and those that should be and are not. */
export function addressRows({ seen, desired }: LinkRow): readonly AddressRow[] {
  const wanted = desired === null ? [] : [...desired.ipv4.addresses, ...desired.ipv6.addresses];
  const there = (seen?.addresses ?? []).map(({ address, source, leaseSeconds }): AddressRow => ({
    address,
    source,
    leaseSeconds,
    isExtra: desired !== null && source === "set" && !wanted.includes(address),
  }));
  const missing = wanted
    .filter((address) => !there.some((one) => one.address === address))
    .map((address): AddressRow => ({ address, source: "missing", leaseSeconds: null, isExtra: false }));
  return [...there, ...missing];
}

/** The role whose settings ask for such a route; null: none does. */
export function roleOfRoute(
  desired: NetworkConfig | null,
  route: { readonly to: string; readonly table: number; readonly via: string | null },
): string | null {
  for (const [role, one] of Object.entries(desired?.interfaces ?? {})) {
    const isListed = one.routes.some(
      (wanted) => wanted.to === route.to && wanted.table === route.table && (wanted.via ?? null) === route.via,
    );
    const isGateway =
      (route.to === "0.0.0.0/0" || route.to === "::/0") &&
      [...one.ipv4.gateways, ...one.ipv6.gateways].some((gateway) => gateway.via === route.via);
    if (isListed || isGateway) return role;
  }
  return null;
}
