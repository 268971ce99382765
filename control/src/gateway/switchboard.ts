/**
 * Asks the agent of any server, whichever instance holds its session: here directly, elsewhere by a row that the holder answers.
 *   Q1. Only verbs that may be lost, late or doubled go this way; what changes a server's configuration goes through the saga alone. An act on a
 *       tunnel may: the agent does it once, for as long as nothing else has claimed the server (its fence).
 *   Q2. A question is taken by one instance and answered once. Whoever asked waits for its time and then says "unreachable".
 */
import { setTimeout as sleep } from "node:timers/promises";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { InstanceId, ServerId } from "@holdfast/core/base/id.ts";
import { SignedCommandSchema, TunnelCommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import {
  GetStateRequestSchema,
  GetStateResponseSchema,
  KeepAuditHeadRequestSchema,
  KeepAuditHeadResponseSchema,
  PlanRequestSchema,
  PlanResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { ReadPacketsRequestSchema, ReadPacketsResponseSchema } from "@holdfast/proto/gen/holdfast/v1/packets_pb.ts";
import {
  DescribeToolsRequestSchema,
  DescribeToolsResponseSchema,
  ToolRequestSchema,
  ToolResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import { TransactionSchema } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { Logger } from "pino";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import type { Database } from "../store/database.ts";
import { listen } from "../store/listen.ts";
import { newId } from "../store/new-id.ts";
import { answerQuestion, getAnswered, insertQuestion, takeQuestion } from "../store/questions.ts";
import { getServer } from "../store/servers.ts";
import type { QuestionRow, QuestionVerb } from "../store/tables.ts";
import { QUESTIONS_CHANNEL, transaction } from "../store/transaction.ts";
import { type AgentClient, call, type CallResult } from "./agent-client.ts";
import type { AgentSessions } from "./agent-sessions.ts";
import { describedTools, toolAnswer } from "./tool-answer.ts";
import { tunnelAnswer } from "./tunnel-answer.ts";
import { unlessTooOld } from "./unless-too-old.ts";

/** What an agent answered, or why it could not be asked. Asking changes nothing, so every loss on the way is the same: ask again. */
export type Asked<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "unreachable"; readonly why: string };

export interface Switchboard {
  ask(serverId: ServerId, verb: QuestionVerb, request: Uint8Array): Promise<Asked<Uint8Array>>;
  close(): Promise<void>;
}

export interface SwitchboardOptions {
  readonly database: Database;
  readonly target: ConnectionTarget;
  readonly sessions: AgentSessions;
  readonly instanceId: InstanceId;
  readonly log: Logger;
}

/** A server with a very long rule set rehearses it in some seconds, and modules that sleep are started first; a person is waiting, so not much longer. */
const TIMEOUT_MS = {
  plan: 20_000,
  state: 20_000,
  release: 10_000,
  audit_head: 10_000,
  packets: 10_000,
  tunnel_preview: 20_000,
  tools: 10_000,
  tool: 10_000,
  capture: 10_000,
  // One whole key exchange after the look at what is there.
  tunnel: 20_000,
} as const satisfies Record<QuestionVerb, number>;
/** On the way to the instance that holds the session and back. */
const DETOUR_MS = 2_000;
/** Notifications are hints; without one an answer waits so long. */
const POLL_MS = 1_000;

const VERBS = {
  plan: async (client, bytes, options) =>
    toBinary(PlanResponseSchema, await client.plan(fromBinary(PlanRequestSchema, bytes), options)),
  state: async (client, bytes, options) =>
    toBinary(GetStateResponseSchema, await client.getState(fromBinary(GetStateRequestSchema, bytes), options)),
  release: async (client, bytes, options) =>
    toBinary(TransactionSchema, await client.release(fromBinary(SignedCommandSchema, bytes), options)),
  tunnel_preview: async (client, bytes, options) =>
    tunnelAnswer(client.previewTunnelAct(fromBinary(TunnelCommandSchema, bytes), options)),
  tunnel: async (client, bytes, options) =>
    tunnelAnswer(client.actOnTunnel(fromBinary(SignedCommandSchema, bytes), options)),
  audit_head: async (client, bytes, options) =>
    toBinary(
      KeepAuditHeadResponseSchema,
      await client.keepAuditHead(fromBinary(KeepAuditHeadRequestSchema, bytes), options),
    ),
  tools: async (client, bytes, options) =>
    toBinary(
      DescribeToolsResponseSchema,
      await describedTools(client.describeTools(fromBinary(DescribeToolsRequestSchema, bytes), options)),
    ),
  tool: async (client, bytes, options) =>
    toBinary(ToolResponseSchema, await toolAnswer(client.useTool(fromBinary(ToolRequestSchema, bytes), options))),
  capture: async (client, bytes, options) =>
    toBinary(ToolResponseSchema, await toolAnswer(client.capture(fromBinary(ToolRequestSchema, bytes), options))),
  packets: async (client, bytes, options) =>
    toBinary(
      ReadPacketsResponseSchema,
      await unlessTooOld(client.readPackets(fromBinary(ReadPacketsRequestSchema, bytes), options), () =>
        create(ReadPacketsResponseSchema, PACKETS_TOO_OLD),
      ),
    ),
} as const satisfies Record<
  QuestionVerb,
  (client: AgentClient, bytes: Uint8Array, options: { readonly timeoutMs: number }) => Promise<Uint8Array>
>;

/** An agent from before packets could be looked at. */
const PACKETS_TOO_OLD = {
  refusedCode: "packets.unsupported",
  refusedMessage: "this agent is from before packets could be looked at",
} as const;

/** Whoever asks here wants to look at the server: a greeting, which wants less, does not come this way. */
export const STATE_QUESTION = toBinary(GetStateRequestSchema, create(GetStateRequestSchema, { withObserved: true }));

/** The same look, without everything that it saw. */
export const LACKS_QUESTION = toBinary(GetStateRequestSchema, create(GetStateRequestSchema, {}));

/** Only says what is kept: nothing is handed out on this way. */
export const AUDIT_HEAD_QUESTION = toBinary(KeepAuditHeadRequestSchema, create(KeepAuditHeadRequestSchema, {}));

export function openSwitchboard({ database, target, sessions, instanceId, log }: SwitchboardOptions): Switchboard {
  const waiting = new Map<string, (row: QuestionRow) => void>();
  const answering = new Set<Promise<void>>();
  let closed = false;

  const askHere = (
    serverId: ServerId,
    verb: QuestionVerb,
    request: Uint8Array,
  ): Promise<CallResult<Uint8Array>> | null => {
    const session = sessions.of(serverId);
    return session === undefined ? null : call(VERBS[verb](session.client, request, { timeoutMs: TIMEOUT_MS[verb] }));
  };

  const askElsewhere = async (
    serverId: ServerId,
    verb: QuestionVerb,
    request: Uint8Array,
  ): Promise<Asked<Uint8Array>> => {
    const server = await getServer(database, serverId);
    if (server?.session_instance === null || server?.session_instance === undefined)
      return { kind: "unreachable", why: "its agent is not connected to any control plane" };
    const id = newId();
    const giveUp = new AbortController();
    const answered = new Promise<QuestionRow>((resolve) => waiting.set(id, resolve));
    try {
      const asked = await transaction(database, (tx) =>
        insertQuestion(tx, { id, serverId, verb, request: Buffer.from(request), askedBy: instanceId }),
      );
      if (!asked.ok) throw asked.error;
      const tooLate = sleep(TIMEOUT_MS[verb] + DETOUR_MS, null, { signal: giveUp.signal }).catch(() => null);
      const row = await Promise.race([answered, tooLate]);
      if (row === null)
        return { kind: "unreachable", why: "the instance that holds its session did not answer in time" };
      if (row.answer === null) return { kind: "unreachable", why: row.failure ?? "it was not asked" };
      return { kind: "answered", value: row.answer };
    } finally {
      waiting.delete(id);
      giveUp.abort();
    }
  };

  /** Takes what is open for the sessions of this instance; each question is answered beside the others. */
  const serve = async (): Promise<void> => {
    while (!closed) {
      const mine = sessions.all().map((session) => session.serverId);
      if (mine.length === 0) return;
      const taken = await transaction(database, (tx) => takeQuestion(tx, instanceId, mine, TIMEOUT_MS.plan));
      if (!taken.ok) throw taken.error;
      const question = taken.value;
      if (question === undefined) return;
      const answer = answerOne(question).finally(() => answering.delete(answer));
      answering.add(answer);
    }
  };

  const answerOne = async (question: QuestionRow): Promise<void> => {
    const result = await askHere(question.server_id, question.verb, question.request);
    const said =
      result?.kind === "answered"
        ? { answer: Buffer.from(result.value), failure: null }
        : { answer: null, failure: result?.message ?? "its session has just ended" };
    const written = await transaction(database, (tx) => answerQuestion(tx, question.id, said));
    if (!written.ok) log.warn({ err: written.error }, "an answer could not be written; whoever asked will ask again");
  };

  const look = async (): Promise<void> => {
    if (waiting.size > 0) {
      for (const row of await getAnswered(database, [...waiting.keys()])) waiting.get(row.id)?.(row);
    }
    await serve();
  };
  let looking: Promise<void> | null = null;
  let again = false;
  const wake = (): void => {
    if (closed) return;
    if (looking !== null) {
      again = true;
      return;
    }
    looking = look()
      .catch((error: unknown) => log.warn({ err: error }, "questions of other instances will be looked at again"))
      .finally(() => {
        looking = null;
        if (again) {
          again = false;
          wake();
        }
      });
  };
  const listener = listen(target, [QUESTIONS_CHANNEL], POLL_MS, wake, (error) =>
    log.warn({ err: error }, "the database's notifications were lost; polling goes on"),
  );

  return {
    async ask(serverId, verb, request) {
      const here = askHere(serverId, verb, request);
      if (here === null) return askElsewhere(serverId, verb, request);
      const answer = await here;
      return answer.kind === "answered" ? answer : { kind: "unreachable", why: answer.message };
    },
    async close() {
      closed = true;
      await listener.close();
      await looking;
      await Promise.all(answering);
    },
  };
}
