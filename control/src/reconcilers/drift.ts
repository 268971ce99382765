import type { DomainState } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import { agentActor } from "../store/actor.ts";
import { lockServer, setDrift } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import type { ReconcilerContext } from "./context.ts";

/** Writes down what agents say of drift as they say it. The whole list comes with every new session (GetState), so a lost word heals itself. */
export function recordDrift({ database, sessions, instanceId, log }: ReconcilerContext): void {
  sessions.listen({
    drift(session, state) {
      void note(session, state).catch((error: unknown) =>
        log.warn({ server_id: session.serverId, err: error }, "drift could not be written down"),
      );
    },
  });

  async function note(session: AgentSession, state: DomainState): Promise<void> {
    const noted = await transaction(database, async (tx) => {
      const { drift } = await lockServer(tx, session.serverId);
      const others = drift.filter((domain) => domain !== state.domain);
      const by = agentActor(session.serverId, session.remoteAddress, instanceId);
      return setDrift(tx, session.serverId, state.drift ? [...others, state.domain] : others, by);
    });
    if (!noted.ok) throw noted.error;
    if (noted.value)
      log.warn(
        {
          server_id: session.serverId,
          domain: state.domain,
          result_code: state.drift ? "server.drifted" : "server.drift_gone",
        },
        "the live state of a domain and the confirmed one",
      );
  }
}
