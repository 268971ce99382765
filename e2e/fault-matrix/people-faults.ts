import { setTimeout as sleep } from "node:timers/promises";
import type { ChangeDetail } from "@holdfast/core/api/change.ts";
import { ApiRefusal } from "@holdfast/testkit/operator/operator.ts";
import type { Fault } from "./fault.ts";
import type { Stage } from "./stage.ts";

/** What people do at the wrong moment. */
export const PEOPLE_FAULTS: readonly Fault[] = [
  {
    test: "fault-28-second-apply",
    slice: true,
    async suffer(stage) {
      const second = await stage.plan();
      const begun = await stage.at("on_trial", () => mustBeRefused(stage, second));
      return stage.end(begun);
    },
  },
  {
    test: "fault-33-changed-by-hand",
    how: "what the change is about",
    slice: true,
    async suffer(stage) {
      const begun = await stage.at("on_trial", async () => {
        await stage.server.machine.must(["nft", "flush", "table", "inet", "holdfast"]);
      });
      return stage.end(begun);
    },
  },
  {
    test: "fault-33-changed-by-hand",
    how: "something else, in a trial of some seconds",
    async suffer(stage) {
      const begun = await stage.at("on_trial", async () => {
        await stage.server.machine.must(["nft", "add", "chain", "inet", "holdfast", "by_hand"]);
        stage.house.signalControl("SIGSTOP");
      });
      await sleep(LONG_TRIAL_MS);
      stage.house.signalControl("SIGCONT");
      return stage.end(begun);
    },
  },
];

/** In the first five seconds of a trial only what the change has touched is read back; later everything is. */
const LONG_TRIAL_MS = 5_500;

/** The operator's button, pressed while another change is on trial. */
async function mustBeRefused(stage: Stage, change: ChangeDetail): Promise<void> {
  const outcome = await stage.house.operator.applyPlanned(change, [stage.server.name]).then(
    () => "begun",
    (error: unknown) => error,
  );
  if (!(outcome instanceof ApiRefusal) || outcome.status !== 409)
    throw new Error(`a second apply was not refused with 409: ${String(outcome)}`);
}
