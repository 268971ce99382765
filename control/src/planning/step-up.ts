import { strictestStepUp, whyNotFresh } from "@holdfast/core/access/step-up.ts";
import type { FloorSettings } from "@holdfast/core/compose/floor-settings.ts";
import { formatDuration } from "@holdfast/core/policy/duration.ts";
import type { Caller } from "../api/caller.ts";
import { refuse } from "../api/refused.ts";
import type { World } from "./world.ts";

/**
 * Refuses whoever has not shown a second factor as lately as these floors ask. Asked where plans are bound, which is the only way for a
 * server to move, and where a change is approved, each in the transaction of what is asked for: nothing has been
 * written yet, and the same request passes once the session is fresh.
 *
 * @param floors of every server concerned, as they are and as they would be: a change cannot lift the floor that stands in its own way
 */
export function assertFresh(caller: Caller, floors: readonly FloorSettings[]): void {
  const asked = strictestStepUp(floors.map((floor) => floor.stepUp));
  const why = whyNotFresh(asked, { isToken: caller.via === "token", freshSeconds: caller.freshSeconds });
  if (asked === null || why === null) return;
  const within = formatDuration(asked.withinSeconds);
  if (why === "token")
    refuse("access.step_up_by_token", `The floor asks that a person has shown a second factor within ${within}.`);
  const lately =
    caller.freshSeconds === null
      ? "none was shown in this session"
      : `it was shown ${formatDuration(Math.max(1, Math.floor(caller.freshSeconds / 60)) * 60)} ago`;
  refuse("access.step_up_needed", `The floor asks for a second factor shown within ${within}; ${lately}.`);
}

/** Whether a floor that is in force anywhere asks for it: then nobody is left without a factor by a slip. */
export function someFloorAsks(world: World): boolean {
  return [...world.assigned.values()].some((refs) =>
    [...refs].some(([id, revision]) => {
      const document = world.document(id, revision);
      return document?.kind === "Floor" && document.body.stepUp !== undefined;
    }),
  );
}
