import type { Mismatch } from "@holdfast/core/domain.ts";
import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";
import { keptRules } from "./plan.ts";
import { itemKey, ruleInWords, withoutOrigin } from "./wanted.ts";

/**
 * Rules of others that are gone, though the steps were to make them again: networkd drops them whenever it sets a link up, and what the kernel refused to
 * take back would be missed by nobody until the packets of somebody else go astray. Routes are left out: daemons take theirs away and bring them back while a
 * link is set up.
 */
export function lostRules(
  desired: NetworkConfig | null,
  before: NetworkObserved,
  after: NetworkObserved,
): readonly Mismatch[] {
  if (after.unreadable !== null || after.renderer.state !== "running") return [];
  const there = new Set(after.rules.map((rule) => itemKey(withoutOrigin(rule))));
  return keptRules(desired, before)
    .filter((rule) => !there.has(itemKey(withoutOrigin(rule))))
    .map((rule) => ({
      path: "rules",
      expected: `${ruleInWords(rule)}, which somebody else had set`,
      found: "no such rule",
    }));
}
