import { expect, test } from "vitest";
import {
  NOTHING_PENDING,
  parsePending,
  type PendingEdit,
  withChange,
  withEdit,
  withoutBegun,
  withoutEdit,
} from "./pending.ts";

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

test("N1: what was written after a change was sent outlives the apply of that change", () => {
  const change = { id: "019a", title: "t", reason: "", content: [edit, { ...edit, name: "other" }] };
  const sent = withChange(NOTHING_PENDING, change);
  expect(sent).toEqual({ title: "t", reason: "", edits: change.content, changeId: "019a" });
  expect(withoutBegun(sent, change)).toEqual(NOTHING_PENDING);
  const later = withEdit(sent, { ...edit, text: "typed since" });
  expect(withoutBegun(later, change)).toEqual({
    title: "",
    reason: "",
    changeId: null,
    edits: [{ ...edit, text: "typed since" }],
  });
  // Going on with it takes none of it back either; another change in between is nobody's business here.
  expect(withChange(later, change)).toBe(later);
  expect(withoutBegun({ ...later, changeId: "019b" }, change)).toEqual({ ...later, changeId: "019b" });
});

test("N1: what was kept is read again, and what is not ours is not", () => {
  const pending = { ...withEdit(NOTHING_PENDING, edit), title: "t", changeId: "019a" };
  expect(parsePending(JSON.stringify(pending))).toEqual(pending);
  for (const text of [null, "", "[]", "{}", '{"title":1}', '{"title":"","reason":"","edits":[{}],"changeId":null}']) {
    expect(parsePending(text)).toEqual(NOTHING_PENDING);
  }
});
