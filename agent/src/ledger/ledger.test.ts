import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needsUndo, transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { RecordDraft } from "@holdfast/core/ledger/record.ts";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Clock } from "../os/clock.ts";
import { Ledger } from "./ledger.ts";
import { segmentPath } from "./segment-files.ts";

const clock: Clock = { boottimeMs: () => 1000, monotonicNs: () => 1n, bootId: () => "boot-1", wallMs: () => 5 };
const id = (n: number): string => `01930000-0000-7000-8000-${String(n).padStart(12, "0")}`;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-ledger-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): Promise<Ledger> => Ledger.open(join(folder, "ledger"), clock);

const prepared = (n: number, fence = n): RecordDraft => ({
  kind: "prepared",
  requestId: id(n),
  fence,
  detail: {
    applyId: "a",
    changeId: "c",
    actor: "kim",
    transactionKind: "forward",
    configDigest: "d",
    planDigest: "p",
    baseGeneration: 0,
    manifestDigest: "m",
    budgetMs: 1,
    windowMs: 1,
    reconnectMs: 1,
    domains: ["firewall"],
  },
});
const armed = (n: number): RecordDraft => ({
  kind: "armed",
  requestId: id(n),
  fence: n,
  detail: { nonceSha256: "x", deadlineMs: 9 },
});
const onTrial = (n: number): RecordDraft => ({
  kind: "on_trial",
  requestId: id(n),
  fence: n,
  detail: { liveDigests: {}, deadlineMs: 9, reconnectByMs: 8, monotonicNs: "1" },
});
const confirmed = (n: number, generation: number): RecordDraft => ({
  kind: "confirmed",
  requestId: id(n),
  fence: n,
  detail: { generation, configDigest: "d" },
});
const refused = (n: number): RecordDraft => ({
  kind: "refused",
  requestId: id(n),
  fence: n,
  detail: { code: "plan.moved", message: "x".repeat(2000), findings: [] },
});

test("what one process appends another reads, and each append is checked against what is there", async () => {
  const [guard, revert] = [await open(), await open()];
  for (const draft of [prepared(1), armed(1), onTrial(1)])
    expect(await guard.append(draft)).toMatchObject({ ok: true });
  expect(
    await revert.append({
      kind: "reverting",
      requestId: id(1),
      fence: 1,
      detail: { code: "trial.deadline", message: "" },
    }),
  ).toMatchObject({ ok: true });
  expect(await guard.append(confirmed(1, 1))).toMatchObject({ ok: false, error: { code: "ledger.not_next" } });
  expect(guard.read()).toEqual(revert.read());
  guard.close();
  revert.close();
});

test("of a confirm and a deadline in the same instant exactly one is written", async () => {
  const [guard, revert] = [await open(), await open()];
  for (const draft of [prepared(1), armed(1), onTrial(1)]) await guard.append(draft);
  const outcomes = await Promise.all([
    guard.append(confirmed(1, 1)),
    revert.append({ kind: "reverting", requestId: id(1), fence: 1, detail: { code: "trial.deadline", message: "" } }),
  ]);
  expect(outcomes.filter((one) => one.ok)).toHaveLength(1);
  guard.close();
  revert.close();
});

test("a record cut short by a power failure is cut off, and the ledger goes on behind the one before", async () => {
  const first = await open();
  for (const draft of [prepared(1), armed(1)]) await first.append(draft);
  first.close();
  const path = segmentPath(join(folder, "ledger"), 1);
  const before = readFileSync(path);
  const second = await open();
  await second.append(onTrial(1));
  second.close();
  const after = readFileSync(path);
  const end = before.findLastIndex((byte) => byte !== 0) + 1;
  writeFileSync(path, Buffer.concat([after.subarray(0, end + 60), Buffer.alloc(after.length - end - 60)]));
  const third = await open();
  expect(transactionOf(third.read(), id(1))?.last).toBe("armed");
  expect(await third.append(onTrial(1))).toMatchObject({ ok: true });
  expect(third.read().lock).toBeNull();
  third.close();
});

test("damage before the end locks the server, keeps the evidence and the highest fence", async () => {
  const first = await open();
  for (const draft of [refused(1), refused(2), refused(7)]) await first.append(draft);
  first.close();
  const path = segmentPath(join(folder, "ledger"), 1);
  const image = readFileSync(path);
  const at = image.indexOf(id(2));
  image[at] = (image[at] ?? 0) ^ 1;
  writeFileSync(path, image);
  const second = await open();
  expect(second.read()).toMatchObject({ maxFence: 7, lock: { code: "ledger.damaged" } });
  expect(readFileSync(path)).toEqual(image);
  expect(
    await second.append({ kind: "released", requestId: "", fence: 7, detail: { reason: "looked", actor: "kim" } }),
  ).toMatchObject({ ok: true });
  expect(second.read().lock).toBeNull();
  second.close();
});

test("damage behind which a confirm stands never makes the server undo it", async () => {
  const first = await open();
  for (const draft of [prepared(1), armed(1), onTrial(1), confirmed(1, 1)]) await first.append(draft);
  first.close();
  const path = segmentPath(join(folder, "ledger"), 1);
  const image = readFileSync(path);
  const at = image.indexOf("liveDigests");
  image[at] = (image[at] ?? 0) ^ 1;
  writeFileSync(path, image);
  const second = await open();
  const state = second.read();
  expect(state).toMatchObject({ lock: { code: "ledger.damaged" }, generation: 1, confirmed: { requestId: id(1) } });
  expect(state.transactions.some(needsUndo)).toBe(false);
  second.close();
});

test("segments are left behind when they are full; what must be remembered is carried on", async () => {
  const ledger = await open();
  const most = 700;
  for (let n = 1; n <= most; n++) {
    await ledger.reserve();
    expect(await ledger.append(refused(n))).toMatchObject({ ok: true });
  }
  const segments = readdirSync(join(folder, "ledger")).filter((name) => name.endsWith(".segment"));
  expect(segments.length).toBeLessThanOrEqual(2);
  const state = ledger.read();
  expect(state.maxFence).toBe(most);
  expect(transactionOf(state, id(most))).not.toBeNull();
  ledger.close();
  const again = await open();
  expect(again.read()).toEqual(state);
  again.close();
});

test("a newest segment that lost its beginning falls back on the one before, locked", async () => {
  const ledger = await open();
  await ledger.append(refused(3));
  ledger.close();
  writeFileSync(segmentPath(join(folder, "ledger"), 2), Buffer.from("no segment at all"));
  const again = await open();
  expect(again.read()).toMatchObject({ maxFence: 3, lock: { code: "ledger.damaged" } });
  again.close();
});

test("S39: no image with changed bytes is ever read as a state that was not written", async () => {
  const ledger = await open();
  const states = [JSON.stringify(ledger.read().transactions)];
  const drafts = [prepared(1), armed(1), onTrial(1), confirmed(1, 1)];
  for (const draft of drafts) {
    await ledger.append(draft);
    states.push(JSON.stringify(ledger.read().transactions));
  }
  ledger.close();
  const path = segmentPath(join(folder, "ledger"), 1);
  const good = readFileSync(path);
  const used = good.findLastIndex((byte) => byte !== 0) + 1;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(used - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
      async (flips) => {
        const image = Buffer.from(good);
        for (const [at, bits] of flips) image[at] = (image[at] ?? 0) ^ bits;
        const copy = mkdtempSync(join(folder, "copy-"));
        writeFileSync(segmentPath(copy, 1), image);
        const reader = await Ledger.open(copy, clock);
        const state = reader.read();
        // Either exactly what stood there after some record, or locked for a person with whole records only.
        if (state.lock === null) expect(states).toContain(JSON.stringify(state.transactions));
        else expect(drafts.map((draft) => draft.kind)).toContain(state.transactions[0]?.last ?? "prepared");
        reader.close();
        rmSync(copy, { recursive: true });
      },
    ),
    { numRuns: 60 },
  );
});
