import { expect, test } from "vitest";
import { NOTHING_PENDING, parsePending, type PendingEdit, withEdit, withoutEdit } from "./pending.ts";

const edit: PendingEdit = { kind: "Policy", name: "web-host", text: "a", baseRevision: 3, baseText: "b" };

test("an edit takes the place of the one before", () => {
  const pending = withEdit(withEdit(NOTHING_PENDING, edit), { ...edit, text: "c" });
  expect(pending.edits).toEqual([{ ...edit, text: "c" }]);
});

test("N2: an edit that came back to where it began is no edit", () => {
  expect(withEdit(withEdit(NOTHING_PENDING, edit), { ...edit, text: "b" }).edits).toEqual([]);
});

test("a deletion is an edit; dropping it leaves the others", () => {
  const pending = withEdit(withEdit(NOTHING_PENDING, edit), { ...edit, kind: "Group", text: null });
  expect(pending.edits).toHaveLength(2);
  expect(withoutEdit(pending, edit).edits.map(({ kind }) => kind)).toEqual(["Group"]);
});

test("N1: what was kept is read again, and what is not ours is not", () => {
  const pending = { ...withEdit(NOTHING_PENDING, edit), title: "t", changeId: "019a" };
  expect(parsePending(JSON.stringify(pending))).toEqual(pending);
  for (const text of [null, "", "[]", "{}", '{"title":1}', '{"title":"","reason":"","edits":[{}],"changeId":null}']) {
    expect(parsePending(text)).toEqual(NOTHING_PENDING);
  }
});
