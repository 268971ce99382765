import type { ServerDetail, ServerSummary } from "@holdfast/core/api/server.ts";
import { moduleSchema } from "@holdfast/core/api/server.ts";
import type { ApplyId } from "@holdfast/core/base/id.ts";
import { WHOLE } from "@holdfast/core/capability/lack.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import type { FloorStanding } from "@holdfast/core/floor/standing.ts";
import { z } from "zod";
import { fingerprintOf } from "../../gateway/peer.ts";
import { floorOf } from "../../gateway/told-floor.ts";
import { lacksOf } from "../../gateway/told-lacks.ts";
import type { SeenHouse } from "../../house.ts";
import type { ServerPlace } from "../../planning/places.ts";
import { listKeys } from "../../store/enrolment.ts";
import { listQuarantines } from "../../store/quarantines.ts";
import { getServer, getServerStatus, listServerPolicies, listServerStatus } from "../../store/servers.ts";
import type { AgentKeyRow, ServerRow, ServerStatusRow } from "../../store/tables.ts";
import { notFound } from "../refused.ts";
import { type ListedApply, listApplyDetails } from "../store/apply-list.ts";
import { pausesOf } from "../store/server-pauses.ts";
import { applySummary, iso } from "./apply-view.ts";

/** The servers of these places, with what is open on them and how the last ones ended. */
export async function serverSummaries(
  house: SeenHouse,
  places: readonly ServerPlace[],
): Promise<readonly ServerSummary[]> {
  const { database } = house;
  const wanted = new Map(places.map((place) => [place.id, place]));
  const rows = (await listServerStatus(database)).filter((row) => wanted.has(row.id));
  const ids = rows
    .flatMap((row) => [row.open_apply_id, row.last_success_apply_id, row.last_failure_apply_id])
    .filter((id) => id !== null);
  const applies = await appliesById(house, ids);
  const pauses = await pausesOf(
    database,
    rows.map((row) => row.id),
  );
  return rows.map((row) =>
    summary(row, wanted.get(row.id)?.labels ?? {}, applies, pauses.get(row.id) ?? null, house.nowMs()),
  );
}

export async function serverDetail(house: SeenHouse, place: ServerPlace): Promise<ServerDetail> {
  const { database } = house;
  const row = await getServer(database, place.id);
  const status = await getServerStatus(database, place.id);
  if (row === undefined || status === undefined) notFound(`server ${place.name}`);
  const ids = [status.open_apply_id, status.last_success_apply_id, status.last_failure_apply_id].filter(
    (id) => id !== null,
  );
  const [applies, policies, quarantined, keys] = await Promise.all([
    appliesById(house, ids),
    listServerPolicies(database, place.id),
    listQuarantines(database, place.id),
    listKeys(database, place.id),
  ]);
  const pending = keys.find(waitsForApproval);
  return {
    ...summary(status, place.labels, applies, row.paused_reason, house.nowMs()),
    agentVersion: row.agent_version,
    bootId: row.boot_id,
    capabilities: capabilitiesOf(row),
    lacksAt: iso(row.lacks_at),
    facts: row.facts,
    policies: policies.map(({ kind, name, revision }) => ({ kind, name, revision })),
    quarantined: quarantined.map(({ kind, name, revision, code, created_at }) => ({
      kind,
      name,
      revision,
      code,
      at: created_at.toISOString(),
    })),
    pendingKey:
      pending === undefined
        ? null
        : { fingerprint: fingerprintOf(pending.tls_key_sha256), since: pending.created_at.toISOString() },
    etag: etagOf(row),
  };
}

export function floorView({
  lost,
  whenLost,
  repairs,
  gaveUp,
}: FloorStanding): Omit<ServerSummary["floor"][number], "domain"> {
  return { lost: [...lost], whenLost, repairs: [...repairs], gaveUp };
}

/** What its modules are, and what each found that the server cannot do. Where all of a domain is missing it is not available. */
function capabilitiesOf(row: ServerRow): ServerDetail["capabilities"] {
  const modules = z.array(moduleSchema).safeParse(row.capabilities);
  const lacks = lacksOf(row);
  return (modules.success ? modules.data : []).map((module) => {
    const domain = DOMAINS.find((name) => name === module.domain);
    const missing = domain === undefined ? undefined : lacks[domain];
    const whole = module.available ? missing?.find(({ feature }) => feature === WHOLE) : undefined;
    return {
      ...module,
      ...(whole === undefined ? {} : { available: false, reason: whole.reason }),
      lacks: missing === undefined ? null : missing.map((one) => ({ ...one })),
    };
  });
}

/** A renewed key is pending too, until it has been seen on a connection; it has its certificate already and waits for nobody. */
export function waitsForApproval(key: AgentKeyRow): boolean {
  return key.state === "pending" && key.certificate_serial === null;
}

function etagOf(row: ServerRow): string {
  return String(row.version);
}

function summary(
  row: ServerStatusRow,
  labels: ServerPlace["labels"],
  applies: ReadonlyMap<ApplyId, ListedApply>,
  pausedReason: string | null,
  nowMs: number,
): ServerSummary {
  const apply = (id: ApplyId | null): ServerSummary["open"] => {
    const found = id === null ? undefined : applies.get(id);
    return found === undefined ? null : applySummary(found);
  };
  const isPaused = row.paused_until !== null && row.paused_until.getTime() > nowMs;
  return {
    id: row.id,
    name: row.name,
    labels: { ...labels },
    enrolment: row.enrolment,
    connected: row.connected,
    lastSeenAt: iso(row.last_seen_at),
    generation: row.generation,
    locked: row.locked_code === null ? null : { code: row.locked_code, reason: row.locked_reason ?? "" },
    paused: isPaused ? { until: iso(row.paused_until) ?? "", reason: pausedReason ?? "" } : null,
    drift: [...row.drift],
    floor: Object.entries<FloorStanding>(floorOf(row)).map(([domain, one]) => ({ domain, ...floorView(one) })),
    open: apply(row.open_apply_id),
    lastSuccess: apply(row.last_success_apply_id),
    lastFailure: apply(row.last_failure_apply_id),
  };
}

async function appliesById(house: SeenHouse, ids: readonly ApplyId[]): Promise<ReadonlyMap<ApplyId, ListedApply>> {
  if (ids.length === 0) return new Map();
  const rows = await listApplyDetails(house.database, { ids, visible: null, before: null, limit: ids.length });
  return new Map(rows.map((row) => [row.id, row]));
}
