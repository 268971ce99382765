import { DOMAINS } from "@holdfast/core/domain.ts";
import { type FloorStanding, floorWords } from "@holdfast/core/floor/standing.ts";
import type { DomainState } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import { floorOf, toldFloor } from "../gateway/told-floor.ts";
import { toldLacks } from "../gateway/told-lacks.ts";
import { agentActor } from "../store/actor.ts";
import { lockServer, setDrift, setFloor, setLacks } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import type { ReconcilerContext } from "./context.ts";

/** Milliseconds. Reading back every domain of a slow server takes seconds. */
const LOOK_TIMEOUT_MS = 20_000;

/**
 * Writes down what agents say of drift, and of what their servers cannot do, as they say it. With every new session all domains are looked at, so
 * a lost word heals itself; nobody waits for that look, least of all a trial whose fresh session it is.
 */
export function recordDrift({ database, sessions, instanceId, log }: Omit<ReconcilerContext, "signal">): void {
  const unwritten = (session: AgentSession) => (error: unknown) =>
    log.warn({ server_id: session.serverId, err: error }, "drift could not be written down");
  sessions.listen({
    opened(session) {
      void noteWhole(session).catch(unwritten(session));
    },
    drift(session, state) {
      const { domain, drift } = state;
      void setLacks(database, session.serverId, toldLacks([state])).catch(unwritten(session));
      void noteFloor(session, [state]).catch(unwritten(session));
      void note(session, (known) => [...known.filter((other) => other !== domain), ...(drift ? [domain] : [])]).catch(
        unwritten(session),
      );
    },
  });

  async function noteWhole(session: AgentSession): Promise<void> {
    const states = await look(session);
    if (states === null) return;
    await setLacks(database, session.serverId, toldLacks(states));
    await noteFloor(session, states);
    const unread = states.filter(({ error }) => error !== "").map(({ domain }) => domain);
    const drifting = states.filter(({ drift }) => drift).map(({ domain }) => domain);
    // A domain that could not be read is what it was; one that the agent no longer knows does not drift.
    await note(session, (known) => [...known.filter((domain) => unread.includes(domain)), ...drifting]);
  }

  /** Domains that could not be read are what they were. */
  async function noteFloor(session: AgentSession, states: readonly DomainState[]): Promise<void> {
    const noted = await transaction(database, async (tx) => {
      const known = floorOf(await lockServer(tx, session.serverId));
      const told = new Map(states.filter(({ error }) => error === "").map((state) => [state.domain, toldFloor(state)]));
      const next = Object.fromEntries(
        DOMAINS.flatMap((domain) => {
          const standing = told.has(domain) ? (told.get(domain) ?? null) : (known[domain] ?? null);
          return standing === null ? [] : [[domain, standing]];
        }),
      );
      const by = agentActor(session.serverId, session.remoteAddress, instanceId);
      return (await setFloor(tx, session.serverId, next, by)) ? next : null;
    });
    if (!noted.ok) throw noted.error;
    for (const [domain, standing] of Object.entries<FloorStanding>(noted.value ?? {}))
      log.error(
        {
          server_id: session.serverId,
          domain,
          result_code: standing.lost.length > 0 ? "server.floor_lost" : "server.floor_repaired",
        },
        floorWords(domain, standing),
      );
  }

  async function note(session: AgentSession, next: (known: readonly string[]) => readonly string[]): Promise<void> {
    const noted = await transaction(database, async (tx) => {
      const drifting = next((await lockServer(tx, session.serverId)).drift);
      const by = agentActor(session.serverId, session.remoteAddress, instanceId);
      return (await setDrift(tx, session.serverId, drifting, by)) ? drifting : null;
    });
    if (!noted.ok) throw noted.error;
    if (noted.value !== null)
      log.warn(
        {
          server_id: session.serverId,
          domains: noted.value,
          result_code: noted.value.length > 0 ? "server.drifted" : "server.drift_gone",
        },
        "the live state of a server and the confirmed one",
      );
  }
}

/** Every domain of a server. Null when something moved while it was looked at: what an open transaction changes is not drift. */
async function look({ client }: AgentSession): Promise<readonly DomainState[] | null> {
  try {
    const before = await client.getState({ ledgerOnly: true }, { timeoutMs: LOOK_TIMEOUT_MS });
    if (before.open !== undefined) return null;
    const { open, generation, domains } = await client.getState({}, { timeoutMs: LOOK_TIMEOUT_MS });
    return open === undefined && generation === before.generation ? domains : null;
  } catch {
    // The next session, or the agent's own look, says it.
    return null;
  }
}
