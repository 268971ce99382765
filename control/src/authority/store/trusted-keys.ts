import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

export interface TrustedKey {
  readonly name: string;
  /** What its guard said at the last greeting; null when it has not said anything of it, empty when it is too old to. */
  readonly key_id: string | null;
  readonly connected: boolean;
}

export function trustedKeys(database: Queryable): Promise<readonly TrustedKey[]> {
  return database.rows<TrustedKey>(sql`
    select name, facts ->> 'commandKeyId' as key_id, session_instance is not null as connected
    from servers where enrolment = 'enrolled' order by name`);
}
