import { expect, test } from "vitest";
import { sharedReading } from "./shared-reading.ts";

/** Readings that end when they are told to, in order. */
function slowly(): {
  readonly read: () => Promise<number>;
  readonly end: (how?: Error) => Promise<void>;
  begun: number;
} {
  const endings: ((how?: Error) => void)[] = [];
  const slow = {
    begun: 0,
    read: (): Promise<number> => {
      slow.begun += 1;
      const which = slow.begun;
      return new Promise((resolve, reject) => {
        endings.push((how) => (how === undefined ? resolve(which) : reject(how)));
      });
    },
    end: async (how?: Error): Promise<void> => {
      endings.shift()?.(how);
      await new Promise(setImmediate);
    },
  };
  return slow;
}

test("whoever asks while a reading is under way shares the next one, which began after all of them asked", async () => {
  const slow = slowly();
  const look = sharedReading(slow.read);
  const first = look();
  const [second, third] = [look(), look()];
  expect(slow.begun).toBe(1);
  await slow.end();
  expect(slow.begun).toBe(2);
  // Too late for the second, which is under way already.
  const fourth = look();
  await slow.end();
  await slow.end();
  expect(await Promise.all([first, second, third, fourth])).toEqual([1, 2, 2, 3]);
  const alone = look();
  await slow.end();
  expect(await alone).toBe(4);
});

test("a reading that fails fails for those who asked for it, and the next is a new one", async () => {
  const slow = slowly();
  const look = sharedReading(slow.read);
  const [first, second] = [look(), look()];
  const [refused] = await Promise.allSettled([first, slow.end(new Error("nft hangs"))]);
  expect(refused).toMatchObject({ status: "rejected", reason: { message: "nft hangs" } });
  await slow.end();
  expect(await second).toBe(2);
});
