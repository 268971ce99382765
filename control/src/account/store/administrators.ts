import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** Whether an open account still holds `admin` on everything. */
export async function othersMayAdminister(database: Queryable): Promise<boolean> {
  const { some } = await database.one<{ some: boolean }>(sql`
    select exists (select from users u join effective_grants g on g.user_id = u.id
                   where u.disabled_at is null and g.permission = 'admin' and g.scope = '{"all": true}' and g.domains is null) as some`);
  return some;
}
