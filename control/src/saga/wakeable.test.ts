import { expect, test } from "vitest";
import { Wakeable } from "./wakeable.ts";

test("a sleep ends by its time or by a wake, and says which", async () => {
  const sleeper = new Wakeable();
  expect(await sleeper.sleep(1)).toBe(false);
  const woken = sleeper.sleep(60_000);
  sleeper.wake();
  expect(await woken).toBe(true);
});

test("a wake that nobody waits for is kept for the next sleep, once", async () => {
  const sleeper = new Wakeable();
  sleeper.wake();
  sleeper.wake();
  expect(await sleeper.sleep(60_000)).toBe(true);
  expect(await sleeper.sleep(1)).toBe(false);
});
