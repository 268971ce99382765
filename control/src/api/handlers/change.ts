import { type ChangeId, isUuid } from "@holdfast/core/base/id.ts";
import type { House } from "../../house.ts";
import { applyChange } from "../../planning/apply-change.ts";
import { approveChange } from "../../planning/approve-change.ts";
import { readEdit } from "../../planning/change-items.ts";
import { makeKeys } from "../../planning/make-keys.ts";
import { hiddenServers, seenHouse } from "../../planning/places.ts";
import { planChange } from "../../planning/plan-change.ts";
import { planRollback } from "../../planning/plan-rollback.ts";
import { rollbackChange } from "../../planning/rollback-change.ts";
import { withdrawOwnApproval } from "../../planning/withdraw-approval.ts";
import { withdrawChange } from "../../planning/withdraw-change.ts";
import { loadWorld } from "../../planning/world.ts";
import { type ChangeItem, getChange, insertChange, listChangeStatus, replaceItems } from "../../store/changes.ts";
import { newId } from "../../store/new-id.ts";
import { transaction } from "../../store/transaction.ts";
import type { Caller } from "../caller.ts";
import { keyOf, pageOf } from "../cursor.ts";
import { DONE, type Handlers } from "../handler.ts";
import { changeId } from "../ids.ts";
import { notFound, refuse } from "../refused.ts";
import { changeDetail, changesOfOthers, changeSummaries } from "../view/change-view.ts";
import { rolloutDetail } from "../view/rollout-view.ts";

type ChangeRoutes =
  | "listChanges"
  | "createChange"
  | "getChange"
  | "editChange"
  | "planChange"
  | "applyChange"
  | "withdrawChange"
  | "approveChange"
  | "withdrawApproval"
  | "planRollback"
  | "rollbackChange";

export function changeHandlers(house: House): Pick<Handlers, ChangeRoutes> {
  const { database, documents } = house;
  const show = async (caller: Caller, id: ChangeId) => {
    const value = await changeDetail(house, caller, id);
    return { value, etag: value.etag };
  };
  const documentsOf = (items: readonly ChangeItem[]) =>
    items.flatMap(({ text }) => (text === null ? [] : documents.parse(text).documents));
  return {
    async getChange({ caller, params }) {
      const id = changeId(params.id);
      const change = (await getChange(database, id)) ?? notFound("change with this id");
      if ((await changesOfOthers(house, caller, [change])).has(id)) notFound("change with this id");
      return show(caller, id);
    },

    async listChanges({ caller, query }) {
      const before = keyOf(query.cursor, isUuid) as ChangeId | null;
      const rows = await listChangeStatus(database, before, query.limit + 1);
      const page = rows.slice(0, query.limit);
      const ofOthers = await changesOfOthers(house, caller, page);
      const summaries = await changeSummaries(
        await seenHouse(house, caller),
        page.filter((row) => !ofOthers.has(row.id)),
        await hiddenServers(house, caller),
      );
      const { nextCursor } = pageOf(
        rows,
        query.limit,
        (row) => row.id,
        (row) => row,
      );
      return { value: { items: [...summaries], nextCursor } };
    },

    async createChange({ caller, body }) {
      if (body.documents.length + body.deletes.length === 0)
        refuse("change.empty", "There is neither a document nor a deletion in it.");
      const id: ChangeId = newId();
      const made = await transaction(database, async (tx) => {
        const world = await loadWorld(tx, documents);
        const { items } = await readEdit(tx, documents, world, body);
        await makeKeys(house, tx, caller, world, documentsOf(items));
        await insertChange(
          tx,
          { id, title: body.title, reason: body.reason, authorId: caller.userId },
          items,
          caller.actor,
        );
      });
      if (!made.ok) throw made.error;
      return show(caller, id);
    },

    async editChange({ caller, params, body, ifMatch }) {
      const id = changeId(params.id);
      const done = await transaction(database, async (tx) => {
        const change = (await getChange(tx, id)) ?? notFound("change with this id");
        if (change.author_id !== caller.userId) refuse("change.not_author", "Only its author edits a draft.");
        if (change.state !== "DRAFT")
          refuse("change.not_now", `The change is ${change.state}; its revisions do not change any more.`);
        if (String(change.version) !== ifMatch) refuse("etag.moved", "The change has been edited since you read it.");
        if (body.documents.length + body.deletes.length === 0)
          refuse("change.empty", "There is neither a document nor a deletion in it.");
        const world = await loadWorld(tx, documents);
        const { items } = await readEdit(tx, documents, world, body);
        await makeKeys(house, tx, caller, world, documentsOf(items));
        await replaceItems(tx, id, change.version, items, caller.actor);
      });
      if (!done.ok) throw done.error;
      return show(caller, id);
    },

    async planChange({ caller, params, body }) {
      const id = changeId(params.id);
      await planChange(house, caller, id, body.trial);
      return show(caller, id);
    },

    async applyChange({ caller, params, body }) {
      const rollout = await applyChange(house, caller, changeId(params.id), body);
      return { value: await rolloutDetail(house, caller, rollout) };
    },

    async withdrawChange({ caller, params, body }) {
      const id = changeId(params.id);
      const change = (await getChange(database, id)) ?? notFound("change with this id");
      if (change.author_id !== caller.userId && change.state === "DRAFT")
        refuse("change.not_author", "Only its author withdraws a draft.");
      await withdrawChange(house, caller, id, body.reason);
      return DONE;
    },

    async approveChange({ caller, params, body }) {
      const id = changeId(params.id);
      await approveChange(house, caller, id, body.digest);
      return show(caller, id);
    },

    async withdrawApproval({ caller, params }) {
      await withdrawOwnApproval(house, caller, changeId(params.id));
      return DONE;
    },

    async planRollback({ caller, params }) {
      const id = changeId(params.id);
      await planRollback(house, caller, "edit", id, null);
      return show(caller, id);
    },

    async rollbackChange({ caller, params, body }) {
      const rollout = await rollbackChange(house, caller, changeId(params.id), body);
      return { value: await rolloutDetail(house, caller, rollout) };
    },
  };
}
