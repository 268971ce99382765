import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Logger } from "pino";
import type { AgentSessions } from "../gateway/agent-sessions.ts";
import type { Database } from "../store/database.ts";

/** What every reconciler works with. All of them run in every instance: what each does is compare-and-set, or the same when done twice. */
export interface ReconcilerContext {
  readonly database: Database;
  readonly instanceId: InstanceId;
  readonly sessions: AgentSessions;
  readonly log: Logger;
  /** Aborted when this instance stops: what waits for others, or has long to go, ends there. */
  readonly signal: AbortSignal;
}

export interface Reconciler {
  readonly name: string;
  readonly everyMs: number;
  readonly run: (context: ReconcilerContext) => Promise<void>;
}
