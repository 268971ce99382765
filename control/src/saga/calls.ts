import { assertNever } from "@holdfast/core/base/never.ts";
import type { Command, PrepareCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import type { Transaction as TransactionMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { COMMAND_LIFE_MS, type CommandSigner } from "../authority/command-signer.ts";
import { call, type CallResult } from "../gateway/agent-client.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import type { ApplyRow, HostTransactionRow, PlanRow } from "../store/tables.ts";
import type { SagaAction } from "./view.ts";

/** The messages of the saga, each signed for this server, this request, this fence. */
export type Sending = Extract<
  SagaAction,
  { kind: "ask" | "send_prepare" | "send_execute" | "send_confirm" | "send_abort" }
>;

export interface CallContext {
  readonly session: AgentSession;
  readonly commands: CommandSigner;
  /** What the config names, sealed for this server; asked for when it is sent. */
  readonly secrets: () => Promise<PrepareCommand["secrets"]>;
  readonly apply: ApplyRow;
  readonly sent: HostTransactionRow;
  readonly plan: PlanRow;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Validation of a long rule set and the snapshots. */
const PREPARE_TIMEOUT_MS = 15_000;
/** Answers are read from the ledger; confirming also writes the boot configuration. */
const SHORT_TIMEOUT_MS = 10_000;
/** On top of the steps' budgets, for arming and reading back. */
const EXECUTE_EXTRA_MS = 10_000;

/** A finding of the plan by which its reader was told that drift is overwritten; without it the server refuses where drift overlaps. */
export const OVERWRITES_DRIFT = "plan.overwrites_drift";

export async function sendToAgent(action: Sending, context: CallContext): Promise<CallResult<TransactionMessage>> {
  const { session, sent, plan, signal } = context;
  const { client } = session;
  const short = { timeoutMs: SHORT_TIMEOUT_MS, signal };
  switch (action.kind) {
    case "ask":
      return call(client.getTransaction({ requestId: sent.request_id }, short));
    case "send_prepare": {
      const secrets = await context.secrets();
      return call(
        client.prepare(
          sign(context, {
            case: "prepare",
            value: {
              $typeName: "holdfast.v1.PrepareCommand",
              kind: sent.kind,
              configJson: plan.config ?? "",
              configDigest: sent.config_digest,
              planDigest: sent.plan_digest,
              baseGeneration: BigInt(plan.base_generation ?? 0),
              overwriteDrift: plan.findings.some((finding) => finding.code === OVERWRITES_DRIFT),
              secrets,
            },
          }),
          { timeoutMs: PREPARE_TIMEOUT_MS, signal },
        ),
      );
    }
    case "send_execute":
      return call(
        client.execute(
          sign(context, { case: "execute", value: { $typeName: "holdfast.v1.ExecuteCommand", nonce: sent.nonce } }),
          {
            timeoutMs: sent.trial.budgetMs + EXECUTE_EXTRA_MS,
            signal,
          },
        ),
      );
    case "send_confirm":
      return call(
        client.confirm(
          sign(context, { case: "confirm", value: { $typeName: "holdfast.v1.ConfirmCommand", nonce: sent.nonce } }),
          short,
        ),
      );
    case "send_abort":
      return call(
        client.abort(
          sign(context, {
            case: "abort",
            value: { $typeName: "holdfast.v1.AbortCommand", code: action.code, message: action.message },
          }),
          short,
        ),
      );
    default:
      return assertNever(action, "sending");
  }
}

function sign({ commands, apply, sent, nowMs }: CallContext, verb: Command["verb"]) {
  if (apply.fence === null) throw new Error(`apply ${apply.id} was never claimed`);
  return commands.sign({
    serverId: apply.server_id,
    requestId: sent.request_id,
    fence: BigInt(apply.fence),
    expiresAtMs: BigInt(Math.round(nowMs) + COMMAND_LIFE_MS),
    applyId: apply.id,
    changeId: apply.change_id,
    actor: `user/${apply.requested_by}`,
    verb,
  });
}
