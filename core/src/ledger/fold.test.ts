import fc from "fast-check";
import { expect, test } from "vitest";
import {
  checkNext,
  EMPTY_LEDGER,
  foldRecord,
  isForgotten,
  MOST_OUTCOMES,
  needsUndo,
  openTransaction,
  pruneState,
  REMEMBERED_OUTCOMES,
  transactionOf,
} from "./fold.ts";
import { LEDGER_KINDS, type LedgerKind } from "./kind.ts";
import { parseRecord, recordBody, type LedgerRecord, type LedgerState, type TransactionDraft } from "./record.ts";

const id = (n: number): string => `01930000-0000-7000-8000-${String(n).padStart(12, "0")}`;

function draft(kind: LedgerKind, requestId: string, fence: number, state: LedgerState): TransactionDraft {
  const drafts = {
    prepared: {
      applyId: "",
      changeId: "",
      actor: "kim",
      transactionKind: "forward",
      configDigest: "c".repeat(64),
      planDigest: "p",
      baseGeneration: 0,
      manifestDigest: "m",
      budgetMs: 10,
      windowMs: 1000,
      reconnectMs: 500,
      domains: ["firewall"],
    },
    armed: { nonceSha256: "n", deadlineMs: 5000 },
    step_begin: { stepId: "firewall.batch", title: "Load the rules", domain: "firewall", digest: "d" },
    step_done: { stepId: "firewall.batch", liveDigest: "l" },
    on_trial: { liveDigests: { firewall: "l" }, deadlineMs: 4000, reconnectByMs: 3000, monotonicNs: "1" },
    confirmed: { generation: state.generation + 1, configDigest: "c".repeat(64) },
    finalized: { generation: state.generation, liveDigest: "l" },
    reverting: { code: "trial.deadline", message: "nobody confirmed" },
    reverted: { code: "trial.deadline", message: "nobody confirmed", liveDigest: "b", changed: true },
    revert_failed: { code: "trial.deadline", message: "nft said no", attempt: 1, domains: ["firewall"] },
    refused: { code: "plan.moved", message: "the plan has moved", findings: [] },
  } as const satisfies { [Kind in LedgerKind]: Extract<TransactionDraft, { kind: Kind }>["detail"] };
  return { kind, requestId, fence, detail: drafts[kind] } as TransactionDraft;
}

function write(
  state: LedgerState,
  what: TransactionDraft | { kind: "acknowledged" | "released"; detail: object },
): LedgerState {
  const record = {
    requestId: "",
    fence: 0,
    ...what,
    sequence: state.nextSequence,
    bootId: "boot",
    boottimeMs: 1,
    atMs: 2,
  } as LedgerRecord;
  const parsed = parseRecord(recordBody(record));
  if (!parsed.ok) throw new Error(parsed.error);
  const folded = foldRecord(state, parsed.value, `hash${record.sequence}`);
  if (!folded.ok) throw new Error(folded.error);
  return folded.value;
}

const life = (state: LedgerState, requestId: string, fence: number, kinds: readonly LedgerKind[]): LedgerState =>
  kinds.reduce((now, kind) => write(now, draft(kind, requestId, fence, now)), state);

test("a whole life raises the generation once and leaves nothing open", () => {
  const state = life(EMPTY_LEDGER, id(1), 3, [
    "prepared",
    "armed",
    "step_begin",
    "step_done",
    "on_trial",
    "confirmed",
    "finalized",
  ]);
  expect(state).toMatchObject({ generation: 1, maxFence: 3, confirmed: { requestId: id(1) }, lock: null });
  expect(openTransaction(state)).toBeNull();
  expect(transactionOf(state, id(1))).toMatchObject({
    last: "finalized",
    begun: ["firewall"],
    changed: true,
    head: "hash6",
  });
});

// I3.
test("L1: of confirmed and reverting only the first can be written", () => {
  const trial = life(EMPTY_LEDGER, id(1), 1, ["prepared", "armed", "on_trial"]);
  const confirmed = life(trial, id(1), 1, ["confirmed"]);
  expect(checkNext(confirmed, draft("reverting", id(1), 1, confirmed))).toMatchObject({
    ok: false,
    error: { code: "ledger.not_next" },
  });
  const reverting = life(trial, id(1), 1, ["reverting"]);
  expect(checkNext(reverting, draft("confirmed", id(1), 1, reverting))).toMatchObject({
    ok: false,
    error: { code: "ledger.not_next" },
  });
});

// I9.
test("D1, D2: a second transaction is refused while one is open, and needs a higher fence after it", () => {
  const open = life(EMPTY_LEDGER, id(1), 5, ["prepared", "armed"]);
  expect(checkNext(open, draft("prepared", id(2), 6, open))).toMatchObject({
    ok: false,
    error: { code: "ledger.busy" },
  });
  const done = life(open, id(1), 5, ["reverting", "reverted"]);
  expect(checkNext(done, draft("prepared", id(2), 5, done))).toMatchObject({
    ok: false,
    error: { code: "ledger.fence_stale" },
  });
  expect(checkNext(done, draft("prepared", id(2), 6, done))).toMatchObject({ ok: true });
});

// I22.
test("D4: a failed undo locks the server; a later undo or a person unlocks it", () => {
  const failed = life(EMPTY_LEDGER, id(1), 1, ["prepared", "armed", "step_begin", "reverting", "revert_failed"]);
  expect(failed.lock).toMatchObject({ code: "server.restore_failed" });
  expect(openTransaction(failed)?.requestId).toBe(id(1));
  expect(life(failed, id(1), 1, ["reverting", "reverted"]).lock).toBeNull();
  const released = write(failed, { kind: "released", detail: { reason: "repaired by hand", actor: "kim" } });
  expect(released.lock).toBeNull();
  expect(openTransaction(released)).toBeNull();
});

test("D5: acknowledged outcomes are forgotten beyond 64, the one in force never, and what is forgotten is stale", () => {
  let state = life(EMPTY_LEDGER, id(1), 1, ["prepared", "armed", "on_trial", "confirmed", "finalized"]);
  for (let n = 2; n <= 100; n++) state = life(state, id(n), n, ["refused"]);
  state = write(state, {
    kind: "acknowledged",
    detail: { requestIds: Array.from({ length: 90 }, (_, n) => id(n + 1)) },
  });
  const pruned = pruneState(state);
  expect(pruned.transactions.filter((one) => one.acknowledged && one.requestId !== id(1))).toHaveLength(
    REMEMBERED_OUTCOMES,
  );
  expect(transactionOf(pruned, id(1))).not.toBeNull();
  expect(transactionOf(pruned, id(100))).not.toBeNull();
  expect(isForgotten(pruned, id(2))).toBe(true);
  expect(isForgotten(pruned, id(200))).toBe(false);
  for (let n = 101; n <= 400; n++) state = life(state, id(n), n, ["refused"]);
  expect(pruneState(state).transactions).toHaveLength(MOST_OUTCOMES + 1);
});

test("the text of a record is ASCII and comes back equal, whatever people typed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (message) => {
      const record = {
        ...draft("reverting", id(1), 1, EMPTY_LEDGER),
        detail: { code: "operator.abort", message },
        sequence: 0,
        bootId: "b",
        boottimeMs: 0,
        atMs: 0,
      } as LedgerRecord;
      const body = recordBody(record);
      expect(body).toMatch(/^[\x20-\x7e]*$/);
      expect(parseRecord(body)).toEqual({ ok: true, value: record });
    }),
    { numRuns: 200 },
  );
});

test("parse refuses what the ledger never writes", () => {
  const good = recordBody({
    ...draft("armed", id(1), 1, EMPTY_LEDGER),
    sequence: 0,
    bootId: "b",
    boottimeMs: 0,
    atMs: 0,
  });
  for (const bad of [
    "",
    "null",
    "[]",
    good.replace("armed", "disarmed"),
    good.replace('"fence":1', '"fence":-1'),
    good.replace('"n"', "7"),
    good.replace("{", '{"more":1,'),
  ]) {
    expect(parseRecord(bad).ok).toBe(false);
  }
});

// I23.
test("whatever is tried in whatever order, the invariants hold", () => {
  const attempt = fc.record({
    kind: fc.constantFrom(...LEDGER_KINDS),
    request: fc.integer({ min: 1, max: 3 }),
    fence: fc.integer({ min: 0, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 60 }), (attempts) => {
      let state = EMPTY_LEDGER;
      const verdicts = new Map<string, Set<LedgerKind>>();
      for (const { kind, request, fence } of attempts) {
        const what = draft(kind, id(request), fence, state);
        if (!checkNext(state, what).ok) continue;
        const before = state;
        state = write(state, what);
        const seen = verdicts.get(id(request)) ?? new Set();
        verdicts.set(id(request), seen.add(kind));
        expect(state.maxFence).toBeGreaterThanOrEqual(before.maxFence);
        expect(state.generation - before.generation).toBe(kind === "confirmed" ? 1 : 0);
        expect(seen.has("confirmed") && seen.has("reverting")).toBe(false);
        expect(state.transactions.filter(needsUndo).length).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 300 },
  );
});
