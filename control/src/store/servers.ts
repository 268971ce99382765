import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { ApplyId, Digest, Fence, Generation, InstanceId, ServerId } from "@holdfast/core/base/id.ts";
import type { FloorByDomain } from "@holdfast/core/floor/standing.ts";
import type { Actor } from "./actor.ts";
import type { Queryable } from "./database.ts";
import { json, sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { Enrolment, ServerPolicyRow, ServerRow, ServerStatusRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export async function insertServer(tx: Transaction, id: ServerId, name: string, by: Actor): Promise<ServerRow> {
  const row = await tx.one<ServerRow>(sql`insert into servers (id, name) values (${id}, ${name}) returning *`);
  await said(tx, row, "server.expected", null, { name }, by);
  return row;
}

export function getServer(database: Queryable, id: ServerId): Promise<ServerRow | undefined> {
  return database.maybe<ServerRow>(sql`select * from servers where id = ${id}`);
}

export function getServerByName(database: Queryable, name: string): Promise<ServerRow | undefined> {
  return database.maybe<ServerRow>(sql`select * from servers where name = ${name}`);
}

export function lockServer(tx: Transaction, id: ServerId): Promise<ServerRow> {
  return tx.one<ServerRow>(sql`select * from servers where id = ${id} for update`);
}

export function listServers(database: Queryable): Promise<readonly ServerRow[]> {
  return database.rows<ServerRow>(sql`select * from servers where released_at is null order by name`);
}

export function getServerStatus(database: Queryable, id: ServerId): Promise<ServerStatusRow | undefined> {
  return database.maybe<ServerStatusRow>(sql`select * from server_status where id = ${id}`);
}

export function listServerStatus(database: Queryable): Promise<readonly ServerStatusRow[]> {
  return database.rows<ServerStatusRow>(sql`select * from server_status where enrolment <> 'released' order by name`);
}

export function listServerPolicies(database: Queryable, id: ServerId): Promise<readonly ServerPolicyRow[]> {
  return database.rows<ServerPolicyRow>(sql`select * from server_policies where server_id = ${id} order by kind, name`);
}

// ── the agent's session ──────────────────────────────────────────────────────────────────────────────────────────────

export interface AgentHello {
  readonly bootId: string;
  readonly agentVersion: string;
  readonly facts: Json;
  readonly capabilities: Json;
}

/** The agent has connected to this instance: from here on this instance claims its work. The session before it, wherever, is over. */
export async function openSession(
  tx: Transaction,
  server: ServerId,
  instance: InstanceId,
  session: string,
  hello: AgentHello,
): Promise<ServerRow> {
  const row = await tx.maybe<ServerRow>(sql`
    update servers
    set session_instance = ${instance}, session_id = ${session}, session_since = now(), last_seen_at = now(),
        boot_id = ${hello.bootId}, agent_version = ${hello.agentVersion}, facts = ${json(hello.facts)}, capabilities = ${json(hello.capabilities)}
    where id = ${server} and enrolment = 'enrolled'
    returning *`);
  if (row === undefined)
    throw new StoreFailure("store.wrong_state", "the server is not enrolled", { server_id: server });
  tx.notify("holdfast_work", { server_id: server });
  tx.notify("holdfast_events", { kind: "server", action: "server.connected", server_id: server });
  return row;
}

/** Ends this session, unless the agent has come back over another in the meantime. True when it was still the current one. */
export async function closeSession(tx: Transaction, server: ServerId, session: string): Promise<boolean> {
  const touched = await tx.run(sql`
    update servers set session_instance = null, session_id = null, session_since = null, last_seen_at = now()
    where id = ${server} and session_id = ${session}`);
  if (touched === 1) tx.notify("holdfast_events", { kind: "server", action: "server.disconnected", server_id: server });
  return touched === 1;
}

/** Forgets the sessions of an instance that has gone. Its agents were seen as long as it was. */
export async function closeSessionsOf(tx: Transaction, instance: InstanceId): Promise<readonly ServerId[]> {
  const rows = await tx.rows<{ id: ServerId }>(sql`
    update servers set session_instance = null, session_id = null, session_since = null,
      last_seen_at = greatest(last_seen_at, (select seen_at from instances i where i.id = ${instance}))
    where session_instance = ${instance} returning id`);
  for (const { id } of rows)
    tx.notify("holdfast_events", { kind: "server", action: "server.disconnected", server_id: id });
  return rows.map(({ id }) => id);
}

/** The agents of these sessions are alive. */
export async function touchSessions(
  database: Queryable,
  instance: InstanceId,
  sessions: readonly string[],
): Promise<number> {
  return database.run(sql`
    update servers set last_seen_at = now() where session_instance = ${instance} and session_id = any(${sessions}::uuid[])`);
}

export async function setFacts(database: Queryable, server: ServerId, facts: Json, capabilities: Json): Promise<void> {
  await database.run(
    sql`update servers set facts = ${json(facts)}, capabilities = ${json(capabilities)} where id = ${server}`,
  );
}

/** What the server cannot do in these domains. A domain that nobody told of is what it was. */
export async function setLacks(database: Queryable, server: ServerId, told: Json): Promise<void> {
  await database.run(sql`
    update servers set lacks = lacks || ${json(told)}::jsonb, lacks_at = now() where id = ${server}`);
}

/** Domains whose live state is not the confirmed one. Says so once when it changes, to people and to the proof. */
export async function setDrift(
  tx: Transaction,
  server: ServerId,
  domains: readonly string[],
  by: Actor,
): Promise<boolean> {
  const before = await lockServer(tx, server);
  const after = [...domains].sort();
  if (JSON.stringify(before.drift) === JSON.stringify(after)) return false;
  await tx.run(sql`update servers set drift = ${json(after)} where id = ${server}`);
  await said(
    tx,
    before,
    after.length === 0 ? "server.drift_gone" : "server.drifted",
    { drift: before.drift },
    { drift: after },
    by,
  );
  return true;
}

/** How the floor stands, by domain, where there is something to tell. Says so once when it changes, to people and to the proof. */
export async function setFloor(tx: Transaction, server: ServerId, floor: FloorByDomain, by: Actor): Promise<boolean> {
  const before = await lockServer(tx, server);
  if (canonicalJson(before.floor) === canonicalJson(floor)) return false;
  await tx.run(sql`update servers set floor = ${json(floor)}, floor_at = now() where id = ${server}`);
  const isLost = Object.values(floor).some(({ lost }) => lost.length > 0);
  const action = isLost
    ? "server.floor_lost"
    : Object.keys(floor).length > 0
      ? "server.floor_repaired"
      : "server.floor_stands";
  await said(tx, before, action, { floor: before.floor }, { floor }, by);
  return true;
}

// ── what is in force ─────────────────────────────────────────────────────────────────────────────────────────────────

export interface Confirmed {
  readonly generation: Generation;
  readonly digest: Digest;
  readonly applyId: ApplyId;
}

/**
 * The agent has confirmed another state of the server. Its generation never falls. What is in force is the config of the plan of the apply that
 * is named; `confirmed_config` is from an older version, which copied it here, and nobody reads it.
 */
export async function recordConfirmed(tx: Transaction, server: ServerId, confirmed: Confirmed): Promise<ServerRow> {
  const row = await tx.maybe<ServerRow>(sql`
    update servers
    set generation = ${confirmed.generation}, confirmed_digest = ${confirmed.digest}, last_applied_id = ${confirmed.applyId}, drift = '[]', floor = '{}',
        confirmed_config = null
    where id = ${server} and generation <= ${confirmed.generation}
    returning *`);
  if (row === undefined)
    throw new StoreFailure("store.lost_race", "the server has confirmed a newer state already", { server_id: server });
  return row;
}

/** The agent has seen a higher fence than ours: it is believed, and what comes next goes above it. */
export async function believeFence(tx: Transaction, server: ServerId, seen: number, by: Actor): Promise<Fence> {
  const before = await lockServer(tx, server);
  if (seen < before.fence) return before.fence;
  const { fence } = await tx.one<{ fence: Fence }>(
    sql`update servers set fence = ${seen} + 1 where id = ${server} returning fence`,
  );
  await said(tx, before, "server.fence_ahead", { fence: before.fence }, { fence }, by);
  return fence;
}

// ── what operators and reconcilers do to a server ────────────────────────────────────────────────────────────────────

/** No applies until somebody has looked. A lock that is there keeps its first reason. */
export async function lockForApplies(
  tx: Transaction,
  server: ServerId,
  code: string,
  reason: string,
  by: Actor,
): Promise<void> {
  const before = await lockServer(tx, server);
  if (before.locked_code !== null) return;
  await tx.run(
    sql`update servers set locked_code = ${code}, locked_reason = ${reason}, version = version + 1 where id = ${server}`,
  );
  await said(tx, before, "server.locked", null, { code, reason }, by);
}

export async function unlock(tx: Transaction, server: ServerId, reason: string, by: Actor): Promise<void> {
  const before = await lockServer(tx, server);
  if (before.locked_code === null)
    throw new StoreFailure("store.wrong_state", `${before.name} is not locked`, { server: before.name });
  await tx.run(
    sql`update servers set locked_code = null, locked_reason = null, version = version + 1 where id = ${server}`,
  );
  await said(tx, before, "server.unlocked", { code: before.locked_code, reason: before.locked_reason }, { reason }, by);
  tx.notify("holdfast_work", { server_id: server });
}

export async function pause(
  tx: Transaction,
  server: ServerId,
  seconds: number,
  reason: string,
  by: Actor,
): Promise<ServerRow> {
  const row = await tx.one<ServerRow>(sql`
    update servers set paused_until = now() + make_interval(secs => ${seconds}::float8), paused_reason = ${reason}, version = version + 1
    where id = ${server} returning *`);
  await said(tx, row, "server.paused", null, { until: row.paused_until?.toISOString(), reason }, by);
  return row;
}

export async function resume(tx: Transaction, server: ServerId, by: Actor): Promise<void> {
  const before = await lockServer(tx, server);
  if (before.paused_until === null)
    throw new StoreFailure("store.wrong_state", `${before.name} is not paused`, { server: before.name });
  await tx.run(
    sql`update servers set paused_until = null, paused_reason = null, version = version + 1 where id = ${server}`,
  );
  await said(tx, before, "server.resumed", { reason: before.paused_reason }, null, by);
  tx.notify("holdfast_work", { server_id: server });
}

/** Moves a server's enrolment on. Released is the end: its id, its name's row and its keys are never used again. */
export async function setEnrolment(
  tx: Transaction,
  server: ServerId,
  from: readonly Enrolment[],
  to: Enrolment,
  by: Actor,
): Promise<ServerRow> {
  const before = await lockServer(tx, server);
  if (!from.includes(before.enrolment)) {
    throw new StoreFailure("store.wrong_state", `${before.name} is ${before.enrolment}, not ${from.join(" or ")}`, {
      server: before.name,
    });
  }
  const row = await tx.one<ServerRow>(sql`
    update servers set enrolment = ${to}, released_at = case when ${to} = 'released' then now() end, version = version + 1
    where id = ${server} returning *`);
  await said(tx, row, `server.${to}`, { enrolment: before.enrolment }, { enrolment: to }, by);
  return row;
}

async function said(
  tx: Transaction,
  server: ServerRow,
  action: string,
  old: Json,
  now: Json,
  by: Actor,
): Promise<void> {
  tx.audit({ ...by, action, object: `server/${server.id}`, serverId: server.id, old, new: now, resultCode: "ok" });
  tx.notify("holdfast_events", { kind: "server", action, server_id: server.id });
}
