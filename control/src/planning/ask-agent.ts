import type { Finding } from "@holdfast/core/base/finding.ts";
import { SEVERITIES } from "@holdfast/core/base/finding.ts";
import type { RequestId } from "@holdfast/core/base/id.ts";
import type { GetStateResponse, PlanResponse } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { FindingMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { COMMAND_LIFE_MS, type CommandSigner } from "../authority/command-signer.ts";
import { call } from "../gateway/agent-client.ts";
import type { AgentSessions } from "../gateway/agent-sessions.ts";
import { newId } from "../store/new-id.ts";

/** What an agent answered, or why it could not be asked. Asking changes nothing, so every loss on the way is the same: ask again. */
export type Asked<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "unreachable"; readonly why: string };

export interface AskAgent {
  plan(serverId: string, config: { readonly json: string; readonly digest: string }): Promise<Asked<PlanResponse>>;
  state(serverId: string): Promise<Asked<GetStateResponse>>;
  /** A person has looked: the server's own lock ends. */
  release(serverId: string, fence: number, reason: string, actor: string): Promise<Asked<null>>;
}

/** A server with a very long rule set rehearses it in some seconds; a person is waiting, so not much longer. */
const PLAN_TIMEOUT_MS = 20_000;
const STATE_TIMEOUT_MS = 10_000;

export function askAgent(sessions: AgentSessions, commands: CommandSigner, nowMs: () => number): AskAgent {
  async function ask<T>(
    serverId: string,
    question: (client: NonNullable<ReturnType<AgentSessions["of"]>>["client"]) => Promise<T>,
  ): Promise<Asked<T>> {
    const session = sessions.of(serverId);
    if (session === undefined) return { kind: "unreachable", why: "its agent is not connected to this control plane" };
    const answer = await call(question(session.client));
    if (answer.kind === "answered") return { kind: "answered", value: answer.value };
    return { kind: "unreachable", why: answer.message };
  }
  return {
    plan: (serverId, config) =>
      ask(serverId, (client) =>
        client.plan({ configJson: config.json, configDigest: config.digest }, { timeoutMs: PLAN_TIMEOUT_MS }),
      ),
    state: (serverId) => ask(serverId, (client) => client.getState({}, { timeoutMs: STATE_TIMEOUT_MS })),
    async release(serverId, fence, reason, actor) {
      const verb = { case: "release", value: { $typeName: "holdfast.v1.ReleaseCommand", reason } } as const;
      const command = commands.sign({
        serverId,
        requestId: newId<RequestId>(),
        fence: BigInt(fence),
        expiresAtMs: BigInt(nowMs() + COMMAND_LIFE_MS),
        actor,
        verb,
      });
      const asked = await ask(serverId, (client) => client.release(command, { timeoutMs: STATE_TIMEOUT_MS }));
      return asked.kind === "answered" ? { kind: "answered", value: null } : asked;
    },
  };
}

/** A severity that this version does not know counts as danger: a person looks at it. */
export function readFinding(message: FindingMessage): Finding {
  const severity = SEVERITIES.find((word) => word === message.severity) ?? "danger";
  return { severity, code: message.code, path: message.path, message: message.message, remedy: message.remedy };
}
