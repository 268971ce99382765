import type { Caller } from "../api/caller.ts";
import type { House } from "../house.ts";
import { type Composition } from "./compose-for.ts";
import { concernedBy } from "./concerned.ts";
import { assertEverywhere, assertReach } from "./scope.ts";
import type { Edit } from "./selection.ts";
import type { World } from "./world.ts";

/**
 * Refuses whoever may not edit on every server that these edits concern, in the place that it has and in the one that it would have.
 *
 * @returns the servers concerned, each as it would be
 */
export function assertMayEdit(
  house: Pick<House, "languages" | "controlPlane">,
  caller: Caller,
  world: World,
  edits: readonly Edit[],
): readonly Composition[] {
  const concerned = concernedBy(house, world, edits);
  if (concerned.length === 0) assertEverywhere(caller, "edit");
  assertReach(
    caller,
    "edit",
    world,
    concerned.map(({ server, selected, composed }) => ({
      server,
      labelsAfter: selected.labels,
      domains: Object.keys(composed.config?.domains ?? {}),
    })),
  );
  return concerned;
}
