import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** Tunnels that drafts hold, as they are written there. */
export function draftedTunnels(
  database: Queryable,
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  return database.rows(sql`
    select i.name, i.text from change_items i join changes c on c.id = i.change_id
    where c.state = 'DRAFT' and i.kind = 'Tunnel' and i.text is not null order by i.name`);
}

/** Configs that are on their way to a server: they name what must still be there when it is asked for. */
export async function configsUnderWay(
  database: Queryable,
): Promise<readonly { readonly server: string; readonly config: string }[]> {
  return database.rows(sql`
    select distinct s.name as server, p.config
    from applies a join servers s on s.id = a.server_id
    join plans p on p.id = a.plan_id or p.id in (select t.plan_id from host_transactions t where t.apply_id = a.id)
    where a.state in ('READY', 'APPLYING', 'ROLLBACKING') and p.config is not null`);
}
