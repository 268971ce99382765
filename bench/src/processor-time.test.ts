import { expect, test } from "vitest";
import { onServers, since } from "./processor-time.ts";

test("what a process spent before and has taken with it is not counted again where its init has it", () => {
  const before = new Map([
    ["control plane", 9_000],
    ["agent: guard", 400],
    ["rest of the server", 1_000],
  ]);
  // The guard spent 100 more and left: its init has waited for all 500 of it.
  const now = new Map([
    ["control plane", 9_500],
    ["agent: session", 50],
    ["rest of the server", 1_500],
  ]);
  expect(onServers(since(before, now))).toBe(150);
});
