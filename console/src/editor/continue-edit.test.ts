import { err, ok } from "@holdfast/core/base/result.ts";
import { expect, test } from "vitest";
import { continueEdit } from "./continue-edit.ts";
import { NOTHING_PENDING, type PendingEdit, withEdit } from "./pending.ts";

const WEB: PendingEdit = {
  kind: "Policy",
  name: "web",
  text: "name: web\nfirewall: { mode: observe } # at first\n",
  baseRevision: 0,
  baseText: null,
};
const HEAD = { kind: "Policy", name: "web", revision: 4 };
const ENFORCE = { kind: "set", path: ["firewall", "mode"], value: "enforce" } as const;

test("an edit goes on from what is written; a deletion stays one", () => {
  const head = { ...HEAD, text: "name: web\nfirewall: { mode: observe }\n" };
  expect(continueEdit(head, NOTHING_PENDING, ENFORCE)).toEqual(
    ok({
      kind: "Policy",
      name: "web",
      text: "name: web\nfirewall: { mode: enforce }\n",
      baseRevision: 4,
      baseText: head.text,
    }),
  );
  expect(continueEdit(head, withEdit(NOTHING_PENDING, WEB), ENFORCE)).toEqual(
    ok({ ...WEB, text: "name: web\nfirewall: { mode: enforce } # at first\n" }),
  );
  const deleting = withEdit(NOTHING_PENDING, { ...WEB, text: null, baseRevision: 4, baseText: head.text });
  expect(continueEdit(head, deleting, ENFORCE)).toEqual(err({ why: "deleted" }));
  expect(continueEdit({ ...head, text: null }, NOTHING_PENDING, ENFORCE)).toEqual(err({ why: "deleted" }));
  const broken = withEdit(NOTHING_PENDING, { ...WEB, text: "firewall: [" });
  expect(continueEdit(head, broken, ENFORCE)).toMatchObject({ error: { why: "text" } });
});
