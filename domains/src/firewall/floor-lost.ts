import type { Mismatch } from "@holdfast/core/domain.ts";
import type { FirewallObserved } from "./facts.ts";
import type { FirewallConfig } from "./model.ts";
import { chainNames } from "./names.ts";
import { nativeTable } from "./native.ts";
import { tableMismatches } from "./verify.ts";

/** Packets of others are nobody's way in. */
const HOOKS_OF_FLOOR = ["inbound", "outbound"] as const;

/**
 * The floor stands in two chains that come before every rule, and the hooks that ask them. Their table gone, a hook with another policy, a rule
 * of theirs gone or something put before it: whoever comes to mend the server has no word of ours any more, and nor has the server's protection.
 */
export function floorLost(confirmed: FirewallConfig, observed: FirewallObserved): readonly Mismatch[] {
  if (observed.unreadable !== null) return [];
  const expected = nativeTable(confirmed, observed.interfaces);
  const carriers = HOOKS_OF_FLOOR.flatMap((hook) => {
    const asks = expected.chains[chainNames.hook(hook)];
    const jump = asks?.rules.findIndex((rule) => rule.includes(chainNames.locked(hook))) ?? -1;
    return asks === undefined ? [] : [{ hook: chainNames.hook(hook), locked: chainNames.locked(hook), jump }];
  });
  return tableMismatches(expected, observed.table).filter(
    ({ path }) =>
      path === "table" ||
      carriers.some(
        ({ hook, locked, jump }) =>
          path === `chains.${hook}` ||
          path === `chains.${hook}.hook` ||
          path === `chains.${locked}` ||
          path.startsWith(`chains.${locked}.`) ||
          ruleIndex(path, `chains.${hook}.rules`) <= jump,
      ),
  );
}

function ruleIndex(path: string, rules: string): number {
  const found = path.startsWith(`${rules}[`) ? /\[(\d+)\]$/.exec(path) : null;
  return found === null ? Number.POSITIVE_INFINITY : Number(found[1]);
}
