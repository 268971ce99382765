import type { ChangeDetail, ChangeSummary, Plan } from "@holdfast/core/api/change.ts";
import { type ChangeActions, changeActions } from "@holdfast/core/apply/actions.ts";
import type { ChangeId, DocumentId, ServerId } from "@holdfast/core/base/id.ts";
import type { ParsedDocument } from "@holdfast/core/policy/document.ts";
import type { House, SeenHouse } from "../../house.ts";
import { demandOf } from "../../planning/approvals.ts";
import { hasError } from "../../planning/document-cache.ts";
import { floorsOf } from "../../planning/floors-of.ts";
import { hiddenServers, seenHouse, visibleServers } from "../../planning/places.ts";
import { openRollout } from "../../planning/store/change-lock.ts";
import { appliesToRollBack, isAdopted } from "../../planning/store/in-force-by.ts";
import { getChange, getChangeStatus, listApprovals, listChangeItems } from "../../store/changes.ts";
import { listNewestPlans, type PlanHead } from "../../store/plans.ts";
import { listRollouts } from "../../store/rollouts.ts";
import type { ChangeStatusRow, DocumentKind } from "../../store/tables.ts";
import type { Caller } from "../caller.ts";
import { notFound } from "../refused.ts";
import { listApplyDetails } from "../store/apply-list.ts";
import { countApplies, headTexts, itemsOfChanges, serverNames, userNames } from "../store/named.ts";
import { applySummary } from "./apply-view.ts";
import { findingView, planView } from "./plan-view.ts";

/** More applies than this are read page by page from the list of applies. */
const APPLIES_SHOWN = 500;
const ROLLOUTS_SHOWN = 50;

/**
 * Changes of which the caller sees nothing: their documents are those of hidden servers alone, whose names stand in their titles too ("Expect
 * NAME"). An author always sees their own.
 */
export async function changesOfOthers(
  house: House,
  caller: Caller,
  rows: readonly Pick<ChangeStatusRow, "id" | "author_id">[],
): Promise<ReadonlySet<ChangeId>> {
  const hidden = await hiddenServers(house, caller);
  if (hidden.size === 0) return new Set();
  const items = await itemsOfChanges(
    house.database,
    rows.map((row) => row.id),
  );
  const ofOthers = rows.filter((row) => {
    const own = items.filter((item) => item.change_id === row.id);
    return (
      row.author_id !== caller.userId && own.length > 0 && own.every((item) => isOfHidden(hidden, item.kind, item.name))
    );
  });
  return new Set(ofOthers.map((row) => row.id));
}

function isOfHidden(hidden: ReadonlySet<string>, kind: DocumentKind, name: string): boolean {
  return kind === "Server" && hidden.has(name);
}

export async function changeSummaries(
  house: SeenHouse,
  rows: readonly ChangeStatusRow[],
  hidden: ReadonlySet<string>,
): Promise<readonly ChangeSummary[]> {
  const ids = rows.map((row) => row.id);
  const [names, items, counts] = await Promise.all([
    userNames(house.database),
    itemsOfChanges(house.database, ids),
    countApplies(house.database, ids),
  ]);
  const reasons = new Map(
    await Promise.all(ids.map(async (id) => [id, (await getChange(house.database, id))?.reason ?? ""] as const)),
  );
  return rows.map((row) => ({
    id: row.id,
    title: row.title,
    reason: reasons.get(row.id) ?? "",
    state: row.state,
    author: names.get(row.author_id) ?? row.author_id,
    createdAt: row.created_at.toISOString(),
    items: items
      .filter((item) => item.change_id === row.id && !isOfHidden(hidden, item.kind, item.name))
      .map(({ kind, name, action }) => ({ kind, name, action })),
    counts: Object.fromEntries(
      counts.filter((one) => one.change_id === row.id).map(({ state, count }) => [state, count]),
    ),
  }));
}

export async function changeDetail(house: House, caller: Caller, id: ChangeId): Promise<ChangeDetail> {
  const { database } = house;
  const [change, status] = await Promise.all([getChange(database, id), getChangeStatus(database, id)]);
  if (change === undefined || status === undefined) notFound("change with this id");
  const seen = await seenHouse(house, caller);
  const hidden = await hiddenServers(house, caller);
  const [summary] = await changeSummaries(seen, [status], hidden);
  if (summary === undefined) notFound("change with this id");
  const visible = await visibleServers(house, caller);
  const [items, heads, approvals, forward, back, applies, rollouts, open, names, inForce, adopted] = await Promise.all([
    listChangeItems(database, id),
    headTexts(database, id),
    listApprovals(database, id),
    listNewestPlans(database, id, "forward"),
    listNewestPlans(database, id, "rollback"),
    listApplyDetails(seen.database, { changeId: id, visible, before: null, limit: APPLIES_SHOWN }),
    listRollouts(database, id, null, ROLLOUTS_SHOWN),
    openRollout(database, id),
    userNames(database),
    appliesToRollBack(database, id),
    isAdopted(database, id),
  ]);
  const shownItems = items.filter((item) => !isOfHidden(hidden, item.kind, item.name));
  const parsed = items.map((item) => ({ item, read: item.text === null ? null : house.documents.parse(item.text) }));
  const findings = parsed.flatMap(({ read }) => read?.findings ?? []);
  const shownFindings = parsed.flatMap(({ item, read }) => (shownItems.includes(item) ? (read?.findings ?? []) : []));
  const drafted = new Map<DocumentId, ParsedDocument>();
  for (const { item, read } of parsed) {
    const head = heads.find((one) => one.kind === item.kind && one.name === item.name);
    const document = read?.documents[0];
    if (head !== undefined && document !== undefined) drafted.set(head.document_id, document);
  }
  const demand = await demandOf(
    database,
    await Promise.all(
      forward.map(async (plan) => ({ id: plan.server_id, floors: await floorsOf(house, plan, drafted), plan })),
    ),
    house.nowMs(),
  );
  return {
    ...summary,
    content: shownItems.map((item) => ({
      kind: item.kind,
      name: item.name,
      text: item.text,
      baseRevision: item.base_revision,
      baseText: heads.find((head) => head.kind === item.kind && head.name === item.name)?.text ?? null,
      revision: item.revision,
    })),
    findings: shownFindings.map(findingView),
    plans: await plansShown(seen, [...forward, ...back], visible),
    applies: applies.map(applySummary),
    rolloutIds: rollouts.map((row) => row.id),
    digest: change.digest ?? "",
    approvals: {
      needed: demand.needed,
      because: [...demand.because],
      given: approvals.map((row) => ({
        user: names.get(row.user_id) ?? row.user_id,
        at: row.approved_at.toISOString(),
      })),
    },
    actions: actions(),
    etag: String(change.version),
  };

  function actions(): ChangeActions {
    return changeActions({
      state: status?.state ?? "DRAFT",
      ownState: change?.state ?? "DRAFT",
      hasItems: items.length > 0,
      hasErrors: hasError(findings),
      approvalsNeeded: demand.needed,
      mayBreakGlass: demand.mayBreakGlass,
      approvalsGiven: approvals.length,
      callerIsAuthor: change?.author_id === caller.userId,
      callerHasApproved: approvals.some((row) => row.user_id === caller.userId),
      planned: forward.length > 0,
      plannable: forward.filter((plan) => plan.plan_digest !== null).length,
      openRollout: open !== undefined,
      everApplied:
        applies.some((row) => row.state !== "CANCELLED" && row.state !== "READY") ||
        rollouts.some((row) => row.state === "DONE"),
      inForce: inForce.length > 0,
      isAdopted: adopted,
    });
  }
}

async function plansShown(
  house: SeenHouse,
  rows: readonly PlanHead[],
  visible: readonly ServerId[] | null,
): Promise<Plan[]> {
  const shown = rows.filter((row) => visible === null || visible.includes(row.server_id));
  const names = await serverNames(
    house.database,
    shown.map((row) => row.server_id),
  );
  return shown
    .map((row) => planView(row, names.get(row.server_id) ?? row.server_id))
    .toSorted((a, b) => (a.server < b.server ? -1 : a.server > b.server ? 1 : 0));
}
