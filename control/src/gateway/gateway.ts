/**
 * The agent port with all that stands behind it: who may come in, the newest session of each server, and who must leave.
 */
import type { InstanceId, ServerId } from "@holdfast/core/base/id.ts";
import type { Logger } from "pino";
import type { Authority } from "../authority/authority.ts";
import { admitKey, isActive, stillActive } from "../authority/store/agent-keys.ts";
import { agentActor } from "../store/actor.ts";
import type { Database } from "../store/database.ts";
import { touchSessions } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import type { AgentSessions } from "./agent-sessions.ts";
import { enrolment } from "./enrolment.ts";
import { type AgentListener, type AgentPeer, listenForAgents } from "./listener.ts";
import { renewal } from "./renewal.ts";
import { isAlive, openSession, shutOut } from "./session-door.ts";
import { listSuperseded } from "./store/session-queries.ts";

export interface GatewayOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly sessions: AgentSessions;
  readonly instanceId: InstanceId;
  readonly host: string;
  readonly port: number;
  readonly names: readonly string[];
  readonly approvalRequired: boolean;
  readonly log: Logger;
  readonly nowMs: () => number;
}

export interface Gateway {
  readonly port: number;
  /** Looks again at who may stay; called on a notification, and at least every SWEEP_MS by itself. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** Half of the minute that S11 gives a revocation. */
export const SWEEP_MS = 25_000;

export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { database, sessions, log, instanceId, nowMs } = options;
  const listener: AgentListener = await listenForAgents({
    certificates: options.authority.certificates,
    host: options.host,
    port: options.port,
    names: options.names,
    nowMs,
    enrol: enrolment(options),
    renew: renewal(options),
    mayEnter: (peer) => mayEnter(options, peer),
    onSession: (socket, peer) =>
      void openSession(socket, peer, {
        database,
        sessions,
        commands: options.authority.commands,
        instanceId,
        log,
      }).catch((error: unknown) => {
        log.error({ server_id: peer.serverId, err: error }, "a session could not be opened");
        socket.destroy();
      }),
    onRefused: (reason, remote) => log.warn({ result_code: "gateway.refused", source: remote }, reason),
  });
  const sweep = (): Promise<void> =>
    sweepSessions(options).catch((error: unknown) =>
      log.warn({ err: error }, "open sessions could not be checked; they will be again"),
    );
  const timer = setInterval(() => void sweep(), SWEEP_MS);
  return {
    port: listener.port,
    sweep,
    async close() {
      clearInterval(timer);
      sessions.closeAll("the control plane is stopping");
      await listener.close();
    },
  };
}

async function mayEnter({ database, instanceId }: GatewayOptions, peer: AgentPeer): Promise<boolean> {
  if (await isActive(database, peer.serverId, peer.keySha256)) return true;
  const admitted = await transaction(database, (tx) =>
    admitKey(tx, peer.serverId, peer.keySha256, agentActor(peer.serverId, "agent port", instanceId)),
  );
  return admitted.ok && admitted.value;
}

/** Closes what may not stay: revoked or expired keys (S11), and sessions of servers that have a newer one elsewhere (S6). */
async function sweepSessions(options: GatewayOptions): Promise<void> {
  const { database, sessions, nowMs } = options;
  const open = sessions.all();
  if (open.length === 0) return;
  const active = await stillActive(
    database,
    open.map((session) => session.keySha256),
  );
  for (const session of open) {
    if (!active.has(session.keySha256)) session.close("its key was revoked or replaced");
    else if (session.notAfterMs <= nowMs()) session.close("its certificate has expired");
  }
  for (const newer of await listSuperseded(database, open)) await giveWay(options, newer.id, newer.boot_id);
  await touchSessions(
    database,
    options.instanceId,
    sessions.all().map((session) => session.id),
  );
}

async function giveWay(options: GatewayOptions, serverId: ServerId, newerBootId: string | null): Promise<void> {
  const session = options.sessions.of(serverId);
  if (session === undefined) return;
  if (newerBootId !== session.bootId && (await isAlive(session)))
    await shutOut(options, session, `another boot, ${newerBootId ?? "unknown"}, is connected elsewhere`);
  else session.close("superseded by a session with another instance");
}
