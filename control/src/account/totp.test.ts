import { expect, test } from "vitest";
import { acceptedStep, base32, totpCode, totpUri } from "./totp.ts";

/** RFC 6238, appendix B, SHA-1; the last six of its eight digits. */
const SECRET = Buffer.from("12345678901234567890", "ascii");

test.each([
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
])("S40: the code at %d s is the RFC's", (seconds, code) => {
  expect(totpCode(SECRET, Math.floor(seconds / 30))).toBe(code);
});

test("S40: a code is good one step around its own, opens once, and nothing earlier opens after it", () => {
  const nowMs = 1_234_567_890_000;
  const step = Math.floor(nowMs / 30_000);
  const at = (offset: number): string => totpCode(SECRET, step + offset);
  expect([-2, -1, 0, 1, 2].map((offset) => acceptedStep(SECRET, at(offset), nowMs, 0))).toEqual([
    null,
    step - 1,
    step,
    step + 1,
    null,
  ]);
  expect(acceptedStep(SECRET, at(0), nowMs, step)).toBeNull();
  expect(acceptedStep(SECRET, at(-1), nowMs, step)).toBeNull();
  expect(acceptedStep(SECRET, at(1), nowMs, step)).toBe(step + 1);
  for (const wrong of ["", "00000", "0000000", " 05924", "００５９２４"])
    expect(acceptedStep(SECRET, wrong, nowMs, 0)).toBeNull();
});

test("an authenticator is told the secret as RFC 4648 writes it", () => {
  expect(base32(Buffer.from("foobar", "ascii"))).toBe("MZXW6YTBOI");
  expect(base32(Buffer.from("fooba", "ascii"))).toBe("MZXW6YTB");
  expect(base32(SECRET)).toBe("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  expect(totpUri("Holdfast", "kim", SECRET)).toBe(
    "otpauth://totp/Holdfast:kim?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Holdfast&algorithm=SHA1&digits=6&period=30",
  );
});
