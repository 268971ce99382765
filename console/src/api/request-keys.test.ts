import { expect, test } from "vitest";
import { requestKeys } from "./request-keys.ts";

test("the same request has the same key, whatever was asked for in between; another one has its own", () => {
  let made = 0;
  const keyOf = requestKeys(() => `key-${(made += 1)}`);
  const apply = { route: "applyChange", body: { plans: ["a"], overwriteDrift: false } };
  expect(keyOf(apply)).toBe("key-1");
  expect(keyOf({ ...apply, body: { ...apply.body, overwriteDrift: true } })).toBe("key-2");
  expect(keyOf({ ...apply, route: "rollbackChange" })).toBe("key-3");
  expect(keyOf({ body: { overwriteDrift: false, plans: ["a"] }, route: "applyChange" })).toBe("key-1");
});
