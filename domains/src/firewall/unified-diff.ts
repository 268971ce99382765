import { unifiedDiff } from "@holdfast/core/plan/unified-diff.ts";
import type { NativeTable } from "./nft-table.ts";
import { namedParts } from "./render.ts";

/** Unified diff of two states of our table as people read them; empty when they are equal. Each chain and set is compared with itself. */
export function tableDiff(before: NativeTable | null, after: NativeTable | null): string {
  const [left, right] = [new Map(namedParts(before)), new Map(namedParts(after))];
  const names = [...new Set([...left.keys(), ...right.keys()])].toSorted();
  return unifiedDiff(names.map((name) => [left.get(name) ?? [], right.get(name) ?? []]));
}
