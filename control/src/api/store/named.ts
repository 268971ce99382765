import type { ChangeId, DocumentId, RolloutId, ServerId, UserId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { DocumentKind, RevisionRef } from "../../store/tables.ts";

export async function userNames(database: Queryable): Promise<ReadonlyMap<UserId, string>> {
  const rows = await database.rows<{ id: UserId; name: string }>(sql`select id, name from users`);
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export async function serverNames(
  database: Queryable,
  ids: readonly ServerId[],
): Promise<ReadonlyMap<ServerId, string>> {
  const rows = await database.rows<{ id: ServerId; name: string }>(
    sql`select id, name from servers where id = any(${ids}::uuid[])`,
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** Those of these rollouts that have servers, and none that may be seen. */
export async function rolloutsOfOthers(
  database: Queryable,
  rollouts: readonly { readonly id: RolloutId }[],
  visible: readonly ServerId[],
): Promise<readonly string[]> {
  const rows = await database.rows<{ rollout_id: RolloutId }>(sql`
    select rollout_id from rollout_targets where rollout_id = any(${rollouts.map((row) => row.id)}::uuid[])
    group by rollout_id having not bool_or(server_id = any(${visible}::uuid[]))`);
  return rows.map((row) => row.rollout_id);
}

export interface NamedRef extends RevisionRef {
  readonly kind: DocumentKind;
  readonly name: string;
}

export function nameRefs(database: Queryable, refs: readonly RevisionRef[]): Promise<readonly NamedRef[]> {
  return database.rows<NamedRef>(sql`
    select wanted.document_id, wanted.revision, d.kind, d.name
    from unnest(${refs.map((ref) => ref.document_id)}::uuid[], ${refs.map((ref) => String(ref.revision))}::int[]) as wanted (document_id, revision)
    join documents d on d.id = wanted.document_id order by d.kind, d.name`);
}

export interface CountedState {
  readonly change_id: ChangeId;
  readonly state: string;
  readonly count: number;
}

/** How many applies of each change are in which state; one that was tried again is told by the newer one. */
export function countApplies(database: Queryable, changes: readonly ChangeId[]): Promise<readonly CountedState[]> {
  return database.rows<CountedState>(sql`
    select change_id, state, count(*) as count from applies a
    where change_id = any(${changes}::uuid[]) and not exists (select from applies n where n.retry_of = a.id)
    group by change_id, state order by state`);
}

export interface ItemRef {
  readonly change_id: ChangeId;
  readonly kind: DocumentKind;
  readonly name: string;
  readonly action: "create" | "edit" | "delete";
}

export function itemsOfChanges(database: Queryable, changes: readonly ChangeId[]): Promise<readonly ItemRef[]> {
  return database.rows<ItemRef>(sql`
    select change_id, kind, name, case when text is null then 'delete' when base_revision = 0 then 'create' else 'edit' end as action
    from change_items where change_id = any(${changes}::uuid[]) order by kind, name`);
}

export interface BaseText {
  readonly kind: DocumentKind;
  readonly name: string;
  readonly document_id: DocumentId;
  readonly text: string | null;
}

/** The heads of now of what a change holds. */
export function headTexts(database: Queryable, change: ChangeId): Promise<readonly BaseText[]> {
  return database.rows<BaseText>(sql`
    select i.kind, i.name, d.id as document_id, r.text
    from change_items i join documents d on d.kind = i.kind and d.name = i.name
    left join revisions r on r.document_id = d.id and r.revision = case when i.revision is null then d.head_revision else i.base_revision end
    where i.change_id = ${change}`);
}
