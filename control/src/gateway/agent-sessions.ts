import type { DomainState } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { Transaction as TransactionMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { AgentSession } from "./agent-session.ts";

/** What agents say without being asked. */
export interface SessionEvents {
  opened(session: AgentSession): void;
  closed(session: AgentSession): void;
  transaction(session: AgentSession, message: TransactionMessage): void;
  outcome(session: AgentSession, message: TransactionMessage): void;
  drift(session: AgentSession, state: DomainState): void;
}

/** The newest session of each server that is connected to this instance. A newer one takes the older one's place and closes it. */
export class AgentSessions {
  readonly #sessions = new Map<string, AgentSession>();
  readonly #listeners: Partial<SessionEvents>[] = [];

  listen(events: Partial<SessionEvents>): void {
    this.#listeners.push(events);
  }

  of(serverId: string): AgentSession | undefined {
    return this.#sessions.get(serverId);
  }

  all(): readonly AgentSession[] {
    return [...this.#sessions.values()];
  }

  others(serverId: string): readonly AgentSession[] {
    return this.all().filter((session) => session.serverId !== serverId);
  }

  open(session: AgentSession): void {
    const older = this.#sessions.get(session.serverId);
    this.#sessions.set(session.serverId, session);
    older?.close("superseded by a newer session");
    session.onClosed(() => {
      if (this.#sessions.get(session.serverId) === session) this.#sessions.delete(session.serverId);
      for (const listener of this.#listeners) listener.closed?.(session);
    });
    if (session.isClosed()) return;
    for (const listener of this.#listeners) listener.opened?.(session);
  }

  said(kind: "transaction" | "outcome", session: AgentSession, message: TransactionMessage): void {
    for (const listener of this.#listeners) listener[kind]?.(session, message);
  }

  drifted(session: AgentSession, state: DomainState): void {
    for (const listener of this.#listeners) listener.drift?.(session, state);
  }

  closeAll(reason: string): void {
    for (const session of this.all()) session.close(reason);
  }
}
