import type { ServerId } from "@holdfast/core/base/id.ts";
import type { AgentClient } from "./agent-client.ts";

/** One live connection of one agent, after it has said who it is. */
export interface AgentSession {
  readonly id: string;
  readonly serverId: ServerId;
  /** As the database has it since the session was recorded. */
  readonly serverName: string;
  readonly bootId: string;
  readonly keySha256: string;
  readonly notAfterMs: number;
  readonly remoteAddress: string;
  readonly factsJson: string;
  /** What secrets are sealed with for it; null: its guard vouches for none. */
  readonly sealingKey: Buffer | null;
  /** It keeps heads of the audit log. */
  readonly keepsAuditHeads: boolean;
  readonly client: AgentClient;
  readonly isClosed: () => boolean;
  readonly onClosed: (listener: () => void) => void;
  readonly close: (reason: string) => void;
}
