import { documentJsonSchema } from "@holdfast/core/policy/json-schema.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { expect, test } from "vitest";
import { offersAt } from "./yaml-completion.ts";
import { indentAfter, placeAt } from "./yaml-place.ts";

/** `|` is the cursor. */
function at(text: string): { text: string; offset: number } {
  const offset = text.indexOf("|");
  return { text: text.replace("|", ""), offset };
}

test.each([
  ["|", [], "key", ""],
  ["firewall:\n  inb|", ["firewall"], "key", "inb"],
  ["firewall:\n  mode: en|", ["firewall", "mode"], "value", "en"],
  [
    "firewall:\n  inbound:\n    rules:\n      - name: web\n        al|",
    ["firewall", "inbound", "rules", 0],
    "key",
    "al",
  ],
  ["firewall:\n  inbound:\n    rules:\n    - name: web\n      al|", ["firewall", "inbound", "rules", 0], "key", "al"],
  ["firewall:\n  inbound:\n    rules:\n      - na|", ["firewall", "inbound", "rules", 0], "key", "na"],
  ["firewall:\n  inbound:\n    rules: []\n  out|", ["firewall"], "key", "out"],
  ["a:\n  b: 1\n---\nki|", [], "key", "ki"],
  ["a: [tcp/80, tc|", ["a"], "value", "tc"],
])("the place of %j", (text, path, what, written) => {
  const { text: plain, offset } = at(text);
  expect(placeAt(plain, offset)).toEqual({ path, what, written });
});

test.each([
  ["firewall:", 2],
  ["  inbound:                         # to this server", 4],
  ["      - name: web", 8],
  ["        allow: tcp/22", 8],
  ["", 0],
])("after %j the next line begins at column %i", (line, column) => {
  expect(indentAfter(line)).toBe(column);
});

test("completion offers what the published schema allows there", () => {
  const schema = documentJsonSchema(DOMAIN_LANGUAGES);
  const offers = (marked: string): readonly string[] => {
    const { text, offset } = at(marked);
    return offersAt(schema, text, offset).offers.map(({ label }) => label);
  };
  expect(offers("apiVersion: holdfast/v1\nkind: |")).toEqual(
    expect.arrayContaining(["Policy", "Server", "Group", "Floor"]),
  );
  expect(offers("kind: Policy\nfirewall:\n  |")).toEqual(
    expect.arrayContaining(["mode", "inbound", "forward", "outbound", "nat", "zones"]),
  );
  expect(offers("firewall:\n  mode: |")).toEqual(expect.arrayContaining(["enforce", "observe"]));
  expect(offers("firewall:\n  inbound:\n    rules:\n      - name: a\n        |")).toEqual(
    expect.arrayContaining(["allow", "reject", "drop", "from", "limit", "why"]),
  );
});
