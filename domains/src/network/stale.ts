import type { IpState } from "@holdfast/core/plan/ip-state.ts";
import { sectionsOf, statedRules } from "./live.ts";
import { MAIN_TABLE } from "./model.ts";
import { type NetworkObserved, type ObservedRule, STATIC_PROTOCOL } from "./observed.ts";
import type { OwnFiles } from "./own-file.ts";
import { NO_IP_STATE } from "./step.ts";
import { asRule, itemKey, withoutOrigin } from "./wanted.ts";

/**
 * What files of ours made and do not state any more. networkd takes most of it away and leaves rules and dead ends behind now and then, so
 * they are taken away by name.
 */
export function staleState(before: OwnFiles, wanted: OwnFiles, observed: NetworkObserved): IpState {
  const [old, kept] = [new Set(statedRules(before).map(itemKey)), new Set(statedRules(wanted).map(itemKey))];
  const [oldEnds, keptEnds] = [new Set(leftBehind(before)), new Set(leftBehind(wanted))];
  return {
    ...NO_IP_STATE,
    rules: observed.rules.filter(isPlain).flatMap((rule) => {
      const key = itemKey(withoutOrigin(rule));
      return old.has(key) && !kept.has(key) ? [asRule(rule)] : [];
    }),
    routes: observed.routes.filter((route) => {
      const kind = route.hops.length > 1 ? SHARED : route.kind;
      const key = `${route.to} ${kind} ${route.table}`;
      return route.protocol === STATIC_PROTOCOL && kind !== "unicast" && oldEnds.has(key) && !keptEnds.has(key);
    }),
  };
}

function isPlain(rule: ObservedRule): boolean {
  return rule.protocol === STATIC_PROTOCOL && !rule.isStrange;
}

/** Over several next hops. */
const SHARED = "shared";

/** Dead ends and routes over several ways, as our files state them. */
function leftBehind(files: OwnFiles): readonly string[] {
  return sectionsOf(files, "Route").flatMap((values) => {
    const kind = values.get("Type") ?? (values.has("MultiPathRoute") ? SHARED : undefined);
    return kind === undefined
      ? []
      : [`${values.get("Destination") ?? ""} ${kind} ${values.get("Table") ?? MAIN_TABLE}`];
  });
}
