import type { ChangeSummary } from "@holdfast/core/api/change.ts";
import { expect, test } from "vitest";
import { MOST_ASKED, mayWaitFor, waitsForMe } from "./waits-for-me.ts";

const ACTIONS = {
  edit: null,
  plan: null,
  apply: null,
  withdraw: null,
  rollback: null,
  approve: null,
  withdrawApproval: null,
  breakGlass: null,
};
const given = [{ user: "sora", at: "2026-11-22T10:00:00Z" }];

test.each([
  ["one is needed and none given", 1, [], null, true],
  ["two are needed and one given", 2, given, null, true],
  ["all are given", 1, given, null, false],
  ["none is needed", 0, [], null, false],
  ["this person may not", 1, [], "Nobody approves their own change.", false],
] as const)("a change waits for me: %s", (_words, needed, approvals, approve, expected) => {
  const change = { approvals: { needed, because: [], given: [...approvals] }, actions: { ...ACTIONS, approve } };
  expect(waitsForMe(change)).toBe(expected);
});

test("only drafts of others, and what is READY and may have lost an approval, are asked about, and not more than some", () => {
  const change = (id: string, author: string, state: ChangeSummary["state"]): ChangeSummary => ({
    id,
    title: id,
    reason: "",
    state,
    author,
    createdAt: "2026-11-22T10:00:00Z",
    items: [],
    counts: {},
  });
  const mine = [
    change("a", "kim", "DRAFT"),
    change("b", "sora", "READY"),
    change("c", "sora", "DRAFT"),
    change("d", "sora", "APPLIED"),
  ];
  expect(mayWaitFor(mine, "kim").map(({ id }) => id)).toEqual(["b", "c"]);
  const many = Array.from({ length: MOST_ASKED + 5 }, (_, at) => change(String(at), "sora", "DRAFT"));
  expect(mayWaitFor(many, "kim")).toHaveLength(MOST_ASKED);
});
