import type { ApplyId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** A newer apply tries this one again. */
export async function isRetried(database: Queryable, apply: ApplyId): Promise<boolean> {
  const { retried } = await database.one<{ retried: boolean }>(
    sql`select exists (select from applies where retry_of = ${apply}) as retried`,
  );
  return retried;
}
