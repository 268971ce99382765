import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

export interface SeenEntry {
  readonly id: number;
  readonly hash: string;
}

export function seenHead(database: Queryable): Promise<SeenEntry | undefined> {
  return database.maybe<SeenEntry>(sql`select id, hash from audit_seen`);
}

/** Only ever forward: whoever saw less has nothing to say. */
export async function keepSeen(database: Queryable, head: SeenEntry): Promise<void> {
  await database.run(sql`
    insert into audit_seen (id, hash) values (${head.id}, ${head.hash})
    on conflict (the_one) do update set id = excluded.id, hash = excluded.hash, seen_at = now() where audit_seen.id < excluded.id`);
}

export async function hashAt(database: Queryable, id: number): Promise<string | null> {
  const row = await database.maybe<{ hash: string }>(sql`select hash from audit_log where id = ${id}`);
  return row?.hash ?? null;
}
