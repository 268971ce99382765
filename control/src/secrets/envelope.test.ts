import { expect, test } from "vitest";
import { fingerprintOf, keyIdOf, newKey, open, seal } from "./envelope.ts";

const KEY = newKey();
const PLAIN = Buffer.from("a value that nobody may see", "utf8");

test("what was sealed opens with its key and its subject, and never twice looks the same", () => {
  const [one, other] = [seal(KEY, PLAIN, "secret/1@1"), seal(KEY, PLAIN, "secret/1@1")];
  expect(open(KEY, one, "secret/1@1")).toEqual(PLAIN);
  expect(one.equals(other)).toBe(false);
  expect(one.includes(PLAIN)).toBe(false);
});

test("another key, another subject, any bit turned and any byte gone do not open", () => {
  const sealed = seal(KEY, PLAIN, "secret/1@1");
  expect(open(newKey(), sealed, "secret/1@1")).toBeNull();
  for (const about of ["secret/1@2", "secret/2@1", "secret/1@10", ""]) expect(open(KEY, sealed, about)).toBeNull();
  for (let at = 0; at < sealed.length; at += 1) {
    const turned = Buffer.from(sealed);
    turned.writeUInt8(turned.readUInt8(at) ^ 1, at);
    expect(open(KEY, turned, "secret/1@1"), `byte ${at}`).toBeNull();
    expect(open(KEY, sealed.subarray(0, at), "secret/1@1"), `length ${at}`).toBeNull();
  }
});

test("a fingerprint is of key, subject and value; the name of a key tells nothing of it", () => {
  const print = fingerprintOf(KEY, "secret/1", "value");
  expect(print).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprintOf(KEY, "secret/1", "value")).toBe(print);
  expect(
    new Set([
      print,
      fingerprintOf(newKey(), "secret/1", "value"),
      fingerprintOf(KEY, "secret/2", "value"),
      fingerprintOf(KEY, "secret/1", "value2"),
    ]).size,
  ).toBe(4);
  expect(keyIdOf(KEY)).not.toBe(keyIdOf(newKey()));
  expect(KEY.toString("hex")).not.toContain(keyIdOf(KEY));
});
