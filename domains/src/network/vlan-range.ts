import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { VlanRange } from "@holdfast/core/plan/ip-state.ts";

/** The highest number of a VLAN (IEEE 802.1Q). */
export const LAST_VLAN = 4094;

/** `20` or `20-29`. */
export function parseVlanRange(text: string): Result<Pick<VlanRange, "first" | "last">, string> {
  const found = /^([1-9][0-9]{0,3})(?:-([1-9][0-9]{0,3}))?$/.exec(text);
  const first = Number(found?.[1] ?? 0);
  const last = Number(found?.[2] ?? first);
  return found !== null && first >= 1 && first <= last && last <= LAST_VLAN
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
