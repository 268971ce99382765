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

test("what wakes it while it rests is done once, and closing does not wait for the rest", async () => {
  let runs = 0;
  const work = async () => {
    runs += 1;
  };
  const loop = startLoop("test", NEVER_MS, silent, work, NEVER_MS);
  loop.wake();
  await expect.poll(() => runs).toBe(1);
  loop.wake();
  loop.wake();
  await loop.close();
  expect(runs).toBe(1);
  const restless = startLoop("test", NEVER_MS, silent, work, 1);
  restless.wake();
  restless.wake();
  restless.wake();
  await expect.poll(() => runs).toBe(3);
  await restless.close();
  expect(runs).toBe(3);
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
