import { mayMove } from "@holdfast/core/apply/state.ts";
/**
 * The saga's decisions against a guard's ledger, over a wire that loses, doubles and delays, with power cuts, kills of the control plane,
 * wishes at any moment and a clock that jumps. The rows are plain objects that survive a kill; nothing else does.
 */
import { isUnsettled, type LedgerKind } from "@holdfast/core/ledger/kind.ts";
import { type LedgerAnswer, SimulatedLedger, last, serverIsAfter } from "@holdfast/testkit/simulated-agent/ledger.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Answer, AnswerPhase } from "./answer.ts";
import { decide } from "./decide.ts";
import { intentOf } from "./intent.ts";
import type { ProbeRound } from "./trial.ts";
import type { Ending, SagaAction, SagaView, TransactionView, Wish } from "./view.ts";

const WINDOW_MS = 120_000;
const PROBE = {
  id: "ssh",
  direction: "inbound",
  protocol: "tcp",
  address: "self",
  port: 22,
  expected: "open",
  origin: "floor",
} as const;

type Fate = "arrives" | "request_lost" | "answer_lost" | "late" | "twice";

type Event =
  | { readonly kind: "saga"; readonly fate: Fate }
  | {
      readonly kind:
        | "advance"
        | "reboot"
        | "kill"
        | "reconnect"
        | "deliver_late"
        | "fail_step"
        | "fail_revert"
        | "refuse_prepare"
        | "cut"
        | "fence_ahead";
    }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "wish"; readonly wish: Wish };

interface Row extends Omit<SagaView, "answer" | "trial" | "transaction"> {
  readonly transaction: TransactionView;
}

class World {
  nowMs = 1_000_000;
  readonly ledger = new SimulatedLedger({ windowMs: WINDOW_MS, stepMs: 5_000 });
  readonly requestId = "request";
  serverFence = 0;
  row: Row;
  ending: Ending | null = null;
  answer: Answer | null = null;
  rounds: ProbeRound[] = [];
  freshSinceMs: number | null = null;
  freshSession = true;
  cut = false;
  executed = 0;
  readonly late: (() => void)[] = [];
  readonly records: LedgerKind[][] = [];

  constructor() {
    this.serverFence += 1;
    this.row = {
      state: "APPLYING",
      phase: "dispatched",
      code: null,
      message: null,
      wish: null,
      wishReason: null,
      certificateEndsMs: Number.POSITIVE_INFINITY,
      unsigned: null,
      transaction: {
        kind: "forward",
        fence: this.serverFence,
        createdAtMs: this.nowMs,
        prepareSentAtMs: null,
        executeSentAtMs: null,
        confirmSentAtMs: null,
        abortSentAtMs: null,
        freshSinceMs: null,
        probes: [PROBE],
        baseline: null,
        soakMs: 2_000,
        windowMs: WINDOW_MS,
        budgetMs: 5_000,
        needsPerson: false,
        before: null,
      },
    };
  }

  view(): SagaView {
    return {
      ...this.row,
      answer: this.answer,
      trial: this.freshSinceMs === null ? null : { rounds: this.rounds, freshSinceMs: this.freshSinceMs },
    };
  }

  happen(event: Event): void {
    switch (event.kind) {
      case "saga":
        if (this.ending === null) this.act(decide(this.view(), this.nowMs), event.fate);
        return;
      case "advance": {
        const before = this.ledger.transactions.get(this.requestId)?.records.length;
        this.ledger.advance(this.requestId, this.nowMs);
        const transaction = this.ledger.transactions.get(this.requestId);
        // After the change every older session is closed.
        if (transaction !== undefined && last(transaction) === "on_trial" && transaction.records.length !== before)
          this.loseSession(false);
        return;
      }
      case "reboot":
        this.ledger.reboot(this.nowMs);
        this.loseSession(true);
        return;
      case "kill": // another instance takes over: a new claim, nothing in memory
        this.claim();
        this.loseSession(true);
        return;
      case "reconnect":
        this.loseSession(true);
        return;
      case "deliver_late":
        this.late.shift()?.();
        return;
      case "fail_step":
        this.ledger.faults.failStep = { code: "step.failed", message: "no" };
        return;
      case "fail_revert":
        this.ledger.faults.failRevert = true;
        return;
      case "refuse_prepare":
        this.ledger.faults.refusePrepare = { code: "config.invalid", message: "no" };
        return;
      case "cut":
        this.cut = true;
        return;
      case "fence_ahead":
        this.ledger.maxFence += 3;
        return;
      case "pass":
        this.nowMs += event.ms;
        this.ledger.tick(this.nowMs);
        return;
      case "wish":
        if (this.ending === null) this.row = { ...this.row, wish: event.wish };
        return;
    }
  }

  act(action: SagaAction, fate: Fate): void {
    if (action.kind === "finish") return this.finish(action.ending);
    if (action.kind === "raise_fence") {
      this.serverFence = Math.max(this.serverFence, action.above);
      return this.claim();
    }
    this.write(action);
    const { requestId } = this;
    const { fence } = this.row.transaction;
    const nonce = "nonce";
    switch (action.kind) {
      case "ask":
        return this.send(fate, () => this.ledger.ask(requestId));
      case "wait":
        this.nowMs += Math.min(action.ms, 1_000);
        this.ledger.tick(this.nowMs);
        this.answer = null;
        return;
      case "send_prepare":
        return this.send(fate, () =>
          this.ledger.prepare(
            { requestId, fence, kind: "forward", configDigest: "wanted", planDigest: "plan", baseGeneration: 0 },
            this.nowMs,
          ),
        );
      case "take_baseline":
        this.row = { ...this.row, transaction: { ...this.row.transaction, baseline: { ssh: "open" } } };
        return;
      case "send_execute":
        return this.send(fate, () => this.ledger.execute({ requestId, fence, nonce }, this.nowMs));
      case "probe":
        this.rounds.push({
          atMs: this.nowMs,
          results: { ssh: this.cut && this.ledger.live === "wanted" ? "closed" : "open" },
        });
        this.nowMs += 700;
        return;
      case "send_confirm": {
        const round = this.rounds.at(-1);
        if (this.row.transaction.confirmSentAtMs === this.nowMs)
          expect(round?.results["ssh"], "S2: confirmed with a failing probe").toBe("open");
        const fresh = this.freshSession;
        return this.send(fate, () => this.ledger.confirm({ requestId, fence, nonce }, fresh, this.nowMs));
      }
      case "send_abort":
        return this.send(fate, () =>
          this.ledger.abort({ requestId, fence, code: action.code, message: action.message }, this.nowMs),
        );
      case "begin_undo":
        return;
    }
  }

  write(action: Exclude<SagaAction, { kind: "finish" | "raise_fence" }>): void {
    const intent = intentOf(this.view(), action);
    if (intent === null) return;
    if (intent.state !== this.row.state) expect(mayMove(this.row.state, intent.state), "invariant 13").toBe(true);
    const { transaction } = this.row;
    const sent = {
      prepare_sent_at: "prepareSentAtMs",
      execute_sent_at: "executeSentAtMs",
      confirm_sent_at: "confirmSentAtMs",
      abort_sent_at: "abortSentAtMs",
    } as const;
    const stamped =
      intent.stamp === null ? {} : { [sent[intent.stamp]]: transaction[sent[intent.stamp]] ?? this.nowMs };
    if (transaction.abortSentAtMs !== null)
      expect(["execute_sent_at", "confirm_sent_at"], "S3").not.toContain(intent.stamp);
    this.row = {
      ...this.row,
      state: intent.state,
      phase: intent.phase,
      code: intent.code,
      message: intent.message,
      transaction: { ...transaction, ...stamped },
    };
  }

  /** One message over the wire. A late one is delivered again when it pleases the wire, for ever the same bytes. */
  send(fate: Fate, deliver: () => LedgerAnswer): void {
    if (fate === "late") this.late.push(deliver);
    if (fate === "request_lost" || fate === "late") return this.hear(null);
    const answer = deliver();
    if (fate === "twice") deliver();
    this.hear(fate === "answer_lost" ? null : answer);
  }

  hear(answer: LedgerAnswer | null): void {
    this.answer = answer === null || answer.kind === "rejected" ? null : this.read(answer);
    if (this.answer?.phase === "on_trial" && this.answer.fresh) this.freshSinceMs ??= this.nowMs;
  }

  read(answer: Exclude<LedgerAnswer, { kind: "rejected" }>): Answer {
    const transaction = answer.kind === "transaction" ? answer.transaction : null;
    const phase = transaction === null ? (answer.kind === "unknown" ? "unknown" : "stale") : WORDS[last(transaction)];
    return {
      phase,
      maxFence: this.ledger.maxFence,
      code: transaction?.code ?? "",
      message: transaction?.message ?? "",
      serverIs: transaction === null ? "unknown" : serverIsAfter(transaction),
      lastStep: "",
      remainingMs: 0,
      generation: this.ledger.generation,
      liveDigest: this.ledger.live,
      receipt: "valid",
      fresh: this.freshSession,
    };
  }

  loseSession(fresh: boolean): void {
    this.answer = null;
    this.rounds = [];
    this.freshSinceMs = null;
    this.freshSession = fresh;
  }

  claim(): void {
    this.serverFence += 1;
    this.row = { ...this.row, transaction: { ...this.row.transaction, fence: this.serverFence } };
    this.answer = null;
  }

  finish(ending: Ending): void {
    // By way of ROLLBACKING where the table has no step of its own.
    const direct = mayMove(this.row.state, ending.state);
    expect(
      direct || (mayMove(this.row.state, "ROLLBACKING") && mayMove("ROLLBACKING", ending.state)),
      `invariant 13: ${this.row.state} to ${ending.state}`,
    ).toBe(true);
    this.ending = ending;
  }
}

const WORDS = {
  prepared: "prepared",
  armed: "armed",
  step_begin: "changing",
  step_done: "changing",
  on_trial: "on_trial",
  confirmed: "confirmed",
  finalized: "finalized",
  reverting: "reverting",
  reverted: "reverted",
  revert_failed: "revert_failed",
  refused: "refused",
} as const satisfies Record<LedgerKind, AnswerPhase>;

function checkInvariants(world: World): void {
  const records = world.ledger.transactions.get(world.requestId)?.records ?? [];
  const { ending } = world;
  expect(records.includes("confirmed") && records.includes("reverting"), "invariant 3").toBe(false);
  expect(world.ledger.live !== "found" && !records.includes("armed"), "invariant 6").toBe(false);
  if (records.includes("finalized")) expect(world.ledger.live, "invariant 5").toBe("wanted");
  if (ending === null) return;
  if (ending.state === "APPLIED") expect(records, "invariant 1").toContain("confirmed");
  if (ending.state === "ROLLED_BACK") {
    expect(records, "invariant 2").not.toContain("confirmed");
    expect(records.includes("reverted") || !records.includes("armed"), "invariant 2").toBe(true);
    expect(world.ledger.live, "invariant 4").toBe("found");
  }
  if (ending.effect === "none") {
    expect(records, "effect none").not.toContain("armed");
    expect(world.ledger.live, "effect none").toBe("found");
  }
  if (ending.effect === "restore_failed") expect(records).toContain("revert_failed");
  if (ending.effect === "unknown")
    expect(world.row.wish === "force_close" || ending.code === "apply.ledger_lost").toBe(true);
}

const fate = fc.constantFrom<Fate>("arrives", "arrives", "request_lost", "answer_lost", "late", "twice");
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 14, arbitrary: fc.record({ kind: fc.constant("saga" as const), fate }) },
  { weight: 8, arbitrary: fc.constant({ kind: "advance" as const }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      { kind: "reconnect" as const },
      { kind: "kill" as const },
      { kind: "deliver_late" as const },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: "reboot" as const },
      { kind: "fail_step" as const },
      { kind: "fail_revert" as const },
      { kind: "refuse_prepare" as const },
      { kind: "cut" as const },
      { kind: "fence_ahead" as const },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      ms: fc.constantFrom(500, 3_000, 40_000, 130_000, 400_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("wish" as const),
      wish: fc.constantFrom<Wish>("confirm", "abort", "abort", "force_close"),
    }),
  },
);

test("I1-I6, I13 over random histories, and every history ends once the wire is quiet (I14)", () => {
  const endings = new Set<string>();
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const world = new World();
      for (const each of events) {
        world.happen(each);
        checkInvariants(world);
      }
      // From here on everything arrives: what is open must come to an end.
      world.loseSession(true);
      for (let step = 0; step < 400 && world.ending === null; step += 1) {
        world.happen({ kind: "saga", fate: "arrives" });
        world.happen({ kind: "advance" });
        const open = world.ledger.transactions.get(world.requestId);
        if (!world.freshSession && open !== undefined && isUnsettled(last(open))) world.loseSession(true);
        checkInvariants(world);
      }
      expect(world.ending, `I14: still ${world.row.state}/${world.row.phase} after the wire is quiet`).not.toBeNull();
      const after = world.ending;
      // What the wire still holds changes nothing any more.
      for (const deliver of world.late) deliver();
      world.ledger.tick(world.nowMs + 1_000_000);
      checkInvariants(world);
      if (after !== null) endings.add(`${after.state} ${after.effect ?? ""} ${after.serverIs}`.trim());
    }),
    { numRuns: 4_000 },
  );
  // A model that never reaches an ending proves nothing about it.
  expect([...endings].toSorted()).toEqual([
    "APPLIED  as_requested",
    "FAILED none as_before",
    "FAILED restore_failed mixed",
    "FAILED unknown unknown",
    "ROLLED_BACK  as_before",
  ]);
});
