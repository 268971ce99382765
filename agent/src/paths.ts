import { join } from "node:path";
import type { DomainName } from "@holdfast/core/domain.ts";

/**
 * Every path the agent uses, below one root: "/" on a server, another folder where several agents share a machine.
 * The session may read `enrolment`, `session` and the guard's socket; everything else below `state` is root's alone.
 */
export interface AgentPaths {
  readonly root: string;
  /** The operator's file; optional. */
  readonly settings: string;
  /** The management path that no control plane can weaken; written at enrolment, edited by the operator only. */
  readonly floor: string;
  readonly state: string;
  /** Who this server is and whose commands it takes. */
  readonly enrolment: string;
  readonly ledger: string;
  readonly snapshots: string;
  readonly receiptKey: string;
  /** What secrets for this server are sealed with. */
  readonly sealingKey: string;
  /** The newest head of the control plane's audit log. */
  readonly auditHead: string;
  /** What the guard put back by itself. */
  readonly floorRepairs: string;
  /** Secrets that came with a change, in clear: daemons need them at every start. */
  readonly secrets: string;
  /** The session's own folder: TLS key and certificates. */
  readonly session: string;
  readonly run: string;
  readonly guardSocket: string;
  /** Where the session asks for captures. */
  readonly captureSocket: string;
  /** Where the session says what it counts. */
  readonly metricsSocket: string;
  moduleSocket(domain: DomainName): string;
  /** Which process serves a module, where no init system knows. */
  moduleProcess(domain: DomainName): string;
  /** Touched by a module when somebody changes what its domain owns; the session looks then. */
  movedFile(domain: DomainName): string;
  /** Which process waits for the deadline of a transaction, where no init system does. */
  deadlineProcess(requestId: string): string;
}

/** How the names of such files begin; the rest is the domain. */
export const MOVED = "moved-";

export function agentPaths(root: string): AgentPaths {
  const etc = join(root, "etc/holdfast");
  const state = join(root, "var/lib/holdfast");
  const run = join(root, "run/holdfast");
  return {
    root,
    settings: join(etc, "agent.json"),
    floor: join(etc, "floor.json"),
    state,
    enrolment: join(state, "enrolment.json"),
    ledger: join(state, "ledger"),
    snapshots: join(state, "snapshots"),
    receiptKey: join(state, "receipt.key"),
    sealingKey: join(state, "sealing.key"),
    auditHead: join(state, "audit-head.json"),
    floorRepairs: join(state, "floor-repairs.json"),
    secrets: join(state, "secrets"),
    session: join(state, "session"),
    run,
    guardSocket: join(run, "guard.sock"),
    captureSocket: join(run, "capture.sock"),
    metricsSocket: join(root, "run/holdfast-agent/metrics.sock"),
    moduleSocket: (domain) => join(run, `module-${domain}.sock`),
    moduleProcess: (domain) => join(run, `module-${domain}.pid`),
    movedFile: (domain) => join(run, `${MOVED}${domain}`),
    deadlineProcess: (requestId) => join(run, `deadline-${requestId}.pid`),
  };
}

/** The account of the session, and the group that may open the sockets of guard and capture. */
export const AGENT_ACCOUNT = "holdfast";
