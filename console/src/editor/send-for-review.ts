import type { ChangeDetail } from "@holdfast/core/api/change.ts";
import { call, Refused } from "../api/client.ts";
import { type Pending, updatePending } from "./pending.ts";

/** Makes the draft or brings it up to date, then plans it. Safe to press again at whatever place it failed. */
export async function sendForReview(pending: Pending): Promise<ChangeDetail> {
  const change = await draftOf(pending);
  updatePending((now) => ({ ...now, changeId: change.id }));
  return call("planChange", { params: { id: change.id }, body: { trial: {} } });
}

async function draftOf(pending: Pending): Promise<ChangeDetail> {
  const documents = pending.edits.flatMap(({ text, baseRevision }) => (text === null ? [] : [{ text, baseRevision }]));
  const deletes = pending.edits.flatMap(({ kind, name, text, baseRevision }) =>
    text === null ? [{ kind, name, baseRevision }] : [],
  );
  const known = pending.changeId === null ? null : await existing(pending.changeId);
  // A title cannot be edited, and what was applied or withdrawn is no draft any more: then a new one is made.
  if (
    known !== null &&
    known.actions.edit === null &&
    known.title === pending.title &&
    known.reason === pending.reason
  ) {
    return call("editChange", { params: { id: known.id }, body: { documents, deletes }, ifMatch: known.etag });
  }
  return call("createChange", { body: { title: pending.title, reason: pending.reason, documents, deletes } });
}

async function existing(id: string): Promise<ChangeDetail | null> {
  try {
    return await call("getChange", { params: { id } });
  } catch (error) {
    if (error instanceof Refused && error.problem.status === 404) return null;
    throw error;
  }
}
