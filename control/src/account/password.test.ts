import { expect, test } from "vitest";
import { PasswordHasher } from "./password.ts";
import { newOneTimePassword } from "./secret.ts";

/** The least that argon2 takes: what is tested here is the form, not the cost. */
const CHEAP = { memoryKiB: 8, passes: 1 };

test("a password matches its hash, in whatever form of Unicode it is typed, and no other", async () => {
  const hasher = new PasswordHasher(CHEAP);
  const hash = await hasher.hash("caf\u00e9 au lait");
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
  expect(await hasher.matches("cafe\u0301 au lait", hash)).toBe(true);
  expect(await hasher.matches("caf\u00e9 au lai", hash)).toBe(false);
  expect(await hasher.matches("anything", null)).toBe(false);
  expect(await hasher.matches("anything", "$argon2id$nonsense")).toBe(false);
});

test("whoever comes to a full queue is told so, and the queue moves on", async () => {
  const hasher = new PasswordHasher(CHEAP);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => hasher.hash(`password ${index}`)));
  expect(answers.filter((answer) => answer === null).length).toBe(40 - 22);
  expect(await hasher.hash("later")).not.toBeNull();
});

test("one-time passwords are long enough and different", () => {
  const made = Array.from({ length: 50 }, newOneTimePassword);
  expect(new Set(made).size).toBe(50);
  for (const password of made) expect(password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
});
