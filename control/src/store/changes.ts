/**
 * A change from its first edit to READY. Until it is READY nothing of it exists for anybody else; then all its revisions are made at once.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { ChangeId, Digest, DocumentId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import type { Queryable } from "./database.ts";
import { newId } from "./new-id.ts";
import { sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type {
  ApprovalRow,
  ChangeItemRow,
  ChangeRow,
  ChangeStatusRow,
  DocumentKind,
  DocumentRow,
  RevisionRow,
} from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export interface ChangeItem {
  readonly kind: DocumentKind;
  readonly name: string;
  /** null: the change deletes the document. */
  readonly text: string | null;
  /** The head that the author saw, 0 for a new document; absent: the head of now. */
  readonly baseRevision?: number;
}

export async function insertChange(
  tx: Transaction,
  change: { readonly id: ChangeId; readonly title: string; readonly reason: string; readonly authorId: UserId },
  items: readonly ChangeItem[],
  by: Actor,
): Promise<ChangeRow> {
  const row = await tx.one<ChangeRow>(sql`
    insert into changes (id, title, reason, author_id) values (${change.id}, ${change.title}, ${change.reason}, ${change.authorId}) returning *`);
  await said(tx, row, "change.created", { title: row.title }, by);
  return writeItems(tx, row, items);
}

/** Replaces what a draft holds. Approvals of the content before are void by its digest. `store.lost_race`: it has been edited since `version`. */
export async function replaceItems(
  tx: Transaction,
  id: ChangeId,
  version: number,
  items: readonly ChangeItem[],
  by: Actor,
): Promise<ChangeRow> {
  const row = await lockDraft(tx, id, version);
  const after = await writeItems(tx, row, items);
  await said(tx, after, "change.edited", { digest: after.digest }, by);
  return after;
}

export function getChange(database: Queryable, id: ChangeId): Promise<ChangeRow | undefined> {
  return database.maybe<ChangeRow>(sql`select * from changes where id = ${id}`);
}

export function listChangeItems(database: Queryable, id: ChangeId): Promise<readonly ChangeItemRow[]> {
  return database.rows<ChangeItemRow>(sql`select * from change_items where change_id = ${id} order by kind, name`);
}

export function getChangeStatus(database: Queryable, id: ChangeId): Promise<ChangeStatusRow | undefined> {
  return database.maybe<ChangeStatusRow>(sql`select * from change_status where id = ${id}`);
}

/** Newest first; `before` is the cursor. */
export function listChangeStatus(
  database: Queryable,
  before: ChangeId | null,
  limit: number,
): Promise<readonly ChangeStatusRow[]> {
  return database.rows<ChangeStatusRow>(sql`
    select * from change_status where ${before}::uuid is null or id < ${before} order by id desc limit ${limit}`);
}

// ── approvals ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `store.approval_refused` for the author, and for a content that is no longer the one that was looked at. */
export async function approve(tx: Transaction, id: ChangeId, user: UserId, digest: Digest, by: Actor): Promise<void> {
  const row = await tx.one<ChangeRow>(sql`select * from changes where id = ${id} for update`);
  if (row.state === "CANCELLED")
    throw new StoreFailure("store.wrong_state", `the change is ${row.state}`, { change_id: id });
  await tx.run(sql`
    insert into approvals (change_id, user_id, digest) values (${id}, ${user}, ${digest})
    on conflict (change_id, user_id) do update set digest = excluded.digest, approved_at = now()`);
  await said(tx, row, "change.approved", { digest }, by);
}

/** False: this user has not approved the content of now. That it had been given stays in the log. */
export async function withdrawApproval(tx: Transaction, change: ChangeRow, user: UserId, by: Actor): Promise<boolean> {
  const taken = await tx.maybe<Pick<ApprovalRow, "digest">>(sql`
    delete from approvals where change_id = ${change.id} and user_id = ${user} and digest = ${change.digest} returning digest`);
  if (taken === undefined) return false;
  await said(tx, change, "change.approval_withdrawn", null, by, { digest: taken.digest });
  return true;
}

/** Those that are for the content of now, by people who are still let in: whoever is shut out has no more say in what begins. */
export function listApprovals(database: Queryable, id: ChangeId): Promise<readonly ApprovalRow[]> {
  return database.rows<ApprovalRow>(sql`
    select p.* from approvals p
    join changes c on c.id = p.change_id
    join users u on u.id = p.user_id
    where p.change_id = ${id} and p.digest = c.digest and u.disabled_at is null
    order by p.approved_at`);
}

// ── READY and away ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Makes the revisions. `store.base_moved` names the document, who moved it and by which change. `digestOf` is the document's own digest. */
export async function makeReady(
  tx: Transaction,
  id: ChangeId,
  version: number,
  digestOf: (text: string | null) => Digest,
  by: Actor,
): Promise<ChangeRow> {
  const change = await lockDraft(tx, id, version);
  // In one order for everybody, so that two changes over the same documents never wait for each other in a circle.
  for (const item of await listChangeItems(tx, id)) {
    const document = await lockDocument(tx, item.kind, item.name);
    if (document.head_revision !== item.base_revision) throw await baseMoved(tx, document, item);
    const revision = await nextRevision(tx, document, item.text);
    await tx.run(sql`
      update change_items set revision = ${revision} where change_id = ${id} and kind = ${item.kind} and name = ${item.name}`);
    if (revision === document.head_revision) continue;
    await tx.run(sql`
      insert into revisions (document_id, revision, text, digest, author_id, change_id, comment)
      values (${document.id}, ${revision}, ${item.text}, ${digestOf(item.text)}, ${change.author_id}, ${id}, ${change.title})`);
    await tx.run(sql`
      update documents set head_revision = ${revision}, deleted = ${item.text === null}, version = version + 1 where id = ${document.id}`);
  }
  const ready = await tx.one<ChangeRow>(sql`
    update changes set state = 'READY', ready_at = now(), version = version + 1 where id = ${id} returning *`);
  await said(tx, ready, "change.ready", { digest: ready.digest }, by);
  return ready;
}

/** Withdraws a change that nothing was done with: no apply of it has begun. Applies that still wait are the caller's to cancel first. */
export async function withdraw(tx: Transaction, id: ChangeId, by: Actor): Promise<ChangeRow> {
  const row = await tx.maybe<ChangeRow>(sql`
    update changes c set state = 'CANCELLED', version = version + 1
    where c.id = ${id} and c.state in ('DRAFT', 'READY')
      and not exists (select from applies a where a.change_id = c.id and a.state <> 'CANCELLED')
    returning *`);
  if (row === undefined)
    throw new StoreFailure("store.wrong_state", "the change is withdrawn already, or a server has begun with it", {
      change_id: id,
    });
  await said(tx, row, "change.cancelled", null, by);
  return row;
}

/** The number that a text gets: the head's own when it is the head's text, for a revision is a text and not an act. */
export async function nextRevision(
  database: Queryable,
  document: Pick<DocumentRow, "id" | "head_revision">,
  text: string | null,
): Promise<number> {
  const head = await database.maybe<Pick<RevisionRow, "text">>(
    sql`select text from revisions where document_id = ${document.id} and revision = ${document.head_revision}`,
  );
  return head !== undefined && head.text === text ? document.head_revision : document.head_revision + 1;
}

async function lockDraft(tx: Transaction, id: ChangeId, version: number): Promise<ChangeRow> {
  const row = await tx.one<ChangeRow>(sql`select * from changes where id = ${id} for update`);
  if (row.state !== "DRAFT")
    throw new StoreFailure("store.wrong_state", `the change is ${row.state}`, { change_id: id });
  if (row.version !== version) {
    throw new StoreFailure("store.lost_race", "the change has been edited since it was read", {
      change_id: id,
      version: row.version,
    });
  }
  return row;
}

async function writeItems(tx: Transaction, change: ChangeRow, items: readonly ChangeItem[]): Promise<ChangeRow> {
  await tx.run(sql`delete from change_items where change_id = ${change.id}`);
  for (const item of items) {
    await tx.run(sql`
      insert into change_items (change_id, kind, name, text, base_revision)
      values (${change.id}, ${item.kind}, ${item.name}, ${item.text},
              coalesce(${item.baseRevision ?? null}, (select head_revision from documents where kind = ${item.kind} and name = ${item.name}), 0))`);
  }
  const written = await listChangeItems(tx, change.id);
  const digest = createHash("sha256")
    .update(
      canonicalJson(written.map(({ kind, name, text, base_revision }) => ({ kind, name, text, base_revision }))),
      "utf8",
    )
    .digest("hex");
  return tx.one<ChangeRow>(
    sql`update changes set digest = ${digest}, version = version + 1 where id = ${change.id} returning *`,
  );
}

async function lockDocument(tx: Transaction, kind: DocumentKind, name: string): Promise<DocumentRow> {
  const id: DocumentId = newId();
  await tx.run(
    sql`insert into documents (id, kind, name) values (${id}, ${kind}, ${name}) on conflict (kind, name) do nothing`,
  );
  return tx.one<DocumentRow>(sql`select * from documents where kind = ${kind} and name = ${name} for update`);
}

async function baseMoved(tx: Transaction, document: DocumentRow, item: ChangeItemRow): Promise<StoreFailure> {
  const head = await tx.maybe<{ author: string; change_id: ChangeId; title: string; created_at: Date }>(sql`
    select u.name as author, r.change_id, c.title, r.created_at
    from revisions r join users u on u.id = r.author_id join changes c on c.id = r.change_id
    where r.document_id = ${document.id} and r.revision = ${document.head_revision}`);
  const document_name = `${item.kind}/${item.name}`;
  const who =
    head === undefined
      ? "is not there"
      : `was moved to revision ${document.head_revision} by ${head.author} with "${head.title}"`;
  return new StoreFailure(
    "store.base_moved",
    `${document_name} ${who}; this change was begun on revision ${item.base_revision}`,
    {
      document: document_name,
      base_revision: item.base_revision,
      head_revision: document.head_revision,
      ...(head === undefined
        ? {}
        : { author: head.author, change_id: head.change_id, at: head.created_at.toISOString() }),
    },
  );
}

async function said(
  tx: Transaction,
  change: ChangeRow,
  action: string,
  now: { readonly [key: string]: string | null } | null,
  by: Actor,
  before: { readonly [key: string]: string | null } | null = null,
): Promise<void> {
  tx.audit({ ...by, action, object: `change/${change.id}`, old: before, new: now, resultCode: "ok" });
  tx.notify("holdfast_events", { kind: "change", action, change_id: change.id });
}
