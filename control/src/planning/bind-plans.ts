import type { rollbackChangeSchema } from "@holdfast/core/api/change.ts";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { PlanId } from "@holdfast/core/base/id.ts";
import { isUuid } from "@holdfast/core/base/id.ts";
/**
 * Binding: what was reviewed is what is applied. In one transaction each plan that the client names is held against the house of now.
 *   B1. The plan is of this change and has the digest that the client saw.
 *   B2. What the server has, and what it would have, is what it was when the plan was made.
 *   B3. The server takes applies now, and the caller may do this to it.
 *   B4. Every dangerous finding has been acknowledged, one by one.
 *   B5. Where the floor asks for it, the caller has shown a second factor lately.
 */
import type { z } from "zod";
import type { Caller } from "../api/caller.ts";
import { Refused, refuse } from "../api/refused.ts";
import { OVERWRITES_DRIFT } from "../saga/overwrites-drift.ts";
import { listApplies } from "../store/applies.ts";
import { getPlan, type PlanHead } from "../store/plans.ts";
import { listQuarantines } from "../store/quarantines.ts";
import { lockServer } from "../store/servers.ts";
import type { ChangeRow, RevisionRef, ServerRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Composition } from "./compose-for.ts";
import { assertReach } from "./scope.ts";
import { assertFresh } from "./step-up.ts";
import type { World, WorldServer } from "./world.ts";

export type ApplyRequest = z.output<typeof rollbackChangeSchema>;

export interface BoundPlan {
  readonly plan: PlanHead;
  readonly server: ServerRow;
  readonly composition: Composition;
}

export interface BindOptions {
  readonly caller: Caller;
  readonly change: ChangeRow;
  readonly kind: PlanHead["kind"];
  readonly world: World;
  /** What a server would have now by the same change. */
  readonly compose: (serverId: PlanHead["server_id"], plan: PlanHead) => Composition | null;
  /** What a server has now, without the change. */
  readonly now: (server: WorldServer) => Composition;
  readonly nowMs: number;
  readonly onRefusedConcurrent: () => void;
}

export async function bindPlans(
  tx: Transaction,
  request: ApplyRequest,
  options: BindOptions,
): Promise<readonly BoundPlan[]> {
  const bound: BoundPlan[] = [];
  const plans = await readPlans(tx, request, options);
  // In one order for everybody, so that two rollouts over the same servers never wait for each other in a circle.
  for (const plan of plans.toSorted((a, b) => (a.server_id < b.server_id ? -1 : 1))) {
    const server = await lockServer(tx, plan.server_id);
    const composition = options.compose(plan.server_id, plan);
    if (composition === null) throw moved(server.name, "it is no longer one of the change's servers");
    bound.push({ plan, server, composition });
  }
  assertReach(
    options.caller,
    "apply",
    options.world,
    bound.map(({ composition, plan }) => ({
      server: composition.server,
      labelsAfter: composition.selected.labels,
      domains: [...new Set(plan.steps.map((step) => step.domain))],
    })),
  );
  // Before and after: a change cannot lift the floor that stands in its own way.
  assertFresh(
    options.caller,
    bound.flatMap(({ composition }) => [composition.composed.floor, options.now(composition.server).composed.floor]),
  ); // B5
  for (const one of bound) {
    await assertTakesApplies(tx, one, options);
    assertBaseStands(one, options);
  }
  assertAcknowledged(bound, request);
  return bound;
}

async function readPlans(tx: Transaction, request: ApplyRequest, options: BindOptions): Promise<readonly PlanHead[]> {
  const plans: PlanHead[] = [];
  for (const { planId, planDigest } of request.plans) {
    const plan = isUuid(planId) ? await getPlan(tx, planId as PlanId) : undefined;
    if (plan === undefined || plan.change_id !== options.change.id || plan.kind !== options.kind)
      refuse("change.plan_unknown", `${planId} is no ${options.kind} plan of this change.`);
    if (plan.plan_digest !== planDigest)
      refuse("change.plan_unknown", `The plan ${planId} has another digest than the one that was reviewed.`);
    if (plans.some((other) => other.server_id === plan.server_id))
      refuse("change.plan_unknown", "Two plans are for the same server; name one of them.");
    if (plan.status === "refused" || plan.status === "unreachable")
      refuse("change.not_plannable", `The plan ${planId} is ${plan.status}.`, { findings: plan.findings });
    plans.push(plan);
  }
  return plans;
}

/** B3. */
async function assertTakesApplies(tx: Transaction, { plan, server }: BoundPlan, options: BindOptions): Promise<void> {
  // Nothing is sent to a server that adopts what it has.
  if (plan.status === "nothing_to_do") return;
  // The way back is open whatever the server is locked or paused for.
  const refusal =
    plan.kind === "rollback" && server.enrolment === "enrolled" ? null : whyServerRefuses(server, options.nowMs);
  if (refusal !== null) throw refusal;
  const open = (
    await listApplies(tx, { serverId: server.id, states: ["READY", "APPLYING", "ROLLBACKING"], limit: 1 })
  )[0];
  if (open !== undefined) {
    options.onRefusedConcurrent();
    throw new Refused("apply.server_busy", `${server.name} has another apply that is ${open.state} (${open.id}).`, {
      serverId: server.id,
    });
  }
  if (plan.kind === "rollback") return;
  const quarantined = (await listQuarantines(tx, server.id)).find((one) => hasRef(plan.revisions, one));
  if (quarantined !== undefined) {
    refuse(
      "apply.quarantined",
      `Revision ${quarantined.revision} of ${quarantined.kind}/${quarantined.name} was undone on ${server.name} (${quarantined.code}).`,
    );
  }
}

export function whyServerRefuses(server: ServerRow, nowMs: number): Refused | null {
  if (server.enrolment !== "enrolled")
    return new Refused("apply.server_not_enrolled", `${server.name} is ${server.enrolment}.`);
  if (server.locked_code !== null)
    return new Refused(
      "apply.server_locked",
      `${server.name} is locked: ${server.locked_reason ?? server.locked_code}.`,
    );
  if (server.paused_until !== null && server.paused_until.getTime() > nowMs) {
    return new Refused(
      "apply.server_paused",
      `${server.name} is paused until ${server.paused_until.toISOString()}: ${server.paused_reason ?? ""}.`,
    );
  }
  return null;
}

/** B2. Says what has moved, not only that something has. */
function assertBaseStands({ plan, server, composition }: BoundPlan, options: BindOptions): void {
  if (plan.status === "planned" && plan.base_generation !== server.generation) {
    throw moved(
      server.name,
      `it has confirmed generation ${server.generation}; the plan was made on ${plan.base_generation ?? "none"}`,
    );
  }
  const now = [...(options.world.assigned.get(server.id) ?? [])].map(([document_id, revision]) => ({
    document_id,
    revision,
  }));
  const differences = [
    ...now.filter((ref) => !hasRef(plan.before_revisions, ref)),
    ...plan.before_revisions.filter((ref) => !now.some((other) => other.document_id === ref.document_id)),
  ];
  if (differences.length > 0) {
    const names = differences.map((ref) => {
      const head = options.world.heads.get(ref.document_id);
      const revision = now.find((other) => other.document_id === ref.document_id)?.revision;
      return `${head?.kind ?? "a document"}/${head?.name ?? ref.document_id} is ${revision === undefined ? "no longer in force" : `in force in revision ${revision}`}`;
    });
    throw moved(server.name, names.join(", "));
  }
  if (server.enrolment === "enrolled" && composition.config?.digest !== plan.config_digest)
    throw moved(server.name, "what other documents or servers say has changed what it would have");
  if (server.enrolment === "enrolled" && !sameRefs(composition.selected.refs, plan.revisions))
    throw moved(server.name, "other revisions would be in force on it than the plan shows");
}

/** B4. */
function assertAcknowledged(bound: readonly BoundPlan[], request: ApplyRequest): void {
  const missing = bound.flatMap(({ plan, server }) =>
    plan.findings.filter((finding) => {
      if (finding.severity !== "danger") return false;
      if (finding.code === OVERWRITES_DRIFT && request.overwriteDrift) return false;
      return !request.acknowledge.some(
        (one) => one.server === server.name && one.code === finding.code && one.path === finding.path,
      );
    }),
  );
  if (missing.length > 0)
    refuse(
      "change.danger_not_acknowledged",
      `${missing.length} finding${missing.length === 1 ? "" : "s"} of severity danger ha${missing.length === 1 ? "s" : "ve"} not been acknowledged.`,
      { findings: missing },
    );
}

function moved(server: string, what: string): Refused {
  return new Refused("apply.base_moved", `On ${server} something has moved since the plan was made: ${what}.`);
}

function hasRef(refs: readonly RevisionRef[], ref: RevisionRef): boolean {
  return refs.some((other) => other.document_id === ref.document_id && other.revision === ref.revision);
}

function sameRefs(a: readonly RevisionRef[], b: readonly RevisionRef[]): boolean {
  const text = (refs: readonly RevisionRef[]): string =>
    canonicalJson(refs.map(({ document_id, revision }) => `${document_id}/${revision}`).sort());
  return text(a) === text(b);
}
