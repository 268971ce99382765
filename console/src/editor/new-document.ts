import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { type Pending, type PendingEdit, sameDocument } from "./pending.ts";

/** exists: there is such a document; pending: the pending change writes one already. */
export type Taken = "exists" | "pending";

export interface KnownDocument {
  readonly kind: string;
  readonly name: string;
  readonly revision: number;
  readonly deleted: boolean;
}

/** A new document, unless its name is taken: what somebody has begun to write of one is never replaced. */
export function beginNew(
  known: readonly KnownDocument[],
  pending: Pending,
  document: { readonly kind: string; readonly name: string; readonly text: string },
): Result<PendingEdit, Taken> {
  const head = known.find((one) => sameDocument(one, document));
  if (head?.deleted === false) return err("exists");
  if (pending.edits.some((edit) => sameDocument(edit, document))) return err("pending");
  // One that was deleted goes on counting its revisions.
  return ok({ ...document, baseRevision: head?.revision ?? 0, baseText: null });
}
