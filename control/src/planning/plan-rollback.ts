import type { Finding } from "@holdfast/core/base/finding.ts";
/**
 * A rollback is planned like any change: today's composition without it.
 *   R1. Each document of the change goes back to the revision that the server had before the change came, and out when it had none.
 *   R2. Everything else stays as it is today, later changes included; but a document that the server left by this change (its labels, or that it
 *       leaves) comes back in the revision of then, if nothing has brought it another since.
 *   R3. A later change that was built on one of its documents stands in the way: it is named and the plan is refused, because taking out the
 *       middle of a text is for a person to do.
 */
import type { ApplyId, ChangeId, DocumentId, ServerId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { getChange, listChangeItems } from "../store/changes.ts";
import type { Queryable } from "../store/database.ts";
import { getDocument } from "../store/documents.ts";
import { getPlan, type NewPlan, type PlanHead } from "../store/plans.ts";
import { getServer } from "../store/servers.ts";
import type { ApplyRow, ChangeRow, RevisionRef } from "../store/tables.ts";
import { transaction } from "../store/transaction.ts";
import { atMost } from "./at-most.ts";
import { type Composition, composer } from "./compose-for.ts";
import { askAndPlan, assignedRefs, keepPlans, serverFindings } from "./plan-change.ts";
import { planningFinding } from "./planning-findings.ts";
import { assertReach } from "./scope.ts";
import type { Edit } from "./selection.ts";
import { appliesToRollBack, changeOfRevision } from "./store/in-force-by.ts";
import { loadWorld, type World, type WorldServer } from "./world.ts";

const ASKED_AT_ONCE = 16;

/** How one server looks without a change, and what stands in the way of it. */
export interface WithoutChange {
  readonly apply: ApplyRow;
  readonly composition: Composition;
  readonly conflicts: readonly Finding[];
}

/** @param permission what the caller must hold on the servers: `edit` to plan, `apply` to plan and roll back with one press */
export async function planRollback(
  house: House,
  caller: Caller,
  permission: "edit" | "apply",
  id: ChangeId,
  only: ServerId | null,
): Promise<readonly NewPlan[]> {
  const read = await transaction(house.database, async (tx) => {
    const change = (await getChange(tx, id)) ?? notFound("change with this id");
    const world = await loadWorld(tx, house.documents);
    return { change, world, without: await withoutChange(tx, house, world, change) };
  });
  if (!read.ok) throw read.error;
  const { change, world } = read.value;
  const without = read.value.without.filter(({ apply }) => only === null || apply.server_id === only);
  if (without.length === 0)
    refuse("change.not_now", "The change is in force on no server, so there is nothing to roll back.");
  assertReach(
    caller,
    permission,
    world,
    without.map(({ composition }) => ({
      server: composition.server,
      labelsAfter: composition.selected.labels,
      domains: Object.keys(composition.composed.config?.domains ?? {}),
    })),
  );
  const plans = await atMost(ASKED_AT_ONCE, without, (one) => planOne(house, caller, change, world, one));
  await keepPlans(house, change, plans);
  return plans;
}

async function planOne(
  house: House,
  caller: Caller,
  change: ChangeRow,
  world: World,
  { composition, conflicts }: WithoutChange,
): Promise<NewPlan> {
  const row = await getServer(house.database, composition.server.id);
  const findings = [...conflicts, ...(row === undefined ? [] : serverFindings(row, house.nowMs()))];
  return askAndPlan(house, composition, {
    changeId: change.id,
    kind: "rollback",
    createdBy: caller.userId,
    beforeRefs: assignedRefs(world, composition),
    findings,
  });
}

/** Every server on which the change can be rolled back, composed without it. Read again when a rollback's plans are bound. */
export async function withoutChange(
  tx: Queryable,
  house: House,
  world: World,
  change: ChangeRow,
): Promise<readonly WithoutChange[]> {
  const items = await listChangeItems(tx, change.id);
  const result: WithoutChange[] = [];
  for (const apply of await appliesToRollBack(tx, change.id)) {
    const server = world.servers.find((one) => one.id === apply.server_id);
    const plan = await getPlan(tx, apply.plan_id);
    if (server === undefined || plan === undefined) continue;
    const edits: Edit[] = [];
    const conflicts: Finding[] = [];
    for (const item of items) {
      const document = await getDocument(tx, item.kind, item.name);
      if (document === undefined || item.revision === null) continue;
      const named = `${item.kind}/${item.name}`;
      const here = world.assigned.get(server.id)?.get(document.id);
      const brought = item.text === null ? undefined : item.revision;
      if (apply.state === "APPLIED" && here !== brought) {
        conflicts.push(await conflict(tx, document.id, named, here, server));
        continue;
      }
      edits.push(await editBack(house, tx, plan, document.id, item, here));
    }
    edits.push(...(await leftBy(house, tx, plan, world, server, edits)));
    const composition = composer(house, world, edits)(server);
    result.push({ apply, conflicts, composition });
  }
  return result;
}

/** R2. What the server had before the change and not by its plan, and that none of the change's own documents is. */
async function leftBy(
  house: House,
  tx: Queryable,
  plan: PlanHead,
  world: World,
  server: WorldServer,
  edits: readonly Edit[],
): Promise<readonly Edit[]> {
  const known = new Set([
    ...plan.revisions.map((ref) => ref.document_id),
    ...edits.map((edit) => edit.documentId),
    ...(world.assigned.get(server.id)?.keys() ?? []),
  ]);
  const left: Edit[] = [];
  for (const ref of plan.before_revisions) {
    const head = world.heads.get(ref.document_id);
    if (known.has(ref.document_id) || head === undefined || head.deleted) continue;
    left.push(await readEdit(house, tx, ref, head.kind, head.name));
  }
  return left;
}

/** R1. The revision of the document that this server had when the change's plan was made. */
async function editBack(
  house: House,
  tx: Queryable,
  plan: PlanHead,
  documentId: DocumentId,
  item: Pick<Edit, "kind" | "name">,
  here: number | undefined,
): Promise<Edit> {
  const before = plan.before_revisions.find((ref) => ref.document_id === documentId);
  const { kind, name } = item;
  // A server without its own document could not be composed at all: labels and bindings stay what they are.
  if (before === undefined && kind === "Server" && here !== undefined)
    return readEdit(house, tx, { document_id: documentId, revision: here }, kind, name);
  if (before === undefined) return { documentId, kind, name, revision: 0, document: null };
  return readEdit(house, tx, before, kind, name);
}

async function readEdit(
  house: House,
  tx: Queryable,
  ref: RevisionRef,
  kind: Edit["kind"],
  name: string,
): Promise<Edit> {
  const document = (await house.documents.read(tx, [ref])).get(`${ref.document_id}/${ref.revision}`) ?? null;
  return { documentId: ref.document_id, kind, name, revision: ref.revision, document };
}

/** R3. */
async function conflict(
  tx: Queryable,
  documentId: DocumentId,
  named: string,
  here: number | undefined,
  server: WorldServer,
): Promise<Finding> {
  if (here === undefined)
    return planningFinding("rollback.not_in_force", `${named} is not in force on ${server.name} any more.`, named);
  const later = await changeOfRevision(tx, documentId, here);
  const by = later === undefined ? "a later change" : `"${later.title}" by ${later.author} (${later.change_id})`;
  return planningFinding(
    "rollback.built_upon",
    `${named} is in force on ${server.name} in revision ${here}, which ${by} has built upon this change.`,
    named,
  );
}

/** For each server the apply that its rollback plan takes back. */
export function appliesOf(without: readonly WithoutChange[]): ReadonlyMap<ServerId, ApplyId> {
  return new Map(without.map(({ apply }) => [apply.server_id, apply.id]));
}
