import { assertNever } from "@holdfast/core/base/never.ts";
import type { PrepareCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import type { Transaction as TransactionMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { call, type CallResult } from "../gateway/agent-client.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import type { CommandSigner, Signing } from "../signer/command-signer.ts";
import type { SigningWish } from "../signer/wire.ts";
import type { SentKind } from "../store/host-transactions.ts";
import type { ApplyRow, HostTransactionRow } from "../store/tables.ts";
import { type ApplyTrace, traced } from "../trace/apply-trace.ts";
import type { SagaAction } from "./view.ts";

/** The messages of the saga, each signed for this server, this request, this fence. */
export type Sending = Extract<
  SagaAction,
  { kind: "ask" | "send_prepare" | "send_execute" | "send_confirm" | "send_abort" }
>;

/** Under which name its intent stands in the row. */
export const SENT_AS = {
  send_prepare: "prepare",
  send_execute: "execute",
  send_confirm: "confirm",
  send_abort: "abort",
} as const satisfies Record<Exclude<Sending["kind"], "ask">, SentKind>;

export interface CallContext {
  readonly session: AgentSession;
  readonly commands: CommandSigner;
  /** What the config names, sealed for this server; asked for when it is sent. */
  readonly secrets: () => Promise<PrepareCommand["secrets"]>;
  readonly apply: ApplyRow;
  readonly sent: HostTransactionRow;
  readonly trace: ApplyTrace | null;
  readonly signal: AbortSignal;
}

/** Validation of a long rule set and the snapshots. */
const PREPARE_TIMEOUT_MS = 15_000;
/** Answers are read from the ledger; confirming also writes the boot configuration. */
const SHORT_TIMEOUT_MS = 10_000;
/** On top of the steps' budgets, for arming and reading back. */
const EXECUTE_EXTRA_MS = 10_000;

/** Nothing has left: the signer of commands does not sign it, or cannot now. */
export type Unsigned = Exclude<Signing, { kind: "signed" }>;

export type Sent =
  | CallResult<TransactionMessage>
  | { readonly kind: "unsigned"; readonly refused: boolean; readonly code: string; readonly message: string };

export async function sendToAgent(action: Sending, context: CallContext): Promise<Sent> {
  const { session, sent, trace, signal } = context;
  const { client } = session;
  if (action.kind === "ask")
    return call(client.getTransaction({ requestId: sent.request_id }, { timeoutMs: SHORT_TIMEOUT_MS, signal }));
  const signed = await traced(trace, "sign", async () => context.commands.sign(await wishOf(action, context)));
  if (signed.kind !== "signed") return unsigned(signed);
  const { command } = signed;
  const headers = trace?.headersFor(SENT_AS[action.kind]) ?? {};
  const short = { timeoutMs: SHORT_TIMEOUT_MS, headers, signal };
  switch (action.kind) {
    case "send_prepare":
      return call(client.prepare(command, { timeoutMs: PREPARE_TIMEOUT_MS, headers, signal }));
    case "send_execute":
      return call(client.execute(command, { timeoutMs: sent.trial.budgetMs + EXECUTE_EXTRA_MS, headers, signal }));
    case "send_confirm":
      return call(client.confirm(command, short));
    case "send_abort":
      return call(client.abort(command, short));
    default:
      return assertNever(action, "sending");
  }
}

async function wishOf(action: Exclude<Sending, { kind: "ask" }>, context: CallContext): Promise<SigningWish> {
  const { apply, sent } = context;
  if (apply.fence === null) throw new Error(`apply ${apply.id} was never claimed`);
  const common = { serverId: apply.server_id, requestId: sent.request_id, fence: apply.fence };
  switch (action.kind) {
    case "send_prepare": {
      const secrets = (await context.secrets()).map(({ file, ephemeralKey, sealed }) => ({
        file,
        ephemeralKey: Buffer.from(ephemeralKey).toString("base64"),
        sealed: Buffer.from(sealed).toString("base64"),
      }));
      return { ask: "prepare", ...common, secrets };
    }
    case "send_execute":
      return { ask: "execute", ...common };
    case "send_confirm":
      return { ask: "confirm", ...common };
    case "send_abort":
      return { ask: "abort", ...common, code: action.code.slice(0, 200), message: action.message.slice(0, 8_000) };
    default:
      return assertNever(action, "sending");
  }
}

function unsigned({ kind, code, message }: Unsigned): Sent {
  return { kind: "unsigned", refused: kind === "refused", code, message };
}
