import { randomUUID } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { InstanceId } from "@holdfast/core/base/id.ts";
/**
 * From an accepted socket to a session that work may be done over.
 *   D1. The agent says the server that its certificate names, or it is not let in.
 *   D2. One server, one session: the newest. Two live agents with one key and two boots are two machines: both are shut out (S6).
 *   D3. What the agent durably knows (fence, open transaction, confirmed state) is in the database before any work is claimed.
 *   D4. An agent that trusts an older command key is led to the one of now first; that it could not be is known of it, and holds nothing else up.
 */
import type { DescribeResponse, GetStateResponse, WatchEvent } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { Logger } from "pino";
import type { CommandSigner } from "../signer/command-signer.ts";
import { systemActor } from "../store/actor.ts";
import type { Database } from "../store/database.ts";
import { listKeys } from "../store/enrolment.ts";
import { closeSession, lockForApplies } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import { agentClient } from "./agent-client.ts";
import type { AgentSession } from "./agent-session.ts";
import type { AgentSessions } from "./agent-sessions.ts";
import { leadToKey } from "./lead-to-key.ts";
import type { AgentPeer } from "./listener.ts";
import { reversedConnection } from "./reversed-transport.ts";
import { sealingKeyOf } from "./sealing-key.ts";
import { sessionOpened } from "./session-record.ts";

export interface DoorOptions {
  readonly database: Database;
  readonly sessions: AgentSessions;
  readonly commands: Pick<CommandSigner, "keyId" | "links">;
  readonly instanceId: InstanceId;
  readonly log: Logger;
}

/** Describe and GetState read files and memory; a healthy agent answers in milliseconds. */
const GREETING_TIMEOUT_MS = 10_000;
/** Asking an older session whether it still lives. Longer would delay the new one, shorter would miss a busy machine. */
const ALIVE_TIMEOUT_MS = 2_000;
/** The agent sends something every few seconds. A wire that has been silent for so long is dead, whatever TCP believes. */
export const SILENCE_MS = 20_000;

export async function openSession(socket: TLSSocket, peer: AgentPeer, options: DoorOptions): Promise<void> {
  const connection = reversedConnection(socket);
  const client = agentClient(connection);
  const log = options.log.child({ server_id: peer.serverId });
  const remoteAddress = socket.remoteAddress ?? "";
  let greeting: { readonly describe: DescribeResponse; readonly state: GetStateResponse };
  try {
    const [describe, state] = await Promise.all([
      client.describe({}, { timeoutMs: GREETING_TIMEOUT_MS }),
      client.getState({ ledgerOnly: true }, { timeoutMs: GREETING_TIMEOUT_MS }),
    ]);
    greeting = { describe, state };
  } catch (error) {
    log.warn({ result_code: "session.no_greeting", err: error }, "the agent connected and did not say who it is");
    connection.close();
    return;
  }
  const { state } = greeting;
  let { describe } = greeting;
  if (describe.serverId !== peer.serverId) {
    log.error(
      { result_code: "session.other_server", said: describe.serverId },
      "the agent says another server than its certificate",
    );
    connection.close();
    return;
  }
  let closed = false;
  let serverName = "";
  connection.onClosed(() => {
    closed = true;
  });
  const receiptKeys = (await listKeys(options.database, peer.serverId)).filter((key) => key.state !== "revoked");
  const sealingKey = sealingKeyOf(
    describe,
    receiptKeys.map((key) => key.receipt_public_key),
  );
  const session: AgentSession = {
    id: randomUUID(),
    serverId: peer.serverId,
    get serverName() {
      return serverName;
    },
    bootId: describe.bootId,
    keySha256: peer.keySha256,
    notAfterMs: peer.notAfterMs,
    remoteAddress,
    factsJson: describe.factsJson,
    sealingKey,
    keepsAuditHeads: describe.keepsAuditHeads,
    client,
    isClosed: () => closed,
    onClosed: (listener) => connection.onClosed(listener),
    close(reason) {
      if (!closed) log.info({ session_id: session.id, reason }, "session closed");
      connection.close();
    },
  };
  const older = options.sessions.of(peer.serverId);
  if (older !== undefined && older.bootId !== session.bootId && (await isAlive(older))) {
    await shutOut(options, older, `boot ${session.bootId} from ${session.remoteAddress}`);
    session.close("its key is in use on another machine");
    return;
  }
  // D4
  describe = { ...describe, commandKeyId: await leadToKey(describe.commandKeyId, client, options.commands, log) };
  const recorded = await transaction(options.database, (tx) =>
    sessionOpened(tx, session, describe, state, options.instanceId),
  );
  if (!recorded.ok) {
    log.warn({ result_code: recorded.error.code }, "the session could not be recorded; the agent will dial again");
    connection.close();
    return;
  }
  serverName = recorded.value;
  session.onClosed(() => {
    void forget(session, options);
  });
  log.info(
    { session_id: session.id, target_host: serverName, boot_id: session.bootId, agent_version: describe.agentVersion },
    "session open",
  );
  // Before anybody looks: what moves after a look is heard.
  void watch(session, options.sessions);
  options.sessions.open(session);
}

async function forget(session: AgentSession, { database, log }: DoorOptions): Promise<void> {
  const forgotten = await transaction(database, (tx) => closeSession(tx, session.serverId, session.id));
  if (!forgotten.ok)
    log.warn(
      { server_id: session.serverId, result_code: forgotten.error.code },
      "the end of the session could not be recorded",
    );
}

export async function isAlive(session: AgentSession): Promise<boolean> {
  try {
    await session.client.describe({}, { timeoutMs: ALIVE_TIMEOUT_MS });
    return true;
  } catch {
    return false;
  }
}

/** D2: whoever holds a copy of the key can no longer hide behind its owner. */
export async function shutOut(
  options: Pick<DoorOptions, "database" | "instanceId" | "log">,
  session: AgentSession,
  other: string,
): Promise<void> {
  const reason = `one key is in use on two machines (boot ${session.bootId} from ${session.remoteAddress}; ${other}): revoke it, enrol the right one again, then release`;
  await transaction(options.database, (tx) =>
    lockForApplies(
      tx,
      session.serverId,
      "server.key_in_two_places",
      reason,
      systemActor("gateway", options.instanceId),
    ),
  );
  options.log.error({ server_id: session.serverId, result_code: "server.key_in_two_places" }, reason);
  session.close(reason);
}

async function watch(session: AgentSession, sessions: AgentSessions): Promise<void> {
  let timer = setTimeout(() => session.close("silent"), SILENCE_MS);
  session.onClosed(() => clearTimeout(timer));
  try {
    for await (const event of session.client.watch({})) {
      clearTimeout(timer);
      if (session.isClosed()) return;
      timer = setTimeout(() => session.close("silent"), SILENCE_MS);
      tell(event, session, sessions);
    }
    session.close("the agent ended its watch");
  } catch (error) {
    session.close(error instanceof Error ? error.message : String(error));
  }
}

function tell({ event }: WatchEvent, session: AgentSession, sessions: AgentSessions): void {
  switch (event.case) {
    case "transaction":
      sessions.said("transaction", session, event.value);
      return;
    case "outcome":
      sessions.said("outcome", session, event.value);
      return;
    case "drift":
      sessions.drifted(session, event.value);
      return;
    case "heartbeat":
    case undefined:
      return;
  }
}
