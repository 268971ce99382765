import { expect, test } from "vitest";
import { checkNftBatch } from "./nft-batch.ts";

test.each([
  [
    "the usual replace",
    "add table inet holdfast\ndelete table inet holdfast\ntable inet holdfast {\n chain in { type filter hook input priority 0; policy drop;\n  ct state established accept # kept\n }\n}\n",
  ],
  [
    "one chain",
    'flush chain inet holdfast in.3; add rule inet holdfast in.3 tcp dport { 80, 443 } accept comment "flush ruleset"',
  ],
  ["elements", "add element inet holdfast office { 192.0.2.0/24, 198.51.100.7 }"],
  ["a ct object", 'add ct helper inet holdfast ftp { type "ftp" protocol tcp; }'],
  ["nothing", "\n# only a remark\n"],
])("%s passes", (_, batch) => {
  expect(checkNftBatch(batch)).toEqual({ ok: true, value: null });
});

test.each([
  ["flush ruleset", "flush ruleset"],
  ["another table", "delete table ip filter"],
  ["another table after ours", "add table inet holdfast; add rule inet filter input accept"],
  ["another family", "add table ip holdfast"],
  ["a table of a similar name", "add table inet holdfast2"],
  ["no family, which means ip", "add table holdfast"],
  ["a file, inside a block", 'table inet holdfast {\n include "/etc/shadow"\n}'],
  ["a file, in capitals", 'INCLUDE "/etc/shadow"'],
  ["a variable", "define x = 1"],
  ["a listing", "list ruleset"],
  ["a second table on the line of a block's end", "table inet holdfast {\n} table ip nat {\n}"],
  ["a quoted name", 'add table inet "holdfast"'],
  ["a line that goes on in the next", "add table \\\n ip filter"],
  ["an open quote", 'add rule inet holdfast in comment "x'],
  ["an open brace", "table inet holdfast {"],
  ["a brace too many", "table inet holdfast { } }\nadd table ip x"],
])("%s is refused", (_, batch) => {
  expect(checkNftBatch(batch).ok).toBe(false);
});
