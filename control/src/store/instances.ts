import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "./database.ts";
import { sql } from "./sql.ts";
import type { InstanceRow } from "./tables.ts";

/** Says that this control plane is there and where; said again, that it still is. */
export async function reportInstance(database: Queryable, id: InstanceId, address: string): Promise<void> {
  await database.run(sql`
    insert into instances (id, address) values (${id}, ${address})
    on conflict (id) do update set seen_at = now(), address = excluded.address`);
}

export function listInstances(database: Queryable): Promise<readonly InstanceRow[]> {
  return database.rows<InstanceRow>(sql`select * from instances order by started_at`);
}

/** Instances that have been silent for so long: their sessions and leases are to be released, then they are removed. */
export function listSilentInstances(database: Queryable, silentMs: number): Promise<readonly InstanceRow[]> {
  return database.rows<InstanceRow>(sql`
    select * from instances where seen_at < now() - make_interval(secs => ${silentMs}::float8 / 1000) order by started_at`);
}

export async function removeInstance(database: Queryable, id: InstanceId): Promise<void> {
  await database.run(sql`delete from instances where id = ${id}`);
}
