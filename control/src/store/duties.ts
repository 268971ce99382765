import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "./database.ts";
import { sql } from "./sql.ts";

/** Takes or keeps a duty for so long. False while another instance has it. */
export async function holdDuty(
  database: Queryable,
  name: string,
  instance: InstanceId,
  leaseMs: number,
): Promise<boolean> {
  const touched = await database.run(sql`
    insert into duties (name, lease_owner, lease_until) values (${name}, ${instance}, now() + make_interval(secs => ${leaseMs}::float8 / 1000))
    on conflict (name) do update set lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
    where duties.lease_owner = excluded.lease_owner or duties.lease_until < now()`);
  return touched === 1;
}

/** Gives everything back that an instance had, so that nobody waits for its end. */
export async function releaseDuties(database: Queryable, instance: InstanceId): Promise<void> {
  await database.run(sql`delete from duties where lease_owner = ${instance}`);
}
