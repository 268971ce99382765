/**
 * Everything of one instance that works without being asked: the agent port, the engine, the dispatcher of rollouts, the reconcilers, and the
 * one listener that wakes them. The database decides who does what; this only starts and stops it.
 */
import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Logger } from "pino";
import { anchoring } from "../audit/anchoring.ts";
import { type AskServers, askServers } from "../audit/ask-servers.ts";
import type { AuditWitness } from "../audit/witness.ts";
import type { Authority } from "../authority/authority.ts";
import { AgentSessions } from "../gateway/agent-sessions.ts";
import { type Gateway, openGateway } from "../gateway/gateway.ts";
import { openSwitchboard, type Switchboard } from "../gateway/switchboard.ts";
import type { Channel } from "../notify/channels.ts";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { type InboundVantage, vantageOf } from "../probe/vantage.ts";
import { alerts } from "../reconcilers/alerts.ts";
import { auditAnchors } from "../reconcilers/audit-anchors.ts";
import { auditCheckpoints } from "../reconcilers/audit-checkpoints.ts";
import type { Reconciler } from "../reconcilers/context.ts";
import { recordDrift } from "../reconcilers/drift.ts";
import { forgottenActs } from "../reconcilers/forgotten-acts.ts";
import { inDoubt } from "../reconcilers/in-doubt.ts";
import { notify } from "../reconcilers/notify.ts";
import { retention } from "../reconcilers/retention.ts";
import { silentInstances } from "../reconcilers/silent-instances.ts";
import { stuckApplies } from "../reconcilers/stuck-applies.ts";
import { unendedLooks } from "../reconcilers/unended-looks.ts";
import { dispatchDue } from "../rollout/dispatch.ts";
import { SagaEngine } from "../saga/engine.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { Database } from "../store/database.ts";
import { listen } from "../store/listen.ts";
import { WORK_CHANNEL } from "../store/transaction.ts";
import { readNotice } from "../store/work-notice.ts";
import { NO_TRACES, type Traces } from "../trace/traces.ts";
import { beat } from "./instance.ts";
import { type Loop, startLoop } from "./loop.ts";

export interface WorkOptions {
  readonly database: Database;
  /** Where notifications are listened to. */
  readonly target: ConnectionTarget;
  readonly authority: Authority;
  readonly secrets: SecretStore;
  readonly instanceId: InstanceId;
  /** Where people and other instances find this one. */
  readonly address: string;
  readonly agentPort: { readonly host: string; readonly port: number; readonly names: readonly string[] };
  readonly approvalRequired: boolean;
  readonly log: Logger;
  /** Where spans go; nowhere when not said. */
  readonly traces?: Traces;
  /** Who is told of alerts; nobody when not said. */
  readonly channels?: readonly Channel[];
  /** Whose disk is watched; none when not said. */
  readonly dataDirectory?: string;
  /** Who walks the audit log once a minute. */
  readonly witness: AuditWitness;
  /** How inbound probes look at a server; from this machine, or by a peer, when not said. */
  readonly vantage?: InboundVantage;
}

export interface Work {
  readonly sessions: AgentSessions;
  readonly gateway: Gateway;
  readonly engine: SagaEngine;
  /** Asks any server's agent, also one that another instance holds. */
  readonly switchboard: Switchboard;
  /** What all servers keep of the audit log. */
  readonly askServers: AskServers;
  /** `hand_over` lets go of everything, so that another instance goes on at once; `drop` tells nobody, as a kill would. */
  close(how: "hand_over" | "drop"): Promise<void>;
}

/** Without notifications work waits so long; each poll is a few indexed queries. */
const POLL_MS = 1_000;
/** Many servers end together, and each end wakes the dispatcher. Far below what a person or another server would notice. */
const DISPATCH_REST_MS = 20;

export async function startWork(options: WorkOptions): Promise<Work> {
  const { database, instanceId, authority, log } = options;
  const sessions = new AgentSessions();
  const heartbeat = await beat({
    database,
    instanceId,
    address: options.address,
    dataDirectory: options.dataDirectory ?? null,
    log,
  });
  const vantage = options.vantage ?? vantageOf((serverId) => sessions.others(serverId));
  const { secrets } = options;
  const engine = new SagaEngine({
    database,
    sessions,
    commands: authority.commands,
    secrets,
    vantage,
    instanceId,
    traces: options.traces ?? NO_TRACES,
    log,
  });
  const context = { database, instanceId, sessions, log };
  recordDrift(context);
  const anchors = anchoring({ database, witness: options.witness, instanceId, nowMs: () => Date.now(), log });
  sessions.listen({
    opened: (session) =>
      void anchors
        .look([session])
        .catch((error: unknown) =>
          log.warn({ server_id: session.serverId, err: error }, "it is looked at in a minute"),
        ),
  });
  const dispatching = startLoop(
    "rollouts",
    POLL_MS,
    log,
    () => dispatchDue(database, instanceId, log),
    DISPATCH_REST_MS,
  );
  const channels = options.channels ?? [];
  const reconcilers: readonly Reconciler[] = [
    stuckApplies,
    inDoubt,
    silentInstances,
    forgottenActs,
    unendedLooks(),
    alerts(),
    ...channels.map((channel) => notify(channel, options.address)),
    retention,
  ];
  const start = ({ name, everyMs, run }: Reconciler): Loop =>
    startLoop(name, everyMs, log, (signal) => run({ ...context, signal }));
  const anchoringLoop = start(auditAnchors(anchors));
  const loops = [
    dispatching,
    anchoringLoop,
    start(auditCheckpoints(options.witness, () => anchoringLoop.wake())),
    ...reconcilers.map(start),
  ];
  const gateway = await openGateway({
    database,
    authority,
    sessions,
    instanceId,
    ...options.agentPort,
    approvalRequired: options.approvalRequired,
    log,
    nowMs: () => Date.now(),
  });
  const listener = listen(
    options.target,
    [WORK_CHANNEL],
    POLL_MS,
    (channel, payload) => {
      const notice = channel === null ? null : readNotice(payload);
      if (notice === null || notice.rolloutId !== null) dispatching.wake();
      engine.notified(notice);
    },
    (error) => log.warn({ err: error }, "the database's notifications were lost; polling goes on"),
  );
  const switchboard = openSwitchboard({ database, target: options.target, sessions, instanceId, log });
  return {
    sessions,
    gateway,
    engine,
    switchboard,
    askServers: askServers({ database, switchboard, signer: options.witness.signer }),
    async close(how) {
      await switchboard.close();
      await listener.close();
      const engineClosed = engine.close(how);
      await Promise.all(loops.map((loop) => loop.close()));
      await gateway.close();
      await engineClosed;
      if (how === "hand_over") await heartbeat.leave();
      else await heartbeat.stop();
    },
  };
}
