import type { Result } from "@holdfast/core/base/result.ts";
import type { Edit } from "@holdfast/core/policy/edit-data.ts";
import { call } from "../api/client.ts";
import { continueEdit } from "./continue-edit.ts";
import { currentPending, updatePending, withEdit } from "./pending.ts";

/** What is said where an edit cannot be made. */
export interface WritingWords<Why> {
  readonly deleted: (document: string) => string;
  readonly refused: (why: Why) => string;
}

/**
 * Puts one edit of a document into the pending change, on top of what is written there already. Nothing is applied here.
 *
 * @throws Error in the words for people
 */
export async function writePending<Why>(
  document: string,
  edit: (text: string) => Result<Edit, Why>,
  words: WritingWords<Why>,
): Promise<void> {
  const [kind = "", name = ""] = document.split("/", 2);
  const head = await call("getDocument", { params: { kind, name } });
  const pending = currentPending();
  const written = pending.edits.find((one) => one.kind === kind && one.name === name);
  const text = written === undefined ? head.text : written.text;
  if (text === null) throw new Error(words.deleted(document));
  const wanted = edit(text);
  if (!wanted.ok) throw new Error(words.refused(wanted.error));
  const edited = continueEdit(head, pending, wanted.value);
  if (!edited.ok) throw new Error(edited.error.why === "deleted" ? words.deleted(document) : edited.error.sentence);
  updatePending((now) => withEdit(now, edited.value));
}
