import type { DocumentId, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "./database.ts";
import { sql } from "./sql.ts";
import type { DocumentKind, DocumentRow, RevisionRef, RevisionRow } from "./tables.ts";

export function getDocument(database: Queryable, kind: DocumentKind, name: string): Promise<DocumentRow | undefined> {
  return database.maybe<DocumentRow>(sql`select * from documents where kind = ${kind} and name = ${name}`);
}

export interface HeadRow extends RevisionRow {
  readonly kind: DocumentKind;
  readonly name: string;
  readonly deleted: boolean;
  readonly author: string;
}

/** The heads of all documents, or of one kind. Deleted ones are left out unless asked for. */
export function listHeads(
  database: Queryable,
  kind: DocumentKind | null,
  withDeleted: boolean,
): Promise<readonly HeadRow[]> {
  return database.rows<HeadRow>(sql`
    select r.*, d.kind, d.name, d.deleted, u.name as author
    from documents d join revisions r on r.document_id = d.id and r.revision = d.head_revision join users u on u.id = r.author_id
    where (${kind}::text is null or d.kind = ${kind}) and (${withDeleted} or not d.deleted)
    order by d.kind, d.name`);
}

export function getRevision(
  database: Queryable,
  document: DocumentId,
  revision: number,
): Promise<RevisionRow | undefined> {
  return database.maybe<RevisionRow>(
    sql`select * from revisions where document_id = ${document} and revision = ${revision}`,
  );
}

/** Newest first. */
export function listRevisions(
  database: Queryable,
  document: DocumentId,
): Promise<readonly (RevisionRow & { readonly author: string })[]> {
  return database.rows(sql`
    select r.*, u.name as author from revisions r join users u on u.id = r.author_id where r.document_id = ${document} order by r.revision desc`);
}

export interface NamedRevision extends RevisionRow {
  readonly kind: DocumentKind;
  readonly name: string;
}

/** The texts of these documents at these revisions, for composing; in the order of kind and name. */
export function readRevisions(database: Queryable, refs: readonly RevisionRef[]): Promise<readonly NamedRevision[]> {
  return database.rows<NamedRevision>(sql`
    select r.*, d.kind, d.name
    from unnest(${refs.map((ref) => ref.document_id)}::uuid[], ${refs.map((ref) => String(ref.revision))}::int[]) as wanted (document_id, revision)
    join revisions r on r.document_id = wanted.document_id and r.revision = wanted.revision
    join documents d on d.id = r.document_id
    order by d.kind, d.name`);
}

export interface InForce {
  readonly server_id: ServerId;
  readonly server_name: string;
  readonly revision: number;
}

/** On which servers a document is in force, and at which revision. */
export function listInForce(database: Queryable, document: DocumentId): Promise<readonly InForce[]> {
  return database.rows<InForce>(sql`
    select a.server_id, s.name as server_name, a.revision
    from assignments a join servers s on s.id = a.server_id where a.document_id = ${document} order by s.name`);
}
