import fc from "fast-check";
import { expect, test } from "vitest";
import { counterNames, nftPart, setNames } from "./names.ts";
import { isOpaque, ruleText } from "./nft-text.ts";

const port = { payload: { protocol: "tcp", field: "dport" } };

test.each([
  [
    [{ match: { op: "==", left: port, right: { set: [{ range: [8000, 9000] }, 443, 22] } } }, { accept: null }],
    "tcp dport { 22, 443, 8000-9000 } accept",
  ],
  [
    [{ match: { op: "==", left: { meta: { key: "l4proto" } }, right: { set: ["udp", "tcp"] } } }, { drop: null }],
    "meta l4proto { 6, 17 } drop",
  ],
  [
    [{ match: { op: "==", left: { meta: { key: "l4proto" } }, right: 50 } }, { counter: { packets: 7, bytes: 9 } }],
    "meta l4proto 50 counter",
  ],
  [[{ match: { op: "<", left: { meta: { key: "time" } }, right: "2026-12-05 09:00:00" } }], "meta time < 1796461200"],
  [
    [
      { match: { op: "in", left: { ct: { key: "state" } }, right: ["related", "established"] } },
      { jump: { target: "x" } },
    ],
    "ct state established,related jump x",
  ],
  [
    [{ limit: { rate: 5, burst: 5, per: "second" } }, { log: { prefix: "a " } }],
    'limit rate 5/second burst 5 packets log prefix "a "',
  ],
  [[{ dnat: { family: "ip6", addr: "2001:db8::5", port: 8443 } }], "dnat ip6 to [2001:db8::5]:8443"],
  [[{ reject: null }], "reject with icmpx port-unreachable"],
])("%j is %s", (statements, text) => {
  expect(ruleText(statements)).toBe(text);
});

test("a construct that is not ours is kept apart, never guessed", () => {
  for (const statement of [
    { vmap: {} },
    { queue: { num: 1 } },
    { match: { op: "==", left: { ct: { key: "mark", dir: "reply" } }, right: 1 } },
    { limit: { rate: 1, per: "second", rate_unit: "kbytes" } },
  ]) {
    expect(isOpaque(ruleText([statement, { accept: null }]))).toBe(true);
  }
});

/** Whatever stands in a name of a listing, it cannot begin a new statement or line in a text that we load. */
test("S21: no text of a listing ends the rule it stands in", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (hostile) => {
      for (const statements of [
        [{ log: { prefix: hostile } }],
        [{ counter: hostile }],
        [{ jump: { target: hostile } }],
        [{ match: { op: "==", left: { meta: { key: "iifname" } }, right: hostile } }],
        [{ match: { op: "==", left: port, right: hostile } }],
        [{ match: { op: "==", left: port, right: { set: [hostile] } } }],
        [{ dnat: { family: hostile, addr: hostile } }],
      ]) {
        const text = ruleText(statements);
        if (isOpaque(text)) continue;
        expect(text).not.toMatch(/[\n\r;#\\]/);
        expect(text.replaceAll(/"[^"]*"/g, "")).not.toMatch(/["']/);
      }
    }),
    { numRuns: 500 },
  );
});

test("names of ours are names to nft, and different names stay different", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
      fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
      (a, b) => {
        expect(nftPart(a)).toMatch(/^[A-Za-z0-9/_.-]*$/);
        if (a !== b && nftPart(a).length < 120 && nftPart(b).length < 120) expect(nftPart(a)).not.toBe(nftPart(b));
      },
    ),
    { numRuns: 500 },
  );
  expect(setNames.addresses("role:db", 4)).toBe("s_role/db_4");
  expect(counterNames.limited("inbound", "ssh")).not.toBe(counterNames.rule("inbound", "ssh_limited"));
  expect(nftPart("x".repeat(500))).toHaveLength(120);
});
