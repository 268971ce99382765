import type { Packet } from "@holdfast/core/api/packet-log.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { expect, test } from "vitest";
import { allowPacket, whereToAllow } from "./allow-packet.ts";

const PACKET: Packet = {
  number: 1,
  at: "2026-01-02T03:04:05.678Z",
  direction: "inbound",
  outcome: "dropped",
  rule: "default",
  foreignTable: null,
  inInterface: "eth0",
  outInterface: null,
  protocol: "tcp",
  source: "203.0.113.9",
  destination: "192.0.2.10",
  sourcePort: 40_000,
  destinationPort: 8080,
  icmpType: null,
  from: { document: "Policy/web", revision: 3, layer: "role", path: "firewall.inbound.default" },
  why: null,
};
const POLICY = `apiVersion: holdfast/v1
kind: Policy
name: web
layer: role
selector: { role: web }
firewall:
  mode: enforce
  inbound:
    default: drop # keep this
    rules:
      - { name: web, allow: tcp/443, from: any }
      - { name: no-smtp, drop: tcp/25, from: any }
`;

function edited(packet: Packet, text = POLICY): string {
  const edit = allowPacket(text, packet, "seen in the packet log");
  if (!edit.ok) throw new Error(edit.error);
  const done = editDocument(text, edit.value);
  if (!done.ok) throw new Error(done.error);
  const { documents, findings } = parseDocuments(done.value, { domains: DOMAIN_LANGUAGES });
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(documents).toHaveLength(1);
  return done.value;
}

test("what the default drops is allowed by a last rule; the rest of the text stays", () => {
  const text = edited(PACKET);
  expect(text).toContain("default: drop # keep this");
  expect(text.slice(text.indexOf("no-smtp"))).toMatch(/allow-tcp-8080.*tcp\/8080.*203\.0\.113\.9/s);
});

test("what a rule drops is allowed before that rule", () => {
  const text = edited({ ...PACKET, rule: "no-smtp", destinationPort: 25 });
  expect(text.indexOf("allow-tcp-25")).toBeGreaterThan(text.indexOf("name: web, allow"));
  expect(text.indexOf("allow-tcp-25")).toBeLessThan(text.indexOf("no-smtp"));
});

test("a second one has a name of its own, and a section without rules gets them", () => {
  const twice = edited({ ...PACKET, source: "2001:db8::9" }, edited(PACKET));
  expect(twice).toContain("allow-tcp-8080-2");
  const bare = POLICY.slice(0, POLICY.indexOf("    rules:"));
  expect(edited(PACKET, bare)).toContain("allow-tcp-8080");
});

test("what leaves is allowed by where it goes, what passes through by both ends", () => {
  const text = POLICY.replace("inbound:", "forward:");
  expect(edited({ ...PACKET, direction: "forward" }, text)).toMatch(/from: "?203\.0\.113\.9"?.*to: "?192\.0\.2\.10"?/s);
  const out = edited(
    { ...PACKET, direction: "outbound", source: "192.0.2.10", destination: "198.51.100.1" },
    POLICY.replace("inbound:", "outbound:"),
  );
  expect(out).toContain("198.51.100.1");
  expect(out).not.toContain("192.0.2.10");
});

test.each([
  ["passes", { outcome: "allowed" }],
  ["foreign", { outcome: "dropped", foreignTable: "ip docker" }],
  ["locked", { rule: "locked.invalid" }],
  ["limited", { rule: "ssh.limited" }],
  ["no_word", { protocol: "icmpv6", destinationPort: null, icmpType: 143 }],
  ["nowhere", { from: null }],
  ["nowhere", { from: { ...PACKET.from, document: "Floor/house" } }],
] as const)("no rule is written: %s", (why, more) => {
  expect(whereToAllow({ ...PACKET, ...more } as Packet)).toEqual({ ok: false, error: why });
});

test("a text that cannot be read is not edited", () => {
  expect(allowPacket("{", PACKET, "x")).toEqual({ ok: false, error: "unreadable" });
});
