import pino from "pino";
import { expect, test } from "vitest";
import { startLoop } from "./loop.ts";

const silent = pino({ level: "silent" });
const NEVER_MS = 3_600_000;

test("what waits for somebody else is told that the loop closes, and its end is no failure", async () => {
  const said: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => said.push(line) });
  const loop = startLoop(
    "test",
    NEVER_MS,
    log,
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  );
  loop.wake();
  await loop.close();
  expect(said).toEqual([]);
});

test("one at a time; a wake during the work is work once more, and a failure is tried again", async () => {
  let runs = 0;
  let atOnce = 0;
  let most = 0;
  let release = (): void => undefined;
  const loop = startLoop("test", NEVER_MS, silent, async () => {
    runs += 1;
    atOnce += 1;
    most = Math.max(most, atOnce);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    atOnce -= 1;
    throw new Error("it failed");
  });
  loop.wake();
  loop.wake();
  loop.wake();
  release();
  await expect.poll(() => runs).toBe(2);
  const closed = loop.close();
  release();
  await closed;
  loop.wake();
  expect({ runs, most }).toEqual({ runs: 2, most: 1 });
});
