import { sql } from "@holdfast/control/store/sql.ts";
import type { ChangeDetail, PlanChange } from "@holdfast/core/api/change.ts";
import type { ApplyState, Effect, Phase, ServerIs } from "@holdfast/core/apply/state.ts";
import { isOpen } from "@holdfast/core/apply/state.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import type { House } from "@holdfast/testkit/house/house.ts";
import { until } from "@holdfast/testkit/until.ts";

/** One change on one server, from the operator's press of the button to what the database says of it. */
export interface BegunApply {
  readonly applyId: string;
  readonly changeId: string;
  readonly rolloutId: string;
}

/** The row of an apply. */
export interface ApplyFacts {
  readonly state: ApplyState;
  readonly phase: Phase | null;
  readonly effect: Effect | null;
  readonly server_is: ServerIs;
  readonly code: string | null;
  readonly message: string | null;
  readonly request_id: string | null;
  readonly fence: number | null;
}

/** A whole window, an undo, and a control plane that comes back with a lease to wait for. */
const END_PATIENCE_MS = 90_000;

export function planOn(
  house: House,
  server: HouseServer,
  text: string,
  trial: PlanChange["trial"] = {},
): Promise<ChangeDetail> {
  return house.operator.plan(`A change on ${server.name}`, [text], trial);
}

export async function applyPlanned(house: House, server: HouseServer, change: ChangeDetail): Promise<BegunApply> {
  const rollout = await house.operator.applyPlanned(change, [server.name]);
  if (rollout === null) throw new Error(`the change plans nothing on ${server.name}`);
  let applyId = "";
  await until(`the apply of rollout ${rollout.id} on ${server.name}`, async () => {
    const [row] = await house.database.rows<{ id: string }>(
      sql`select a.id from applies a join servers s on s.id = a.server_id where a.rollout_id = ${rollout.id} and s.name = ${server.name}`,
    );
    applyId = row?.id ?? "";
    return row !== undefined;
  });
  return { applyId, changeId: change.id, rolloutId: rollout.id };
}

export function factsOf(house: House, applyId: string): Promise<ApplyFacts> {
  return house.database.one<ApplyFacts>(
    sql`select state, phase, effect, server_is, code, message, request_id, fence from applies where id = ${applyId}`,
  );
}

/** Waits for an end, also while the database is away in between. */
export async function endOf(house: House, applyId: string): Promise<ApplyFacts> {
  let last: ApplyFacts | null = null;
  await until(
    () => `the end of apply ${applyId}; the last that was seen: ${JSON.stringify(last)}`,
    async () => {
      last = await factsOf(house, applyId).catch(() => last);
      return last !== null && last.state !== "READY" && !isOpen(last.state);
    },
    END_PATIENCE_MS,
  );
  return factsOf(house, applyId);
}

/** Waits for something in the row while it is open. */
export async function untilRow(
  house: House,
  applyId: string,
  what: string,
  holds: (row: ApplyFacts) => boolean,
): Promise<void> {
  await until(
    `${what} of apply ${applyId}`,
    async () => {
      const row = await factsOf(house, applyId).catch(() => null);
      return row !== null && holds(row);
    },
    END_PATIENCE_MS / 2,
  );
}
