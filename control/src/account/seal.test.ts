import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { sealWith } from "./seal.ts";

/** Sealed by an earlier version: what is in the database has to open for ever. */
const KEPT = {
  key: Buffer.alloc(32, 7),
  sealed: Buffer.from(
    "deeac3c9d2b6c3785b629f694f135960a0fbf73d410da0a29cd4d1a9443fa80bf3fae9f70d04a9c611a178d0141b23d8",
    "hex",
  ),
};

test("S29: what is sealed opens with its key, for its account, unchanged, and in no other case", () => {
  const seal = sealWith(randomBytes(32));
  const secret = randomBytes(20);
  const sealed = seal.close(secret, "user/1");
  expect(seal.open(sealed, "user/1")).toEqual(secret);
  expect(sealed.includes(secret)).toBe(false);
  expect(() => seal.open(sealed, "user/2")).toThrow("does not open");
  expect(() => sealWith(randomBytes(32)).open(sealed, "user/1")).toThrow("does not open");
  for (const at of [0, 12, 28]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => seal.open(changed, "user/1")).toThrow("does not open");
  }
});

test("what the database holds of before opens", () => {
  expect(sealWith(KEPT.key).open(KEPT.sealed, "user/1").toString("utf8")).toBe("twenty bytes of text");
});
