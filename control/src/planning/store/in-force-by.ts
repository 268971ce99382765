import type { ChangeId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { ApplyRow } from "../../store/tables.ts";

/**
 * Of each server the newest apply of a change that can still be rolled back: it is in force, or what it left behind is not as before. Applies
 * that were tried again are told by the newer one.
 */
export function appliesToRollBack(database: Queryable, change: ChangeId): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select * from (
      select distinct on (a.server_id) a.*
      from applies a join servers s on s.id = a.server_id
      where a.change_id = ${change} and s.enrolment = 'enrolled'
      order by a.server_id, a.requested_at desc, a.id desc
    ) newest
    where state = 'APPLIED' or (state = 'FAILED' and effect <> 'none')
    order by server_id`);
}

/** Whether a server has taken this change's revisions over without a step: its assignment names the rollout, as no apply did it. */
export async function isAdopted(database: Queryable, change: ChangeId): Promise<boolean> {
  const { found } = await database.one<{ found: boolean }>(sql`
    select exists (select from assignments g join rollouts r on r.id = g.apply_id where r.change_id = ${change}) as found`);
  return found;
}

export interface LaterChange {
  readonly change_id: ChangeId;
  readonly title: string;
  readonly author: string;
  readonly revision: number;
}

/** Which change wrote this revision of a document, and who. */
export function changeOfRevision(
  database: Queryable,
  document: string,
  revision: number,
): Promise<LaterChange | undefined> {
  return database.maybe<LaterChange>(sql`
    select r.change_id, c.title, u.name as author, r.revision
    from revisions r join changes c on c.id = r.change_id join users u on u.id = r.author_id
    where r.document_id = ${document} and r.revision = ${revision}`);
}
