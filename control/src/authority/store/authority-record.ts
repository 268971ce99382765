import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** The keys that this house's agents trust, written by the first instance. */
export interface AuthorityRecord {
  readonly ca_fingerprint: string;
  readonly command_key_id: string;
}

/** Writes the record if there is none, and returns the one that is in force. */
export async function recordAuthority(database: Queryable, own: AuthorityRecord): Promise<AuthorityRecord> {
  await database.run(sql`
    insert into authority (ca_fingerprint, command_key_id) values (${own.ca_fingerprint}, ${own.command_key_id}) on conflict do nothing`);
  return database.one<AuthorityRecord>(sql`select ca_fingerprint, command_key_id from authority`);
}
