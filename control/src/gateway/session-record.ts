import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Digest, Generation, InstanceId, RequestId } from "@holdfast/core/base/id.ts";
import type { DescribeResponse, GetStateResponse } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { CONTROL_PLANE_HERE, isThisMachine, readJson } from "../probe/own-address.ts";
import { agentActor } from "../store/actor.ts";
import { getHostTransaction } from "../store/host-transactions.ts";
import { believeFence, lockForApplies, openSession } from "../store/servers.ts";
import type { ServerRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import type { AgentSession } from "./agent-session.ts";
import { COMMAND_KEY } from "./lead-to-key.ts";
import { forgetConfirmed } from "./store/session-queries.ts";

/**
 * The newest session is where this server's work is done. What the agent durably knows is believed: a fence that is ahead means that this
 * database was restored from a backup, and a confirmed transaction that nobody here sent means that it lost part of its history.
 */
export async function sessionOpened(
  tx: Transaction,
  session: AgentSession,
  describe: DescribeResponse,
  state: GetStateResponse,
  instance: InstanceId,
): Promise<string> {
  const { serverId } = session;
  const by = agentActor(serverId, session.remoteAddress, instance);
  const server = await openSession(tx, serverId, instance, session.id, {
    bootId: describe.bootId,
    agentVersion: describe.agentVersion,
    facts: factsOf(session, describe),
    capabilities: describe.domains.map(({ domain, available, reason, module }) => ({
      domain,
      available,
      reason,
      module,
    })),
  });
  const seen = Number(state.maxFence);
  if (seen > server.fence) await believeFence(tx, serverId, seen, by);
  if (state.lockedCode !== "") await lockForApplies(tx, serverId, state.lockedCode, state.lockedReason, by);
  await compareHistories(tx, server, state, instance, session);
  return server.name;
}

async function compareHistories(
  tx: Transaction,
  server: ServerRow,
  state: GetStateResponse,
  instance: InstanceId,
  session: AgentSession,
): Promise<void> {
  if (state.confirmedRequestId === "") return;
  if ((await getHostTransaction(tx, state.confirmedRequestId as RequestId)) !== undefined) return;
  const by = agentActor(server.id, session.remoteAddress, instance);
  await forgetConfirmed(tx, server.id, Number(state.generation) as Generation, state.confirmedConfigDigest as Digest);
  await lockForApplies(
    tx,
    server.id,
    "server.ahead_of_database",
    `the server has confirmed a change that this database does not know (generation ${state.generation} there, ${server.generation} here): was the database restored from a backup? Compare the server's state with what you want, then release it`,
    by,
  );
}

/** What the agent says of its server, and what this instance sees of it. */
function factsOf(session: AgentSession, describe: DescribeResponse): Json {
  return {
    ...readFacts(describe.factsJson),
    [CONTROL_PLANE_HERE]: isThisMachine(session),
    [COMMAND_KEY]: describe.commandKeyId,
  };
}

/** An agent that says nonsense of itself is known by its key all the same. */
function readFacts(text: string): object {
  const facts = readJson(text);
  return typeof facts === "object" && facts !== null && !Array.isArray(facts) ? facts : {};
}
