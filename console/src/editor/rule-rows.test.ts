import { expect, test } from "vitest";
import { WEB_HOST } from "../../mock-api/texts.ts";
import { editRule, type RuleEdit, type RuleRow, ruleSections, wordsToJson } from "./rule-rows.ts";

function row(name: string, text = WEB_HOST): RuleRow {
  const found = ruleSections(text)
    ?.flatMap((section) => section.rows)
    .find((one) => one.name === name);
  if (found === undefined) throw new Error(`no rule ${name}`);
  return found;
}

function edited(name: string, edit: RuleEdit, text = WEB_HOST): string {
  const result = editRule(text, row(name, text), edit);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** Lines that are only in one of the two texts. */
function changedLines(before: string, after: string): readonly string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  return [
    ...a.filter((line) => !b.includes(line)).map((line) => `-${line.trim()}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `+${line.trim()}`),
  ];
}

test("the rules of a text, in order", () => {
  const [inbound, outbound] = ruleSections(WEB_HOST) ?? [];
  expect(
    inbound?.rows.map(({ name, verb, services, enabled }) => `${name} ${verb ?? ""} ${services} ${String(enabled)}`),
  ).toEqual([
    "web allow tcp/80, tcp/443, udp/443 true",
    "ssh allow tcp/22 true",
    "metrics allow tcp/9100 true",
    "ping allow icmp/echo true",
    "partner-debug allow tcp/8443 false",
  ]);
  expect(inbound?.fallback).toBe("drop");
  expect(outbound?.rows).toEqual([]);
});

test.each<[string, string, RuleEdit, readonly string[]]>([
  [
    "a service",
    "ssh",
    { kind: "services", text: "tcp/22, tcp/2222" },
    ["-allow: tcp/22", "+allow: [tcp/22, tcp/2222]"],
  ],
  ["a source", "ssh", { kind: "from", text: "any" }, ["-from: office"]],
  ["a reason", "ssh", { kind: "why", text: "OPS-1" }, ["+why: OPS-1"]],
  ["a reason goes", "metrics", { kind: "why", text: " " }, ["-why: OPS-812"]],
  ["off", "web", { kind: "enabled", enabled: false }, []],
  ["on", "partner-debug", { kind: "enabled", enabled: true }, ["-enabled: false"]],
])("T1: only the lines of the edit change: %s", (_, name, edit, expected) => {
  const after = edited(name, edit);
  expect(changedLines(WEB_HOST, after)).toEqual(expected);
  expect(after).toContain("# operators only");
});

test("a verb takes its services along, and both forms agree", () => {
  const after = edited("metrics", { kind: "verb", verb: "drop" });
  expect(row("metrics", after)).toMatchObject({ verb: "drop", services: "tcp/9100" });
  expect(edited("metrics", { kind: "verb", verb: "allow" }, after)).toContain("allow: tcp/9100");
});

test("a rule moves with its comment, and back again to the same bytes", () => {
  const moved = edited("ssh", { kind: "move", to: 2 });
  expect(ruleSections(moved)?.[0]?.rows.map((one) => one.name)).toEqual([
    "web",
    "metrics",
    "ssh",
    "ping",
    "partner-debug",
  ]);
  expect(moved.indexOf("# operators only")).toBeGreaterThan(moved.indexOf("name: metrics"));
  expect(edited("ssh", { kind: "move", to: 1 }, moved)).toBe(WEB_HOST);
});

test("a rule is removed", () => {
  expect(ruleSections(edited("ping", { kind: "remove" }))?.[0]?.rows).toHaveLength(4);
});

test("T2: a peer that is a map is shown and not editable", () => {
  const text = WEB_HOST.replace("from: role:monitoring", "from: { zone: staff, address: 10.0.0.1 }");
  expect(row("metrics", text).from).toEqual({ text: '{"zone":"staff","address":"10.0.0.1"}', editable: false });
});

test("a text that cannot be read has no table", () => {
  expect(ruleSections("a: [")).toBeNull();
  expect(ruleSections("apiVersion: holdfast/v1\nkind: Policy\n")).toEqual([]);
});

test.each([
  ["any", "any"],
  ["tcp/80, tcp/443", ["tcp/80", "tcp/443"]],
  ["", []],
])("the words %j are written as %j", (text, expected) => {
  expect(wordsToJson(text)).toEqual(expected);
});
