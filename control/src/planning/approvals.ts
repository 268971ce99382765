import { approvalDemand, type ApprovalDemand } from "@holdfast/core/apply/approvals.ts";
import type { ServerId } from "@holdfast/core/base/id.ts";
import type { FloorSettings } from "@holdfast/core/compose/floor-settings.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import type { Actor } from "../store/actor.ts";
import { listApprovals, makeReady } from "../store/changes.ts";
import type { Queryable } from "../store/database.ts";
import { listNewestPlans, type PlanHead } from "../store/plans.ts";
import type { BreakGlass, ChangeRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import { composer, sha256 } from "./compose-for.ts";
import { concernedBy } from "./concerned.ts";
import type { Edit } from "./selection.ts";
import { lastFailures } from "./store/last-failures.ts";
import type { World } from "./world.ts";

/** A server that a change concerns, with its floors before as well as after, and the newest plan for it. */
export interface ServerToApprove {
  readonly id: ServerId;
  readonly floors: readonly FloorSettings[];
  readonly plan: Pick<PlanHead, "status" | "steps" | "touches_management_path"> | undefined;
}

/** How many people must approve what was planned for these servers. */
export async function demandOf(
  database: Queryable,
  servers: readonly ServerToApprove[],
  nowMs: number,
): Promise<ApprovalDemand> {
  const asksForHistory = servers.some(({ floors }) =>
    floors.some(({ approvalsWhen }) => approvalsWhen.some((rule) => rule.failedWithinSeconds !== undefined)),
  );
  const failed = asksForHistory
    ? await lastFailures(
        database,
        servers.map(({ id }) => id),
      )
    : new Map<ServerId, Date>();
  return approvalDemand(
    servers.map(({ id, floors, plan }) => ({
      approvals: Math.max(0, ...floors.map((floor) => floor.approvals)),
      rules: floors.flatMap((floor) => floor.approvalsWhen),
      breakGlass: floors.every((floor) => floor.breakGlass),
      isChanged: plan !== undefined && plan.status !== "nothing_to_do",
      touchesManagementPath: plan?.touches_management_path ?? false,
      domains: plan?.steps.map(({ domain }) => domain) ?? [],
      failedAtMs: failed.get(id)?.getTime() ?? null,
    })),
    nowMs,
  );
}

/** Of a change as it is now, over every server that it concerns, whichever of them are applied at first. */
export async function demandOfChange(
  house: Pick<House, "languages" | "controlPlane" | "nowMs">,
  tx: Transaction,
  change: ChangeRow,
  world: World,
  edits: readonly Edit[],
): Promise<ApprovalDemand> {
  const before = composer(house, world, []);
  const plans = await listNewestPlans(tx, change.id, "forward");
  const servers = concernedBy(house, world, edits).map(({ server, composed }) => ({
    id: server.id,
    floors: [composed.floor, before(server).composed.floor],
    plan: plans.find((plan) => plan.server_id === server.id),
  }));
  return demandOf(tx, servers, house.nowMs());
}

/**
 * What has its approvals may be applied. What has not may be with `breakGlass`, a person's reason why it cannot wait, where the floors allow
 * that: the same way in every other respect, and the approvals are asked for afterwards.
 *
 * @returns null where nothing had to be broken
 */
export async function assertApproved(
  tx: Transaction,
  change: ChangeRow,
  demand: ApprovalDemand,
  breakGlass: string | undefined,
): Promise<BreakGlass | null> {
  const { needed, because, mayBreakGlass } = demand;
  const given = (await listApprovals(tx, change.id)).length;
  if (given >= needed) return null;
  const why = `${because.join(" ")} ${given} ${given === 1 ? "is" : "are"} given.`;
  if (breakGlass === undefined) refuse("change.needs_approval", why);
  if (!mayBreakGlass) refuse("change.break_glass_refused", why);
  return { reason: breakGlass, needed, given };
}

/** A draft becomes READY: its revisions are numbered now and never change again. What is READY stays. */
export async function becomeReady(tx: Transaction, change: ChangeRow, by: Actor): Promise<ChangeRow> {
  if (change.state !== "DRAFT") return change;
  return makeReady(tx, change.id, change.version, (text) => sha256(text ?? ""), by);
}
