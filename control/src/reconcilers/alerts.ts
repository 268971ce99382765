import { Baseline } from "../alerts/baseline.ts";
import { look } from "../alerts/look.ts";
import { recordAlerts } from "../alerts/record.ts";
import { RotationRules } from "../alerts/rotation-rules.ts";
import { systemActor } from "../store/actor.ts";
import { holdDuty } from "../store/duties.ts";
import type { Reconciler } from "./context.ts";

const EVERY_MS = 5_000;
/** Three looks: whoever dies is followed within a quarter of a minute. */
const LEASE_MS = 3 * EVERY_MS;

/** Looks at the rows and opens and resolves alerts. One instance at a time looks, to save work; two that look both write the same. */
export function alerts(): Reconciler {
  const baseline = new Baseline();
  const rotation = new RotationRules();
  return {
    name: "alerts",
    everyMs: EVERY_MS,
    async run({ database, instanceId, log }) {
      if (!(await holdDuty(database, "alerts", instanceId, LEASE_MS))) return;
      await recordAlerts(database, await look(database, baseline, rotation), systemActor("alerts", instanceId), log);
    },
  };
}
