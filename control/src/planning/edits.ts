import { refuse } from "../api/refused.ts";
import { listChangeItems, nextRevision } from "../store/changes.ts";
import { StoreFailure } from "../store/store-failure.ts";
import type { ChangeRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import { type DocumentCache, hasError } from "./document-cache.ts";
import type { Edit } from "./selection.ts";
import { documentIdOf } from "./store/document-id.ts";
import { headMoved } from "./store/head-moved.ts";

/**
 * What a change holds, as edits of the world. A draft's revisions are the next ones: should another change take the number first, the base
 * has moved and the draft is refused by name, here and again when it becomes READY.
 */
export async function editsOf(tx: Transaction, cache: DocumentCache, change: ChangeRow): Promise<readonly Edit[]> {
  const edits: Edit[] = [];
  for (const item of await listChangeItems(tx, change.id)) {
    const documentId = await documentIdOf(tx, item.kind, item.name);
    if (item.revision === null) {
      const moved = await headMoved(tx, documentId, item.base_revision);
      if (moved !== null)
        throw new StoreFailure(
          "store.base_moved",
          `${item.kind}/${item.name} ${moved}; this change was begun on revision ${item.base_revision}`,
        );
    }
    const parsed = item.text === null ? null : cache.parse(item.text);
    if (parsed !== null && hasError(parsed.findings)) {
      refuse("change.invalid", `${item.kind}/${item.name} can no longer be read by this version.`, {
        findings: parsed.findings,
      });
    }
    edits.push({
      documentId,
      kind: item.kind,
      name: item.name,
      revision:
        item.revision ?? (await nextRevision(tx, { id: documentId, head_revision: item.base_revision }, item.text)),
      document: parsed?.documents[0] ?? null,
    });
  }
  if (edits.length === 0) refuse("change.empty", "The change holds no document.");
  return edits;
}
