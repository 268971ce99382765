import { err, ok } from "@holdfast/core/base/result.ts";
import { expect, test } from "vitest";
import { beginNew } from "./new-document.ts";
import { NOTHING_PENDING, withEdit } from "./pending.ts";

test("a new document begins where its name is free, and takes the place of nothing", () => {
  const head = { kind: "Policy", name: "web", revision: 4 };
  const wanted = { kind: "Policy", name: "web", text: "name: web\n" };
  const writing = withEdit(NOTHING_PENDING, { ...wanted, text: "name: web # mine\n", baseRevision: 0, baseText: null });
  expect(beginNew([], NOTHING_PENDING, wanted)).toEqual(ok({ ...wanted, baseRevision: 0, baseText: null }));
  expect(beginNew([{ ...head, deleted: false }], NOTHING_PENDING, wanted)).toEqual(err("exists"));
  expect(beginNew([], writing, wanted)).toEqual(err("pending"));
  expect(beginNew([{ ...head, deleted: true }], writing, wanted)).toEqual(err("pending"));
  expect(beginNew([], writing, { ...wanted, kind: "Group" })).toMatchObject({ ok: true });
  // The control plane counts on from the deletion: one begun on nothing would be refused as moved.
  expect(beginNew([{ ...head, deleted: true }], NOTHING_PENDING, wanted)).toMatchObject({ value: { baseRevision: 4 } });
});
