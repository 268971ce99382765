import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Edit } from "@holdfast/core/policy/edit-data.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import { type Pending, type PendingEdit, sameDocument } from "./pending.ts";

/** deleted: the pending change deletes the document; that is not turned into an edit behind its author's back. */
export type Unedited = { readonly why: "deleted" } | { readonly why: "text"; readonly sentence: string };

/** An edit of what is written of the document already, else of its head. */
export function continueEdit(
  head: { readonly kind: string; readonly name: string; readonly revision: number; readonly text: string | null },
  pending: Pending,
  edit: Edit,
): Result<PendingEdit, Unedited> {
  const { kind, name, revision, text } = head;
  const start: PendingEdit = pending.edits.find((one) => sameDocument(one, head)) ?? {
    kind,
    name,
    text,
    baseRevision: revision,
    baseText: text,
  };
  if (start.text === null) return err({ why: "deleted" });
  const edited = editDocument(start.text, edit);
  return edited.ok ? ok({ ...start, text: edited.value }) : err({ why: "text", sentence: edited.error });
}
