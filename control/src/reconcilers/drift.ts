import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { DOMAINS } from "@holdfast/core/domain.ts";
import { type FloorByDomain, type FloorStanding, floorWords } from "@holdfast/core/floor/standing.ts";
import { type DomainState, DomainStateSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import { floorOf, toldFloor } from "../gateway/told-floor.ts";
import { toldLacks } from "../gateway/told-lacks.ts";
import { agentActor } from "../store/actor.ts";
import { lockServer, setDrift, setFloor, setLacks } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import type { ReconcilerContext } from "./context.ts";
import { LastWords } from "./last-words.ts";

/** Milliseconds. Reading back every domain of a slow server takes seconds. */
const LOOK_TIMEOUT_MS = 20_000;

/** Milliseconds until what could not be written is tried again. */
const WRITE_AGAIN_MS = 5_000;

/**
 * Writes down what agents say of drift, of the floor, and of what their servers cannot do, as they say it. With every new session all domains are
 * looked at, so a lost word heals itself; nobody waits for that look, least of all a trial whose fresh session it is.
 *   W1. Of what one agent says of a domain, the last word stays.
 *   W2. What it says by itself while all is looked at is at least as new as that look.
 *   W3. Once it has come back over another session, what it said over this one is old.
 */
export function recordDrift({ database, sessions, instanceId, log }: Omit<ReconcilerContext, "signal">): void {
  const words = new WeakMap<AgentSession, LastWords>();

  sessions.listen({
    opened(session) {
      void noteWhole(session);
    },
    drift(session, state) {
      wordsOf(session).say(state);
    },
  });

  function wordsOf(session: AgentSession): LastWords {
    const known =
      words.get(session) ??
      new LastWords({
        write: (states) => note(session, states),
        isOver: () => session.isClosed(),
        pause: () => sleep(WRITE_AGAIN_MS, undefined, { ref: false }),
        onTrouble: (error) =>
          log.warn(
            { server_id: session.serverId, err: error },
            "what an agent said of its server could not be written down",
          ),
      });
    words.set(session, known);
    return known;
  }

  async function noteWhole(session: AgentSession): Promise<void> {
    const states = await look(session);
    if (states === null) return;
    // A domain that the agent no longer knows is nothing that could drift or be lost.
    const gone = DOMAINS.filter((domain) => !states.some((state) => state.domain === domain));
    wordsOf(session).found([...states, ...gone.map((domain) => create(DomainStateSchema, { domain }))]);
  }

  /** Domains that could not be read are what they were. */
  async function note(session: AgentSession, states: readonly DomainState[]): Promise<void> {
    const read = states.filter(({ error }) => error === "");
    const by = agentActor(session.serverId, session.remoteAddress, instanceId);
    const noted = await transaction(database, async (tx) => {
      const server = await lockServer(tx, session.serverId);
      if (server.session_id !== null && server.session_id !== session.id) return null; // W3
      await setLacks(tx, session.serverId, toldLacks(states));
      const floor = floorAfter(floorOf(server), read);
      const drift = driftAfter(server.drift, read);
      return {
        floor: (await setFloor(tx, session.serverId, floor, by)) ? floor : null,
        drift: (await setDrift(tx, session.serverId, drift, by)) ? drift : null,
      };
    });
    if (!noted.ok) throw noted.error;
    if (noted.value === null) return;
    sayFloor(session, noted.value.floor ?? {});
    if (noted.value.drift !== null) sayDrift(session, noted.value.drift);
  }

  function sayFloor(session: AgentSession, floor: FloorByDomain): void {
    for (const [domain, standing] of Object.entries<FloorStanding>(floor))
      log.error(
        {
          server_id: session.serverId,
          domain,
          result_code: standing.lost.length > 0 ? "server.floor_lost" : "server.floor_repaired",
        },
        floorWords(domain, standing),
      );
  }

  function sayDrift(session: AgentSession, domains: readonly string[]): void {
    log.warn(
      {
        server_id: session.serverId,
        domains,
        result_code: domains.length > 0 ? "server.drifted" : "server.drift_gone",
      },
      "the live state of a server and the confirmed one",
    );
  }
}

function floorAfter(known: FloorByDomain, read: readonly DomainState[]): FloorByDomain {
  const told = new Map(read.map((state) => [state.domain, toldFloor(state)]));
  return Object.fromEntries(
    DOMAINS.flatMap((domain) => {
      const standing = told.has(domain) ? (told.get(domain) ?? null) : (known[domain] ?? null);
      return standing === null ? [] : [[domain, standing]];
    }),
  );
}

function driftAfter(known: readonly string[], read: readonly DomainState[]): readonly string[] {
  const looked = new Set(read.map(({ domain }) => domain));
  return [
    ...known.filter((domain) => !looked.has(domain)),
    ...read.filter(({ drift }) => drift).map(({ domain }) => domain),
  ];
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
