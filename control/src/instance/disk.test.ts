import { expect, test } from "vitest";
import { disk, spaceUnder } from "./disk.ts";

test("a file system that hangs is asked once, waited for a moment, and known again when it answers", async () => {
  let asked = 0;
  let answer = (): void => undefined;
  const hanging = disk(async () => {
    asked += 1;
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return { freeBytes: asked, totalBytes: 10 };
  }, 1);
  expect([await hanging.space(), await hanging.space(), asked]).toEqual([null, null, 1]);
  answer();
  await new Promise(setImmediate);
  const next = hanging.space();
  answer();
  expect([await next, asked]).toEqual([{ freeBytes: 2, totalBytes: 10 }, 2]);
});

test("where there is no folder nothing is known", async () => {
  expect(await disk(() => spaceUnder("/nowhere/at/all")).space()).toBeNull();
  expect((await disk(() => spaceUnder(import.meta.dirname)).space())?.totalBytes).toBeGreaterThan(0);
});
