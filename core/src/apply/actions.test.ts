import fc from "fast-check";
import { expect, test } from "vitest";
import { applyActions, type ApplyView, changeActions, type ChangeView, rolloutActions } from "./actions.ts";
import { APPLY_STATES, EFFECTS, isOpen, mayMove, PHASES } from "./state.ts";
import { waitingFor } from "./waiting-for.ts";

const views: fc.Arbitrary<ApplyView> = fc.record({
  state: fc.constantFrom(...APPLY_STATES),
  phase: fc.option(fc.constantFrom(...PHASES)),
  effect: fc.option(fc.constantFrom(...EFFECTS)),
  wish: fc.option(fc.constantFrom("confirm" as const, "abort" as const, "force_close" as const)),
  needsPerson: fc.boolean(),
  isRollback: fc.boolean(),
  superseded: fc.boolean(),
  retried: fc.boolean(),
  quarantinedFor: fc.option(fc.constant("verify.mismatch")),
  serverRefuses: fc.option(fc.constant("web-1 is paused.")),
});

test("B1: no button asks for a step that the state table does not have", () => {
  fc.assert(
    fc.property(views, (view) => {
      const actions = applyActions(view);
      if (actions.rollback === null) expect(mayMove(view.state, "ROLLBACKING", view.effect)).toBe(true);
      if (actions.confirm === null || actions.forceClose === null) expect(isOpen(view.state)).toBe(true);
      if (actions.abort === null) expect(isOpen(view.state) || mayMove(view.state, "CANCELLED")).toBe(true);
      if (actions.retry === null) {
        expect(["ROLLED_BACK", "CANCELLED", "FAILED"]).toContain(view.state);
        expect(view.quarantinedFor).toBeNull();
      }
    }),
  );
});

test("B2: as long as a forward transaction is open and nobody has asked, it can be aborted", () => {
  fc.assert(
    fc.property(views, (view) => {
      if (view.state === "APPLYING" && view.wish !== "abort") expect(applyActions(view).abort).toBeNull();
    }),
  );
});

test("every refusal is a sentence", () => {
  fc.assert(
    fc.property(views, (view) => {
      for (const reason of Object.values(applyActions(view)))
        if (reason !== null) expect(reason).toMatch(/^[A-Za-z].*[.]$/s);
    }),
  );
});

test("whoever has not ended says what they wait for, and whoever has ended waits for nothing", () => {
  for (const state of APPLY_STATES) {
    for (const phase of PHASES) {
      const words = waitingFor({ state, phase, wish: null, needsPerson: false, connected: true, isBack: true });
      expect(words !== null, `${state} ${phase}`).toBe(isOpen(state) || state === "READY");
    }
  }
  expect(
    waitingFor({ state: "APPLYING", phase: "on_trial", wish: null, needsPerson: true, connected: true, isBack: true }),
  ).toContain("a person");
  expect(
    waitingFor({
      state: "APPLYING",
      phase: "on_trial",
      wish: null,
      needsPerson: true,
      connected: false,
      isBack: false,
    }),
  ).toContain("undoes by itself");
});

const draft: ChangeView = {
  state: "DRAFT",
  ownState: "DRAFT",
  hasItems: true,
  hasErrors: false,
  approvalsNeeded: 0,
  approvalsGiven: 0,
  mayBreakGlass: false,
  callerIsAuthor: true,
  callerHasApproved: false,
  plannable: 1,
  planned: true,
  openRollout: false,
  everApplied: false,
  inForce: false,
  isAdopted: false,
};

test.each([
  ["a planned draft of mine", {}, { edit: null, plan: null, apply: null, withdraw: null }],
  ["not planned yet", { planned: false, plannable: 0 }, { apply: "It has not been planned yet." }],
  [
    "waits for approval",
    { approvalsNeeded: 2, approvalsGiven: 1 },
    { apply: "It waits for 1 approval by somebody other than its author." },
  ],
  [
    "waits for approval, and may go first in an emergency",
    { approvalsNeeded: 1, mayBreakGlass: true },
    { breakGlass: null, apply: "It waits for 1 approval by somebody other than its author." },
  ],
  [
    "waits for approval where nothing goes first",
    { approvalsNeeded: 1 },
    { breakGlass: "The floor does not let this go before its approvals." },
  ],
  ["approved", { approvalsNeeded: 1, approvalsGiven: 1, mayBreakGlass: true }, { apply: null }],
  [
    "ready, and by now riskier than what was approved",
    { ownState: "READY", approvalsNeeded: 2, approvalsGiven: 1, callerIsAuthor: false },
    { approve: null, apply: "It waits for 1 approval by somebody other than its author." },
  ],
  ["somebody else's", { callerIsAuthor: false }, { edit: "Only its author edits a draft.", approve: null }],
  [
    "approved by me, and nothing has begun",
    { callerIsAuthor: false, callerHasApproved: true },
    { approve: "You have approved it already.", withdrawApproval: null },
  ],
  ["approved by others alone", { approvalsGiven: 1 }, { withdrawApproval: "You have not approved it." }],
  [
    "approved by me and under way",
    { callerHasApproved: true, openRollout: true },
    { withdrawApproval: "Its rollout is under way; abort or halt that." },
  ],
  [
    "approved by me and in force",
    { callerHasApproved: true, inForce: true },
    { withdrawApproval: "It is in force; roll it back instead." },
  ],
  [
    "approved by me and taken over without a step",
    { callerHasApproved: true, isAdopted: true },
    { withdrawApproval: "It is in force; roll it back instead." },
  ],
  ["mine is not approved by me", {}, { approve: "Nobody approves their own change." }],
  [
    "under way",
    { ownState: "READY", openRollout: true, everApplied: true },
    { apply: "Its rollout is under way.", rollback: "Its rollout is under way; abort or halt that." },
  ],
  [
    "in force",
    { ownState: "READY", state: "APPLIED", everApplied: true, inForce: true },
    { rollback: null, withdraw: "It has been applied; roll it back instead." },
  ],
  [
    "withdrawn",
    { ownState: "CANCELLED", state: "CANCELLED" },
    { edit: "It has been withdrawn.", plan: "It has been withdrawn.", apply: "It has been withdrawn." },
  ],
] as const)("a change that is %s", (_, over, expected) => {
  expect(changeActions({ ...draft, ...over })).toMatchObject(expected);
});

test("a rollout is paused, resumed and halted only where that means something", () => {
  expect(rolloutActions("RUNNING")).toMatchObject({ pause: null, halt: null });
  expect(rolloutActions("PAUSED")).toMatchObject({ resume: null, halt: null });
  expect(Object.values(rolloutActions("DONE")).every((reason) => reason !== null)).toBe(true);
  expect(Object.values(rolloutActions("HALTED")).every((reason) => reason !== null)).toBe(true);
});
