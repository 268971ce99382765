import type { AlertFacts, AuditFact } from "@holdfast/core/alert/facts.ts";
import { waitingFor } from "@holdfast/core/apply/waiting-for.ts";
import { floorOf } from "../gateway/told-floor.ts";
import type { Database } from "../store/database.ts";
import { Baseline } from "./baseline.ts";
import { RotationRules } from "./rotation-rules.ts";
import {
  accusing,
  type AuditSaid,
  auditSaid,
  away,
  countersBack,
  databaseHealth,
  databaseNow,
  drifted,
  expiring,
  floors,
  hours,
  instanceDisks,
  leftBehind,
  type NewestEpoch,
  newestEpoch,
  type OpenApply,
  openApplies,
  refusals,
  unapproved,
} from "./store/facts.ts";

/** Everything that the detectors are told, read one after the other: looking must never take the sessions that work needs. */
export async function look(
  database: Database,
  baseline: Baseline = new Baseline(),
  rotation: RotationRules = new RotationRules(),
): Promise<AlertFacts> {
  const nowMs = (await databaseNow(database)).getTime();
  const health = await databaseHealth(database);
  return {
    nowMs,
    open: (await openApplies(database)).map(openFact),
    refused: (await refusals(database)).map(({ server_id, server_name, count, last_actor }) => ({
      serverId: server_id,
      server: server_name,
      count,
      lastActor: last_actor,
    })),
    hours: [...(await hours(database, 0, 1)), ...(await baseline.hours(database, nowMs))].map(
      ({ hours_ago, ended, failed }) => ({ hoursAgo: hours_ago, ended, failed }),
    ),
    left: (await leftBehind(database)).map(({ id, server_id, server_name, effect, code }) => ({
      applyId: id,
      serverId: server_id,
      server: server_name,
      effect,
      code: code ?? "apply.failed",
    })),
    drifted: (await drifted(database)).map(({ id, name, drift }) => ({ serverId: id, server: name, domains: drift })),
    floors: (await floors(database)).map((row) => ({
      serverId: row.id,
      server: row.name,
      floor: floorOf(row),
      sinceMs: row.floor_at.getTime(),
    })),
    away: (await away(database)).map(({ id, name, since }) => ({
      serverId: id,
      server: name,
      sinceMs: since.getTime(),
    })),
    expiring: (await expiring(database)).map(({ id, name, not_after }) => ({
      serverId: id,
      server: name,
      notAfterMs: not_after.getTime(),
    })),
    unapproved: (await unapproved(database)).map(({ change_id, title, by, break_glass, given }) => ({
      changeId: change_id,
      title,
      by,
      reason: break_glass.reason,
      needed: break_glass.needed,
      given,
    })),
    copied: (await countersBack(database)).map(({ id, name, account, counter_back_at }) => ({
      passkeyId: id,
      passkey: name,
      account,
      lastMs: counter_back_at.getTime(),
    })),
    ...(await rotation.facts(database)),
    audit: auditFact(await auditSaid(database)),
    accusing: (await accusing(database)).map(({ id, name, standing, entries }) => ({
      serverId: id,
      server: name,
      standing,
      entries,
    })),
    epoch: epochFact(await newestEpoch(database)),
    instances: (await instanceDisks(database)).map(({ id, address, host, disk_free_bytes, disk_total_bytes }) => ({
      instanceId: id,
      address,
      host,
      diskFreeBytes: disk_free_bytes,
      diskTotalBytes: disk_total_bytes,
    })),
    database: {
      checksumFailures: health.checksum_failures,
      connections: health.connections,
      connectionsMost: health.connections_most,
      oldestTransactionAge: health.oldest_age,
      awaySeconds: health.away_seconds,
    },
  };
}

/** One that finds it broken is believed; that it is whole, only when everybody has looked. */
function auditFact(said: readonly AuditSaid[]): AuditFact {
  for (const { audit_broken_at: entry, audit_reason: reason } of said)
    if (entry !== null && reason !== null) return { state: "broken", entry, reason };
  return { state: said.length > 0 && said.every(({ audit_whole }) => audit_whole === true) ? "whole" : "not_known" };
}

function epochFact(row: NewestEpoch | undefined): AlertFacts["epoch"] {
  if (row === undefined) return null;
  const { epoch, entries, by, reason, at } = row;
  return { epoch, entries, by, reason, beganMs: at.getTime() };
}

function openFact(row: OpenApply): AlertFacts["open"][number] {
  return {
    applyId: row.id,
    serverId: row.server_id,
    server: row.server_name,
    state: row.state,
    phase: row.phase,
    beganMs: row.began_at.getTime(),
    executedMs: row.execute_sent_at?.getTime() ?? null,
    longestMs: (row.trial?.budgetMs ?? 0) + (row.trial?.windowMs ?? 0),
    inDoubtSinceMs: row.in_doubt_at?.getTime() ?? null,
    waitingFor:
      waitingFor({
        state: row.state,
        phase: row.phase,
        wish: row.wish,
        needsPerson: row.trial?.needsPerson ?? false,
        connected: row.connected,
        isBack: row.is_back,
      }) ?? "nothing",
  };
}
