import type { AuditBreak } from "@holdfast/core/alert/facts.ts";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "./database.ts";
import { sql } from "./sql.ts";
import type { InstanceRow } from "./tables.ts";

/** What an instance knows of its own place and nobody else can see. */
export interface InstanceReport {
  /** The machine's name. */
  readonly host: string | null;
  readonly diskFreeBytes: number | null;
  readonly diskTotalBytes: number | null;
  /** How long it could not say that it lives; null when it could the last time. */
  readonly awaySeconds: number | null;
}

/** Says that this control plane is there and where; said again, that it still is. */
export async function reportInstance(
  database: Queryable,
  id: InstanceId,
  address: string,
  { host = null, diskFreeBytes = null, diskTotalBytes = null, awaySeconds = null }: Partial<InstanceReport> = {},
): Promise<void> {
  await database.run(sql`
    insert into instances (id, address, host, disk_free_bytes, disk_total_bytes, away_seconds, back_at)
    values (${id}, ${address}, ${host}, ${diskFreeBytes}, ${diskTotalBytes}, ${awaySeconds}::float8, case when ${awaySeconds}::float8 is not null then now() end)
    on conflict (id) do update set seen_at = now(), address = excluded.address, host = excluded.host, disk_free_bytes = excluded.disk_free_bytes,
      disk_total_bytes = excluded.disk_total_bytes, away_seconds = coalesce(excluded.away_seconds, instances.away_seconds),
      back_at = coalesce(excluded.back_at, instances.back_at)`);
}

/** What this instance found of the audit log. */
export async function reportAudit(
  database: Queryable,
  id: InstanceId,
  found: { readonly brokenAt: number; readonly reason: AuditBreak } | "whole",
): Promise<void> {
  const broken = found === "whole" ? null : found;
  await database.run(sql`
    update instances set audit_whole = ${broken === null}, audit_broken_at = ${broken?.brokenAt ?? null}, audit_reason = ${broken?.reason ?? null}
    where id = ${id}`);
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
