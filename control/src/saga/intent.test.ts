import { expect, test } from "vitest";
import { intentOf, type SentStamp } from "./intent.ts";
import type { SagaAction, SagaView, TransactionView } from "./view.ts";

const SENT: TransactionView = {
  kind: "forward",
  fence: 7,
  createdAtMs: 0,
  prepareSentAtMs: null,
  executeSentAtMs: null,
  confirmSentAtMs: null,
  abortSentAtMs: null,
  freshSinceMs: null,
  probes: [],
  baseline: null,
  soakMs: 0,
  windowMs: 120_000,
  budgetMs: 5_000,
  needsPerson: false,
  before: null,
};

function view(phase: SagaView["phase"], sent: Partial<TransactionView> = {}): SagaView {
  return {
    state: "APPLYING",
    phase,
    code: null,
    message: null,
    wish: null,
    wishReason: null,
    certificateEndsMs: Number.POSITIVE_INFINITY,
    unsigned: null,
    transaction: { ...SENT, ...sent },
    answer: null,
    trial: null,
  };
}

const abort = { kind: "send_abort", code: "apply.aborted", message: "why" } as const;

test.each<[Extract<SagaAction, { kind: `send_${string}` }>, SentStamp, object]>([
  [{ kind: "send_prepare" }, "prepare_sent_at", { state: "APPLYING", phase: "dispatched" }],
  [{ kind: "send_execute" }, "execute_sent_at", { state: "APPLYING", phase: "armed", deadlineInMs: 125_000 }],
  [{ kind: "send_confirm" }, "confirm_sent_at", { state: "APPLYING", phase: "confirming" }],
  [{ ...abort, undoes: false }, "abort_sent_at", { state: "APPLYING", phase: "in_doubt", code: "apply.aborted" }],
  [{ ...abort, undoes: true }, "abort_sent_at", { state: "ROLLBACKING", phase: "reverting", message: "why" }],
])("before $kind leaves, its stamp is durable", (action, stamp, expected) => {
  expect(intentOf(view("in_doubt"), action)).toMatchObject({ ...expected, stamp });
});

test("what the row says already is not written again", () => {
  expect(intentOf(view("armed", { executeSentAtMs: 5 }), { kind: "send_execute" })).toBeNull();
  expect(intentOf(view("changing"), { kind: "wait", ms: 1, phase: "changing" })).toBeNull();
  expect(intentOf(view("changing"), { kind: "ask" })).toBeNull();
  // Over the old session it was on trial already; that the server is back over a new one is written once.
  const back = { rounds: [], freshSinceMs: 9 };
  const waiting = { kind: "wait", ms: 1, phase: "on_trial" } as const;
  expect(intentOf({ ...view("on_trial"), trial: back }, waiting)).toMatchObject({ phase: "on_trial", stamp: null });
  expect(intentOf({ ...view("on_trial", { freshSinceMs: 9 }), trial: back }, waiting)).toBeNull();
  // The phase alone is no proof that the message was marked.
  expect(intentOf(view("armed"), { kind: "send_execute" })).toMatchObject({ stamp: "execute_sent_at" });
});
