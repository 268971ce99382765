import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** Resolves when the database answers and knows whose house it is. */
export async function isAnswering(database: Queryable): Promise<boolean> {
  return (await database.maybe(sql`select ca_fingerprint from authority`)) !== undefined;
}
