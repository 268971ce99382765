import type { VlanRange } from "@holdfast/core/plan/ip-state.ts";
import { type BridgeVlans, masterOf, type NetworkConfig } from "./model.ts";
import type { NetworkObserved, ObservedLink } from "./observed.ts";
import { LAST_VLAN } from "./vlan-range.ts";

/** VLANs of bridges that tell them apart: of which each port is, and of which the server itself is. */

/** What a role is to be in: as a port of a bridge that tells VLANs apart, or as that bridge; null: in none such. */
export function vlansOf(config: NetworkConfig, role: string): BridgeVlans | null {
  const one = config.interfaces[role];
  if (one?.device?.kind === "bridge") return one.device.vlans ?? null;
  const master = masterOf(config, role);
  const above = master === null ? undefined : config.interfaces[master]?.device;
  return above?.kind === "bridge" && above.vlans !== undefined ? (one?.port?.vlans ?? { tagged: [] }) : null;
}

/** As the kernel tells it: what comes without a tag is of the untagged one, and leaves without. */
export function wantedVlans({ tagged, untagged }: BridgeVlans): readonly VlanRange[] {
  return [
    ...tagged.map(({ first, last }): VlanRange => ({ first, last, untagged: false })),
    ...(untagged === undefined ? [] : [{ first: untagged, last: untagged, untagged: true }]),
  ].toSorted((a, b) => a.first - b.first);
}

/** The bridge that a link is, or is a port of, tells VLANs apart. */
export function tellsApart(observed: Pick<NetworkObserved, "links">, link: ObservedLink): boolean {
  const bridge = link.bridge ?? observed.links.find(({ name }) => name === link.master)?.bridge ?? null;
  return bridge?.vlanFiltering === true;
}

/** What is to go from a port and what is to come, so that it is in these and no others. */
export function vlanChange(
  found: readonly VlanRange[],
  wanted: readonly VlanRange[],
): { readonly absent: readonly VlanRange[]; readonly present: readonly VlanRange[] } {
  const [have, want] = [byId(found), byId(wanted)];
  return { absent: rangesOf(have, (id) => !want.has(id)), present: rangesOf(want, (id, is) => have.get(id) !== is) };
}

function byId(ranges: readonly VlanRange[]): ReadonlyMap<number, boolean> {
  const ids = new Map<number, boolean>();
  for (const { first, last, untagged } of ranges)
    for (let id = Math.max(first, 1); id <= Math.min(last, LAST_VLAN); id += 1) ids.set(id, untagged);
  return ids;
}

function rangesOf(ids: ReadonlyMap<number, boolean>, isMeant: (id: number, untagged: boolean) => boolean): VlanRange[] {
  const meant = [...ids].filter(([id, untagged]) => isMeant(id, untagged)).toSorted(([a], [b]) => a - b);
  return meant.reduce<VlanRange[]>((ranges, [id, untagged]) => {
    const before = ranges.at(-1);
    // What comes without a tag is of one VLAN, so that one is told alone.
    if (before === undefined || untagged || before.untagged || before.last !== id - 1)
      return [...ranges, { first: id, last: id, untagged }];
    return [...ranges.slice(0, -1), { ...before, last: id }];
  }, []);
}

/** Many as few, in one order. */
export function tidied(ranges: readonly VlanRange[]): readonly VlanRange[] {
  return rangesOf(byId(ranges), () => true);
}

export function vlansInWords(ranges: readonly VlanRange[]): string {
  const words = tidied(ranges).map(
    ({ first, last, untagged }) => `${first === last ? first : `${first}-${last}`}${untagged ? " untagged" : ""}`,
  );
  return words.join(", ") || "none";
}
