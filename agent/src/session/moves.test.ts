import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { Moves } from "./moves.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-moves-"));
const stop = new AbortController();
afterEach(() => {
  stop.abort();
  rmSync(folder, { recursive: true, force: true });
});

test("the time ends it, and so does a module that says something has moved; others' files do not", async () => {
  const moves = new Moves(folder);
  const started = performance.now();
  expect(await moves.next(100, stop.signal)).toEqual([]);
  const waiting = moves.next(30_000, stop.signal);
  await sleep(50);
  writeFileSync(join(folder, "guard.sock"), "");
  await sleep(50);
  writeFileSync(join(folder, "moved-firewall"), "");
  writeFileSync(join(folder, "moved-network"), "");
  expect((await waiting).toSorted()).toEqual(["firewall", "network"]);
  expect(performance.now() - started).toBeLessThan(5_000);
  // What moves all the time is looked at every ten seconds, and here the time ends before that.
  writeFileSync(join(folder, "moved-firewall"), "again");
  expect(await moves.next(700, stop.signal)).toEqual([]);
});

test("a folder that is not there leaves the time", async () => {
  const none = new Moves(join(folder, "nowhere"));
  expect(await none.next(20, new AbortController().signal)).toEqual([]);
});
