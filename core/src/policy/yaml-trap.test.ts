import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDocument } from "yaml";
import { trapOf } from "./yaml-trap.ts";

/** What a reader of that version takes the unquoted text for. */
function readAs(text: string, version: "1.1" | "1.2"): unknown {
  const document = parseDocument(`a: ${text}\n`, { version, logLevel: "silent" });
  if (document.errors.length > 0) return "unreadable";
  const value: unknown = (document.toJS() as { readonly a: unknown }).a;
  return value instanceof Date ? `date ${value.getTime()}` : value;
}

test("whatever the two versions of YAML read differently is a trap", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789:_.-+eExob".split("")), minLength: 1, maxLength: 12 });
  const words = fc.constantFrom(
    "y",
    "Y",
    "yes",
    "Yes",
    "YES",
    "n",
    "N",
    "no",
    "NO",
    "on",
    "ON",
    "off",
    "Off",
    "=",
    "<<",
    ".inf",
    "-.INF",
    ".nan",
    "~",
    "true",
    "null",
    "2026-12-05",
    "2026-12-05T18:00:00Z",
    "2026-12-05 18:00:00",
    "52:54:00:11:00:01",
    "1:30",
    "1:30.5",
    "0640",
    "0o17",
    "0b11",
    "0x1F",
    "1_000",
    "1e3",
    "08",
  );
  fc.assert(
    fc.property(fc.oneof(digits, words), (text) => {
      const [before, after] = [readAs(text, "1.1"), readAs(text, "1.2")];
      fc.pre(before !== "unreadable" && after !== "unreadable");
      // This reader takes an exponent without digits before it (`e10`) for a number of YAML 1.1 and fails to calculate it; no other does.
      fc.pre(!Number.isNaN(before) || /nan/i.test(text));
      if (!Object.is(before, after))
        expect(trapOf(text), `${text}: ${String(before)} and ${String(after)}`).not.toBeNull();
    }),
    { numRuns: 5000 },
  );
});

test.each([
  "443",
  "0",
  "tcp/443",
  "10.0.0.1",
  "9.9.9.9",
  "10.20.10.1/24",
  "4000-4100",
  "5/second",
  "60s",
  "web-host",
  "zone:guest",
  "2001:db8::1",
  "::1",
  "52:54:00:aa:10:01",
  "true",
  "OPS-812",
  "yesterday",
  "nobody",
  "-5",
])("%s is no trap", (text) => {
  expect(trapOf(text)).toBeNull();
});
