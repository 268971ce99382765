import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { judgeApply, judgeRelease, judgeTunnelAct, type SignerRefusal } from "./judge.ts";
import { pace } from "./pace.ts";
import type { TransactionFacts } from "./store/facts.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const SOUND: TransactionFacts = {
  server_id: "s",
  server_fence: 7,
  enrolment: "enrolled",
  apply_id: "a",
  apply_server_id: "s",
  apply_state: "APPLYING",
  apply_fence: 7,
  is_leased: true,
  is_current: true,
  requested_by: "u",
  wish: null,
  wish_by: null,
  change_id: "c",
  change_state: "READY",
  approvals: 1,
  approvals_needed: 1,
  glass_is_broken: false,
  kind: "forward",
  nonce: "n",
  config_digest: sha256("{}"),
  plan_digest: "p",
  prepare_sent: true,
  execute_sent: true,
  confirm_sent: true,
  abort_sent: false,
  is_fresh: true,
  needs_person: false,
  has_outcome: false,
  plan_change_id: "c",
  plan_server_id: "s",
  plan_kind: "forward",
  plan_status: "planned",
  plan_config: "{}",
  plan_config_digest: sha256("{}"),
  plan_plan_digest: "p",
  plan_base_generation: 0,
  plan_findings: [],
  rollout_id: "r",
  rollout_change_id: "c",
  rollout_is_written_down: true,
  wave: 1,
  current_wave: 1,
  earlier_open: 0,
};
const of = { serverId: "s", requestId: "q", fence: 7 };
const FORWARD = ["prepare", "execute", "confirm"] as const;

function judged(ask: (typeof FORWARD)[number], over: Partial<TransactionFacts> = {}, least = 0): SignerRefusal | null {
  return judgeApply({ ask, ...of, secrets: [] }, { ...SOUND, ...over }, sha256, least);
}

// I20.
test.each(FORWARD)("%s of a transaction that is begun, approved and in its turn is signed", (ask) => {
  expect(judged(ask)).toBeNull();
  expect(judged(ask, { kind: "rollback", plan_kind: "rollback", approvals: 0, apply_state: "ROLLBACKING" })).toBeNull();
});

const WRONG: readonly (readonly [string, Partial<TransactionFacts>, SignerRefusal])[] = [
  ["it is not the apply's current one", { is_current: false }, "signer.unknown_request"],
  ["it is of another server", { server_id: "t" }, "signer.other_server"],
  ["its apply is of another server", { apply_server_id: "t" }, "signer.other_server"],
  ["its apply has ended", { apply_state: "APPLIED" }, "signer.not_claimed"],
  ["its apply is READY", { apply_state: "READY" }, "signer.not_claimed"],
  ["nobody holds its apply", { is_leased: false }, "signer.not_claimed"],
  ["its apply has a newer claim", { apply_fence: 8, server_fence: 8 }, "signer.other_fence"],
  ["its server's fence has moved on", { server_fence: 8 }, "signer.other_fence"],
  ["its server was released", { enrolment: "released" }, "signer.not_enrolled"],
  ["it has an outcome", { has_outcome: true }, "signer.ended"],
  ["its undo is decided", { abort_sent: true }, "signer.ended"],
  ["its config is another than its plan's", { config_digest: sha256("[]") }, "signer.other_plan"],
  ["its plan's text is another than its digest", { plan_config: "[]" }, "signer.other_plan"],
  ["its plan's digest is another", { plan_plan_digest: "o" }, "signer.other_plan"],
  ["its plan is of another server", { plan_server_id: "t" }, "signer.other_plan"],
  ["its plan is of another change", { plan_change_id: "d" }, "signer.other_plan"],
  ["its plan was refused", { plan_status: "refused" }, "signer.other_plan"],
  ["its change is a draft", { change_state: "DRAFT" }, "signer.not_approved"],
  ["its change lacks an approval", { approvals: 0 }, "signer.not_approved"],
  ["no rollout has it", { rollout_id: null }, "signer.no_rollout"],
  ["the audit log does not know its rollout", { rollout_is_written_down: false }, "signer.no_rollout"],
  ["its rollout is of another change", { rollout_change_id: "d" }, "signer.no_rollout"],
  ["its wave has not opened", { wave: 2 }, "signer.not_its_turn"],
  ["an earlier wave is under way", { earlier_open: 1 }, "signer.not_its_turn"],
];

test.each(WRONG)("S12: nothing that goes forward is signed when %s", (_what, over, refusal) => {
  for (const ask of FORWARD) expect(judged(ask, over)).toBe(refusal);
});

test("S12: each message needs its own committed intent; confirming needs a new session and, where asked, a person", () => {
  expect(judged("prepare", { prepare_sent: false })).toBe("signer.no_intent");
  expect(judged("execute", { execute_sent: false })).toBe("signer.no_intent");
  expect(judged("confirm", { confirm_sent: false })).toBe("signer.no_intent");
  expect(judged("confirm", { is_fresh: false })).toBe("signer.not_confirmed");
  expect(judged("confirm", { needs_person: true })).toBe("signer.not_confirmed");
  expect(judged("confirm", { needs_person: true, wish: "confirm", wish_by: "u" })).toBeNull();
});

test("the signer's own least of approvals holds whatever the rows say is needed", () => {
  expect(judged("prepare", { approvals_needed: 0, approvals: 1 }, 2)).toBe("signer.not_approved");
  expect(judged("prepare", { approvals_needed: 0, approvals: 2 }, 2)).toBeNull();
  expect(judged("prepare", { approvals: 0, glass_is_broken: true })).toBeNull();
  expect(judged("prepare", { approvals: 0, glass_is_broken: true }, 1)).toBe("signer.not_approved");
});

test("the way back asks for the least: an abort is signed for what is open, and for nobody else's", () => {
  const abort = { ask: "abort", ...of, code: "x", message: "" } as const;
  const broken = { abort_sent: true, plan_config: null, approvals: 0, rollout_id: null, earlier_open: 3 };
  const at = (over: Partial<TransactionFacts>) => judgeApply(abort, { ...SOUND, ...over }, sha256, 5);
  expect(at(broken)).toBeNull();
  expect(at({})).toBe("signer.no_intent");
  expect(at({ ...broken, apply_fence: 8 })).toBe("signer.other_fence");
  expect(judgeApply(abort, undefined, sha256, 0)).toBe("signer.unknown_request");
});

test("a lock is released only where there is one and nothing is under way", () => {
  const release = { ask: "release", ...of, reason: "", actor: "user/u" } as const;
  const facts = { fence: 7, enrolment: "enrolled", is_locked: true, has_open: false };
  expect(judgeRelease(release, facts)).toBeNull();
  expect(judgeRelease(release, { ...facts, is_locked: false })).toBe("signer.not_locked");
  expect(judgeRelease(release, { ...facts, has_open: true })).toBe("signer.not_locked");
  expect(judgeRelease(release, { ...facts, fence: 8 })).toBe("signer.other_fence");
  expect(judgeRelease(release, undefined)).toBe("signer.not_enrolled");
});

test("an act on a tunnel is signed while its row is open, written down and of the newest fence, and no apply is open", () => {
  const wish = { ask: "tunnel", ...of } as const;
  const server = { fence: 7, enrolment: "enrolled", is_locked: true, has_open: false };
  const act = {
    server_id: of.serverId,
    tunnel: "pair",
    act: "rekey",
    of: "child",
    acknowledged: [],
    fence: 7,
    requested_by: "u",
    ended: false,
    is_written_down: true,
  };
  expect(judgeTunnelAct(wish, server, act)).toBeNull();
  expect(judgeTunnelAct(wish, server, { ...act, ended: true })).toBe("signer.no_act");
  expect(judgeTunnelAct(wish, server, { ...act, is_written_down: false })).toBe("signer.no_act");
  expect(judgeTunnelAct(wish, server, undefined)).toBe("signer.no_act");
  expect(judgeTunnelAct(wish, server, { ...act, server_id: "another" })).toBe("signer.other_server");
  expect(judgeTunnelAct(wish, server, { ...act, fence: 6 })).toBe("signer.other_fence");
  expect(judgeTunnelAct(wish, { ...server, fence: 8 }, act)).toBe("signer.other_fence");
  expect(judgeTunnelAct(wish, { ...server, has_open: true }, act)).toBe("signer.apply_open");
  expect(judgeTunnelAct(wish, { ...server, enrolment: "released" }, act)).toBe("signer.not_enrolled");
  expect(judgeTunnelAct(wish, undefined, act)).toBe("signer.not_enrolled");
});

test("a pace has its burst and then its rate, and a clock that goes back fills nothing", () => {
  const tempo = pace(2, 1);
  expect([tempo.take(0), tempo.take(0), tempo.take(0)]).toEqual([true, true, false]);
  expect([tempo.take(1_000), tempo.take(1_000)]).toEqual([true, false]);
  expect([tempo.take(-9_000_000), tempo.take(1_000)]).toEqual([false, false]);
  expect(tempo.take(2_000)).toBe(true);
});
