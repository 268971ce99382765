import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { ChangeId, PlanId } from "@holdfast/core/base/id.ts";
import type { TrialSettings } from "@holdfast/core/compose/effective-config.ts";
import type { Queryable } from "./database.ts";
import { json, sql } from "./sql.ts";
import type { PlanRow } from "./tables.ts";

export type NewPlan = Omit<PlanRow, "created_at">;

/** A plan without its two longest columns: the config, which the signer reads for the server, and where each item of it comes from. */
export interface PlanHead extends Omit<PlanRow, "config" | "provenance"> {
  /** What the config says of its trial, and the files of the secrets that go with it. */
  readonly trial: TrialSettings | null;
  readonly secrets: readonly string[];
}

export async function insertPlan(database: Queryable, plan: NewPlan): Promise<void> {
  await database.run(sql`
    insert into plans (id, change_id, server_id, kind, status, config, config_digest, provenance, revisions, before_revisions, plan_digest, base_digest,
                       base_generation, steps, native_diff, findings, probes, touches_management_path, created_by)
    values (${plan.id}, ${plan.change_id}, ${plan.server_id}, ${plan.kind}, ${plan.status}, ${plan.config}, ${plan.config_digest},
            ${json(plain(plan.provenance))}, ${json(plain(plan.revisions))}, ${json(plain(plan.before_revisions))}, ${plan.plan_digest}, ${plan.base_digest}, ${plan.base_generation},
            ${json(plain(plan.steps))}, ${json(plan.native_diff)}, ${json(plain(plan.findings))}, ${json(plain(plan.probes))},
            ${plan.touches_management_path}, ${plan.created_by})`);
}

export function getPlan(database: Queryable, id: PlanId): Promise<PlanHead | undefined> {
  return database.maybe<PlanHead>(sql`
    select id, change_id, server_id, kind, status, config_digest, config::json -> 'trial' as trial,
           coalesce(config::json -> 'secrets', '[]') as secrets, revisions, before_revisions, plan_digest, base_digest, base_generation,
           steps, native_diff, findings, probes, touches_management_path, created_at, created_by
    from plans where id = ${id}`);
}

/** The newest plan for each server. */
export function listNewestPlans(
  database: Queryable,
  change: ChangeId,
  kind: PlanRow["kind"],
): Promise<readonly PlanHead[]> {
  return database.rows<PlanHead>(sql`
    select distinct on (server_id) id, change_id, server_id, kind, status, config_digest, config::json -> 'trial' as trial,
           coalesce(config::json -> 'secrets', '[]') as secrets, revisions, before_revisions, plan_digest, base_digest, base_generation,
           steps, native_diff, findings, probes, touches_management_path, created_at, created_by
    from plans where change_id = ${change} and kind = ${kind} order by server_id, created_at desc, id desc`);
}

/** Interfaces have no index signature, so the compiler does not see that these are plain JSON; canonicalJson refuses what is not. */
function plain(rows: readonly object[]): Json {
  return rows as Json;
}
