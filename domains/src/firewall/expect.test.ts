import type { Packets } from "@holdfast/core/compose/domain-language.ts";
import { addressSetFromText } from "@holdfast/core/net/address-set.ts";
import { parseService } from "@holdfast/core/net/service.ts";
import { expect, test } from "vitest";
import { sampleConfig, sampleRule } from "../../test/firewall-sample.ts";
import { checkExpectation } from "./expect.ts";

function packets(from: string, to: string, service: string): Packets {
  const endpoint = (text: string): Packets["from"] => {
    if (text === "any" || text === "self") return { kind: text };
    if (text.startsWith("zone:")) return { kind: "zone", name: text.slice(5) };
    const set = addressSetFromText(text);
    if (!set.ok) throw new Error(set.error);
    return { kind: "addresses", addresses: set.value };
  };
  const parsed = parseService(service);
  if (!parsed.ok) throw new Error(parsed.error);
  return { from: endpoint(from), to: endpoint(to), service: parsed.value };
}

const GATEWAY = sampleConfig({
  zones: { internet: ["wan"], staff: ["staff"], guest: ["guest"] },
  sets: { office: ["203.0.113.0/26"] },
  floor: { inbound: [{ name: "ops", networks: ["192.0.2.0/24"], tcpPorts: [22] }], controlPlane: [] },
  inbound: {
    default: "drop",
    rules: [
      sampleRule("ssh", { services: ["tcp/22"], from: [{ set: "office" }] }),
      sampleRule("debug", { services: ["tcp/8443"], expires: 2_000_000_000 }),
    ],
  },
  forward: {
    default: "drop",
    rules: [
      sampleRule("guest-stays-out", {
        verb: "reject",
        from: [{ interfaces: "zone:guest" }],
        to: [{ interfaces: "zone:staff" }],
      }),
      sampleRule("staff-out", { from: [{ interfaces: "zone:staff" }], to: [{ interfaces: "zone:internet" }] }),
      sampleRule("guest-web", {
        services: ["tcp/80", "tcp/443"],
        from: [{ interfaces: "zone:guest" }],
        to: [{ interfaces: "zone:internet" }],
      }),
    ],
  },
  nat: {
    masquerade: [],
    publish: [
      {
        name: "shop",
        service: "tcp/443",
        at: { interfaces: ["zone:internet"], addresses: [] },
        to: "10.20.10.5",
        port: 8443,
        from: [{ addresses: ["198.51.100.0/24"] }],
        hairpin: [],
      },
    ],
  },
});

test.each([
  ["203.0.113.5", "self", "tcp/22", "open", "ssh"],
  ["203.0.113.0/24", "self", "tcp/22", "partly", "open by ssh; closed by the default (drop)"],
  ["zone:internet", "self", "tcp/5432", "closed", "the default (drop)"],
  ["any", "self", "tcp/8443", "open", "debug"],
  ["192.0.2.5", "self", "tcp/22", "open", "locked.floor.ops"],
  ["zone:staff", "any", "tcp/443", "open", "staff-out"],
  ["zone:staff", "zone:guest", "tcp/443", "closed", "the default (drop)"],
  ["zone:guest", "zone:staff", "any", "closed", "guest-stays-out"],
  ["zone:guest", "zone:internet", "tcp/80", "open", "guest-web"],
  ["zone:guest", "zone:internet", "tcp/80-81", "partly", "open by guest-web; closed by the default (drop)"],
  ["zone:guest", "zone:internet", "icmp/echo", "closed", "the default (drop)"],
  ["self", "9.9.9.9", "udp/53", "unjudged", ""],
])("from %s to %s, %s: %s, because of %s", (from, to, service, verdict, because) => {
  expect(checkExpectation(GATEWAY, packets(from, to, service))).toEqual({ verdict, because });
});

test("a published service is open where it is published, to whom it is published, beside the floor's own sources", () => {
  const from = (text: string): Packets => {
    const base = packets(text, "self", "tcp/443");
    return base;
  };
  expect(checkExpectation(GATEWAY, from("198.51.100.7")).because).toContain("publish.shop");
  expect(checkExpectation(GATEWAY, from("198.51.101.7"))).toEqual({ verdict: "closed", because: "the default (drop)" });
});

test("what would take too long to judge is unjudged, never guessed", () => {
  const rules = Array.from({ length: 4000 }, (_, index) =>
    sampleRule(`r-${index}`, {
      services: ["tcp/443"],
      from: [{ addresses: [`10.${index >> 8}.${index & 255}.0/25`] }],
    }),
  );
  expect(
    checkExpectation(sampleConfig({ inbound: { default: "drop", rules } }), packets("any", "self", "tcp/443")),
  ).toEqual({ verdict: "unjudged", because: "" });
});

test("while observing, what enforcing would do is judged", () => {
  expect(checkExpectation({ ...GATEWAY, mode: "observe" }, packets("zone:internet", "self", "tcp/5432")).verdict).toBe(
    "closed",
  );
});
