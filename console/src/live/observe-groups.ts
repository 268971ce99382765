import { type FirewallConfig, HOOKS, type HookName, type Rule } from "@holdfast/domains/firewall/model.ts";
import { counterNames } from "@holdfast/domains/firewall/names.ts";

export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** Packets that an observing firewall let pass and an enforcing one would not, by what would have stopped them. */
export interface ObserveGroup {
  readonly hook: HookName;
  /** default: no rule matched; rule: a rule that drops or rejects; limit: above the limit of a rule. */
  readonly kind: "default" | "rule" | "limit";
  /** Null for a default. */
  readonly rule: string | null;
  readonly verb: Rule["verb"];
  /** Null: its counter is not told. */
  readonly count: Count | null;
}

/** Everything that would be dropped, what is hit most first; in enforce mode there is nothing to observe. */
export function observeGroups(
  config: FirewallConfig,
  counts: Readonly<Record<string, Count>>,
): readonly ObserveGroup[] {
  if (config.mode !== "observe") return [];
  const groups = HOOKS.flatMap((hook): readonly ObserveGroup[] => {
    const section = config[hook];
    if (section === undefined) return [];
    const of = (name: string): Count | null => counts[name] ?? null;
    const rules = section.rules.flatMap((rule): readonly ObserveGroup[] => [
      ...(rule.verb === "allow"
        ? []
        : [
            {
              hook,
              kind: "rule" as const,
              rule: rule.name,
              verb: rule.verb,
              count: of(counterNames.observed(hook, rule.name)),
            },
          ]),
      ...(rule.limit === undefined
        ? []
        : [
            {
              hook,
              kind: "limit" as const,
              rule: rule.name,
              verb: "drop" as const,
              count: of(counterNames.observedLimited(hook, rule.name)),
            },
          ]),
    ]);
    const fallback: readonly ObserveGroup[] =
      section.default === "allow"
        ? []
        : [
            {
              hook,
              kind: "default",
              rule: null,
              verb: section.default,
              count: of(counterNames.observedDefault(hook)),
            },
          ];
    return [...fallback, ...rules];
  });
  return groups.toSorted((a, b) => (b.count?.packets ?? 0) - (a.count?.packets ?? 0));
}

export function groupKey(group: ObserveGroup): string {
  return `${group.hook} ${group.kind} ${group.rule ?? ""}`;
}

/** What somebody has to decide about before the firewall enforces: a packet was seen, or nobody knows whether one was. */
export function undecided(groups: readonly ObserveGroup[], decided: ReadonlySet<string>): readonly ObserveGroup[] {
  return groups.filter((group) => group.count?.packets !== 0 && !decided.has(groupKey(group)));
}
