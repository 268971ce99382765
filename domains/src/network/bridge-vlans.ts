import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { VlanRange } from "@holdfast/core/plan/ip-state.ts";
import { type BridgeVlans, masterOf, type NetworkConfig } from "./model.ts";
import type { NetworkObserved, ObservedLink } from "./observed.ts";

/** VLANs of bridges that tell them apart: of which each port is, and of which the server itself is. */

const LAST = 4094;

/** `20` or `20-29`. */
export function parseVlanRange(text: string): Result<Pick<VlanRange, "first" | "last">, string> {
  const found = /^([1-9][0-9]{0,3})(?:-([1-9][0-9]{0,3}))?$/.exec(text);
  const first = Number(found?.[1] ?? 0);
  const last = Number(found?.[2] ?? first);
  return found !== null && first >= 1 && first <= last && last <= LAST
    ? ok({ first, last })
    : err(`${JSON.stringify(text.slice(0, 20))} is no VLAN and no range of them; write it like 20 or 20-29`);
}

/** In order, and as few as can be. */
export function mergedRanges(ranges: readonly Pick<VlanRange, "first" | "last">[]): { first: number; last: number }[] {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else merged.push({ first, last });
  }
  return merged;
}

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
    for (let id = Math.max(first, 1); id <= Math.min(last, LAST); id += 1) ids.set(id, untagged);
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
