import { expect, test } from "vitest";
import { newOneTimePassword, newSecret } from "./secret.ts";

test("a secret is 256 bits behind a mark, never to be taken for an option of a command", () => {
  const secrets = Array.from({ length: 500 }, newSecret);
  for (const secret of secrets) expect(secret).toMatch(/^hf_[A-Za-z0-9_-]{43}$/);
  expect(new Set(secrets).size).toBe(secrets.length);
});

test("a one-time password is four groups of letters and digits that nobody takes for others", () => {
  for (let turn = 0; turn < 100; turn++)
    expect(newOneTimePassword()).toMatch(/^[a-km-np-z2-9]{5}(-[a-km-np-z2-9]{5}){3}$/);
});
