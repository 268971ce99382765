import type { TokenId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { TokenRow } from "../../store/tables.ts";

/** The token, as long as it opens anything. */
export function isTokenLive(
  database: Queryable,
  id: TokenId,
): Promise<Pick<TokenRow, "kind" | "permissions" | "scope" | "domains"> | undefined> {
  return database.maybe<Pick<TokenRow, "kind" | "permissions" | "scope" | "domains">>(sql`
    select t.kind, t.permissions, t.scope, t.domains from tokens t join users u on u.id = t.user_id
    where t.id = ${id} and t.revoked_at is null and u.disabled_at is null and (t.expires_at is null or t.expires_at > now())`);
}
