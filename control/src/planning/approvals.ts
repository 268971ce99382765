import type { FloorSettings } from "@holdfast/core/compose/floor-settings.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import type { Actor } from "../store/actor.ts";
import { listApprovals, makeReady } from "../store/changes.ts";
import type { ChangeRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import { composer, sha256 } from "./compose-for.ts";
import { concernedBy } from "./concerned.ts";
import type { Edit } from "./selection.ts";
import type { World } from "./world.ts";

/** The most that any of these floors asks for. */
export function mostApprovals(floors: readonly FloorSettings[]): number {
  return Math.max(0, ...floors.map((floor) => floor.approvals));
}

/**
 * How many people besides the author must approve: asked of every server that the change concerns, and of the floor before as well as after,
 * or a change could lift the floor that stands in its own way.
 */
export function approvalsNeeded(
  house: Pick<House, "languages" | "controlPlane">,
  world: World,
  edits: readonly Edit[],
): number {
  const before = composer(house, world, []);
  return mostApprovals(
    concernedBy(house, world, edits).flatMap(({ server, composed }) => [composed.floor, before(server).composed.floor]),
  );
}

/** A draft with its approvals becomes READY: its revisions are numbered now and never change again. What is READY stays. */
export async function becomeReady(tx: Transaction, change: ChangeRow, needed: number, by: Actor): Promise<ChangeRow> {
  if (change.state !== "DRAFT") return change;
  const given = (await listApprovals(tx, change.id)).length;
  if (given < needed)
    refuse(
      "change.needs_approval",
      `The floor asks for ${needed} approval${needed === 1 ? "" : "s"}; ${given} ${given === 1 ? "is" : "are"} given.`,
    );
  return makeReady(tx, change.id, change.version, (text) => sha256(text ?? ""), by, needed);
}
