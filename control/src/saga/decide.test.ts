import type { Probe } from "@holdfast/core/plan/probe.ts";
import { expect, test } from "vitest";
import type { Answer, AnswerPhase } from "./answer.ts";
import { backOffMs, decide, LONGEST_LOOK_MS, PREPARE_REACH_MS, STUCK_GRACE_MS } from "./decide.ts";
import type { SagaView, TransactionView } from "./view.ts";

const NOW = 1_000_000_000;

const ssh: Probe = {
  id: "ssh",
  direction: "inbound",
  protocol: "tcp",
  address: "self",
  port: 22,
  expected: "open",
  origin: "floor",
};

const SENT: TransactionView = {
  kind: "forward",
  fence: 7,
  createdAtMs: NOW - 1_000,
  prepareSentAtMs: NOW - 900,
  executeSentAtMs: NOW - 500,
  confirmSentAtMs: null,
  abortSentAtMs: null,
  freshSinceMs: null,
  probes: [ssh],
  baseline: { ssh: "open" },
  soakMs: 0,
  windowMs: 120_000,
  budgetMs: 5_000,
  needsPerson: false,
  before: null,
};

const ANSWER: Answer = {
  phase: "on_trial",
  maxFence: 7,
  code: "",
  message: "",
  serverIs: "unknown",
  lastStep: "",
  remainingMs: 100_000,
  generation: 0,
  liveDigest: "",
  receipt: "missing",
  fresh: true,
};

interface Over {
  readonly transaction?: Partial<TransactionView>;
  readonly answer?: Partial<Answer> | null;
}

function view(over: Over & Partial<Omit<SagaView, "transaction" | "answer">> = {}): SagaView {
  const { transaction, answer, ...rest } = over;
  return {
    state: "APPLYING",
    phase: "on_trial",
    code: null,
    message: null,
    wish: null,
    wishReason: null,
    certificateEndsMs: Number.POSITIVE_INFINITY,
    unsigned: null,
    trial: { rounds: [], freshSinceMs: NOW - 100 },
    ...rest,
    transaction: { ...SENT, ...transaction },
    answer: answer === null ? null : { ...ANSWER, ...answer },
  };
}

const unsent = { prepareSentAtMs: null, executeSentAtMs: null, baseline: null } as const;
const unexecuted = { executeSentAtMs: null } as const;
const greenRound = { rounds: [{ atMs: NOW - 10, results: { ssh: "open" as const } }], freshSinceMs: NOW - 100 };

test.each<[string, SagaView, object]>([
  ["nothing sent yet", view({ transaction: unsent, answer: null }), { kind: "send_prepare" }],
  ["sent, nothing heard in this session", view({ answer: null }), { kind: "ask" }],
  [
    "the agent's certificate would expire in the window (row 32)",
    view({ transaction: unsent, answer: null, certificateEndsMs: NOW + SENT.budgetMs + SENT.windowMs }),
    { kind: "finish", ending: { state: "FAILED", effect: "none", code: "apply.certificate_expires" } },
  ],
  [
    "the certificate expires soon, and the server may have begun",
    view({ answer: null, certificateEndsMs: NOW + 1 }),
    { kind: "ask" },
  ],
  [
    "Prepare was lost",
    view({ transaction: unexecuted, answer: { phase: "unknown", maxFence: 6 } }),
    { kind: "send_prepare" },
  ],
  [
    "Prepare was lost and the fence is used up",
    view({ transaction: unexecuted, answer: { phase: "unknown" } }),
    { kind: "raise_fence", above: 7 },
  ],
  [
    "the agent's fence is ahead (row 30)",
    view({ transaction: unexecuted, answer: { phase: "prepared", maxFence: 40 } }),
    { kind: "raise_fence", above: 40 },
  ],
  [
    "not reached for five minutes",
    view({
      transaction: { ...unexecuted, createdAtMs: NOW - PREPARE_REACH_MS - 1 },
      answer: { phase: "unknown", maxFence: 6 },
    }),
    { kind: "send_abort", undoes: false, code: "apply.prepare_timeout" },
  ],
  [
    "executed and forgotten, at a fence that no tombstone could be written with",
    view({ answer: { phase: "unknown", maxFence: 7 } }),
    { kind: "raise_fence", above: 7 },
  ],
  [
    "aborted at a fence that no tombstone could be written with",
    view({ transaction: unexecuted, wish: "abort", answer: { phase: "unknown", maxFence: 7 } }),
    { kind: "raise_fence", above: 7 },
  ],
  [
    "executed and forgotten",
    view({ answer: { phase: "unknown", maxFence: 6 } }),
    { kind: "send_abort", undoes: true, code: "apply.ledger_lost" },
  ],
  ["stale is no verdict", view({ answer: { phase: "stale" } }), { kind: "wait", phase: "in_doubt" }],
  [
    "prepared, no baseline",
    view({ transaction: { ...unexecuted, baseline: null }, answer: { phase: "prepared" } }),
    { kind: "take_baseline" },
  ],
  [
    "prepared, baseline taken",
    view({ transaction: unexecuted, answer: { phase: "prepared" } }),
    { kind: "send_execute" },
  ],
  ["Execute was lost", view({ answer: { phase: "prepared" } }), { kind: "send_execute" }],
  ["changing", view({ answer: { phase: "changing" } }), { kind: "wait", phase: "changing" }],
  ["on trial over an old session", view({ answer: { fresh: false } }), { kind: "wait", phase: "on_trial" }],
  ["on trial, nothing probed", view(), { kind: "probe" }],
  ["on trial, green", view({ trial: greenRound }), { kind: "send_confirm" }],
  [
    "on trial, green, a person is asked for",
    view({ trial: greenRound, transaction: { needsPerson: true } }),
    { kind: "wait", phase: "on_trial" },
  ],
  [
    "on trial, green, the person said yes",
    view({ trial: greenRound, transaction: { needsPerson: true }, wish: "confirm" }),
    { kind: "send_confirm" },
  ],
  [
    "a person's yes confirms nothing that is not green",
    view({ transaction: { needsPerson: true }, wish: "confirm" }),
    { kind: "probe" },
  ],
  ["Confirm was lost", view({ transaction: { confirmSentAtMs: NOW - 5 } }), { kind: "send_confirm" }],
  [
    "three failing rounds",
    view({
      trial: {
        freshSinceMs: NOW - 9_000,
        rounds: [1, 2, 3].map((round) => ({ atMs: NOW - 9_000 + round, results: { ssh: "closed" as const } })),
      },
    }),
    { kind: "send_abort", undoes: true, code: "apply.probe_failed" },
  ],
  [
    "an operator aborts the trial",
    view({ wish: "abort", wishReason: "wrong server" }),
    { kind: "send_abort", undoes: true, code: "apply.aborted", message: "wrong server" },
  ],
  [
    "an operator aborts what is prepared",
    view({ wish: "abort", transaction: unexecuted, answer: { phase: "prepared" } }),
    { kind: "send_abort", undoes: false },
  ],
  [
    "the abort was lost",
    view({ state: "ROLLBACKING", code: "apply.probe_failed", transaction: { abortSentAtMs: NOW - 5 } }),
    { kind: "send_abort", code: "apply.probe_failed" },
  ],
  [
    "after an abort nothing is executed",
    view({ transaction: { ...unexecuted, abortSentAtMs: NOW }, answer: { phase: "prepared" } }),
    { kind: "send_abort" },
  ],
  [
    "stuck",
    view({ transaction: { executeSentAtMs: NOW - 125_000 - STUCK_GRACE_MS - 1 }, answer: { phase: "changing" } }),
    { kind: "send_abort", undoes: true, code: "apply.stuck" },
  ],
  [
    "on trial is not stuck",
    view({ transaction: { executeSentAtMs: NOW - 125_000 }, trial: greenRound }),
    { kind: "send_confirm" },
  ],
  ["confirmed, not yet finalized", view({ answer: { phase: "confirmed" } }), { kind: "wait", phase: "finalizing" }],
  [
    "the server undoes by itself",
    view({ answer: { phase: "reverting", code: "trial.deadline" } }),
    { kind: "begin_undo", code: "trial.deadline" },
  ],
  ["undoing", view({ state: "ROLLBACKING", answer: { phase: "reverting" } }), { kind: "wait", phase: "reverting" }],
])("%s", (_name, given, expected) => {
  expect(decide(given, NOW)).toMatchObject(expected);
});

test.each<[string, SagaView, object]>([
  [
    "finalized",
    view({ answer: { phase: "finalized", receipt: "valid" } }),
    { state: "APPLIED", serverIs: "as_requested", confirmed: true },
  ],
  [
    "finalized before the abort came",
    view({ state: "ROLLBACKING", answer: { phase: "finalized", receipt: "valid" } }),
    { state: "APPLIED", code: "apply.abort_lost", confirmed: true },
  ],
  [
    "undone",
    view({ state: "ROLLBACKING", answer: { phase: "reverted", receipt: "valid", code: "trial.deadline" } }),
    { state: "ROLLED_BACK", effect: null, serverIs: "as_before", code: "trial.deadline" },
  ],
  [
    "undone while only prepared",
    view({ transaction: unexecuted, answer: { phase: "reverted", receipt: "valid" } }),
    { state: "FAILED", effect: "none" },
  ],
  [
    "not restored",
    view({ answer: { phase: "revert_failed", receipt: "valid", serverIs: "mixed" } }),
    { state: "FAILED", effect: "restore_failed", serverIs: "mixed", lock: { code: "server.restore_failed" } },
  ],
  [
    "not restored and yet 'as before'",
    view({ answer: { phase: "revert_failed", receipt: "valid", serverIs: "as_before" } }),
    { serverIs: "unknown" },
  ],
  [
    "refused",
    view({ transaction: unexecuted, answer: { phase: "refused", receipt: "valid", code: "plan.base_moved" } }),
    { state: "FAILED", effect: "none", code: "plan.base_moved" },
  ],
  [
    "tombstone of an undo that had nothing to undo",
    view({ state: "ROLLBACKING", answer: { phase: "refused", receipt: "valid" } }),
    { state: "ROLLED_BACK", serverIs: "as_before" },
  ],
  [
    "tombstone of a lost ledger",
    view({ state: "ROLLBACKING", code: "apply.ledger_lost", answer: { phase: "refused", receipt: "valid" } }),
    { state: "FAILED", effect: "unknown", lock: { code: "server.state_unknown" } },
  ],
  [
    "rollback confirmed",
    view({ state: "ROLLBACKING", transaction: { kind: "rollback" }, answer: { phase: "finalized", receipt: "valid" } }),
    { state: "ROLLED_BACK", confirmed: true },
  ],
  [
    "rollback undone",
    view({
      state: "ROLLBACKING",
      transaction: { kind: "rollback", before: { state: "APPLIED", effect: null, serverIs: "as_requested" } },
      answer: { phase: "reverted", receipt: "valid" },
    }),
    { state: "APPLIED", serverIs: "as_requested", code: "apply.rollback_was_undone", confirmed: false },
  ],
  [
    "rollback of a failed apply refused",
    view({
      state: "ROLLBACKING",
      transaction: { kind: "rollback", before: { state: "FAILED", effect: "restore_failed", serverIs: "mixed" } },
      answer: { phase: "refused", receipt: "valid" },
    }),
    { state: "FAILED", effect: "restore_failed", serverIs: "mixed" },
  ],
  [
    "rollback of an apply in doubt, whose own undo failed",
    view({
      state: "ROLLBACKING",
      transaction: { kind: "rollback", before: { state: "FAILED", effect: "unknown", serverIs: "unknown" } },
      answer: { phase: "revert_failed", receipt: "valid", serverIs: "mixed" },
    }),
    { state: "FAILED", effect: "unknown", serverIs: "unknown", lock: { code: "server.restore_failed" } },
  ],
  [
    "forced",
    view({ wish: "force_close", answer: null }),
    {
      state: "FAILED",
      effect: "unknown",
      serverIs: "unknown",
      raiseFence: true,
      lock: { code: "server.state_unknown" },
    },
  ],
  [
    "aborted before anything was sent",
    view({ wish: "abort", transaction: unsent, answer: null }),
    { state: "FAILED", effect: "none", outcome: null },
  ],
])("ends: %s", (_name, given, ending) => {
  expect(decide(given, NOW)).toMatchObject({ kind: "finish", ending });
});

test.each<AnswerPhase>(["finalized", "reverted", "revert_failed", "refused"])(
  "S1: %s without a valid receipt is in doubt",
  (phase) => {
    for (const receipt of ["missing", "invalid"] as const) {
      expect(decide(view({ answer: { phase, receipt } }), NOW)).toMatchObject({ kind: "wait", phase: "in_doubt" });
    }
  },
);

test("the way back off doubles to 30 s and stays there", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 60].map(backOffMs)).toEqual([
    0,
    1_000,
    2_000,
    4_000,
    8_000,
    16_000,
    LONGEST_LOOK_MS,
    LONGEST_LOOK_MS,
  ]);
});
