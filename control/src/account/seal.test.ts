import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { sealWith } from "./seal.ts";

test("S29: what is sealed opens with its key, for its account, unchanged, and in no other case", () => {
  const seal = sealWith(randomBytes(32));
  const secret = randomBytes(20);
  const sealed = seal.close(secret, "user/1");
  expect(seal.open(sealed, "user/1")).toEqual(secret);
  expect(sealed.includes(secret)).toBe(false);
  expect(() => seal.open(sealed, "user/2")).toThrow("unable to authenticate");
  expect(() => sealWith(randomBytes(32)).open(sealed, "user/1")).toThrow("unable to authenticate");
  for (const at of [0, 12, 28]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => seal.open(changed, "user/1")).toThrow("unable to authenticate");
  }
});
