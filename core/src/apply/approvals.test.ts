import fc from "fast-check";
import { expect, test } from "vitest";
import { approvalDemand, type ApprovalRule, type ServerAtRisk } from "./approvals.ts";

const NOW = 1_000_000_000;
const DAY_MS = 86_400_000;

function server(more: Partial<ServerAtRisk> = {}): ServerAtRisk {
  return {
    approvals: 0,
    rules: [],
    breakGlass: false,
    isChanged: true,
    touchesManagementPath: false,
    domains: ["firewall"],
    failedAtMs: null,
    ...more,
  };
}

test("no floor asks, nobody is asked; one that asks always says so", () => {
  expect(approvalDemand([server()], NOW)).toEqual({ needed: 0, because: [], mayBreakGlass: false });
  expect(approvalDemand([server({ approvals: 2 }), server()], NOW)).toMatchObject({
    needed: 2,
    because: ["Every change under this floor needs 2 approvals."],
  });
});

test.each<[string, ApprovalRule, Partial<ServerAtRisk>, Partial<ServerAtRisk>]>([
  ["domains", { approvals: 1, domains: ["network", "vpn"] }, { domains: ["system"] }, { domains: ["vpn"] }],
  ["management path", { approvals: 1, managementPath: true }, {}, { touchesManagementPath: true }],
  [
    "history",
    { approvals: 1, failedWithinSeconds: 86_400 },
    { failedAtMs: NOW - DAY_MS - 1 },
    { failedAtMs: NOW - DAY_MS },
  ],
])("by risk: %s", (_, rule, harmless, risky) => {
  expect(approvalDemand([server({ rules: [rule], ...harmless })], NOW).needed).toBe(0);
  expect(approvalDemand([server({ rules: [rule], ...risky })], NOW).needed).toBe(1);
  // The same thing on a server that is under no such floor, or that is not changed, asks for nothing.
  expect(approvalDemand([server({ rules: [rule], ...harmless }), server(risky)], NOW).needed).toBe(0);
  expect(approvalDemand([server({ rules: [rule], ...risky, isChanged: false })], NOW).needed).toBe(0);
});

test("by how many servers: those under the floor that says so count, and only those that change", () => {
  const rule: ApprovalRule = { approvals: 2, servers: 3 };
  const three = Array.from({ length: 3 }, () => server({ rules: [rule] }));
  expect(approvalDemand(three, NOW)).toMatchObject({
    needed: 2,
    because: ["It needs 2 approvals, because it is for 3 servers (3 or more)."],
  });
  expect(approvalDemand([...three.slice(1), server(), server()], NOW).needed).toBe(0);
  expect(approvalDemand([...three.slice(1), server({ rules: [rule], isChanged: false })], NOW).needed).toBe(0);
});

test("the conditions of one row hold together; of several rows the most counts, and what asks for less is not told", () => {
  const both: ApprovalRule = { approvals: 2, domains: ["network"], managementPath: true };
  const one: ApprovalRule = { approvals: 1, domains: ["network"] };
  const risky = server({ approvals: 1, rules: [both, one], domains: ["network"], touchesManagementPath: true });
  expect(approvalDemand([risky], NOW)).toEqual({
    needed: 2,
    because: [
      "Every change under this floor needs 1 approval.",
      "It needs 2 approvals, because it touches the way by which a server is managed and it changes network.",
    ],
    mayBreakGlass: false,
  });
  expect(approvalDemand([server({ rules: [both], domains: ["network"] })], NOW).needed).toBe(0);
});

test("glass is broken only where every server that asks for an approval allows it", () => {
  const allows = server({ approvals: 1, breakGlass: true });
  expect(approvalDemand([allows, server()], NOW).mayBreakGlass).toBe(true);
  expect(approvalDemand([allows, server({ approvals: 1 })], NOW).mayBreakGlass).toBe(false);
  const rule: ApprovalRule = { approvals: 1, domains: ["firewall"] };
  expect(approvalDemand([allows, server({ rules: [rule] })], NOW).mayBreakGlass).toBe(false);
  expect(approvalDemand([allows, server({ rules: [{ ...rule, domains: ["vpn"] }] })], NOW).mayBreakGlass).toBe(true);
});

test("one server more, or one row more, never asks for less", () => {
  const domain = fc.constantFrom("firewall" as const, "network" as const, "system" as const, "vpn" as const);
  const rule = fc.record(
    {
      approvals: fc.integer({ min: 1, max: 4 }),
      servers: fc.integer({ min: 1, max: 4 }),
      managementPath: fc.constant(true as const),
      domains: fc.array(domain, { minLength: 1, maxLength: 2 }),
      failedWithinSeconds: fc.integer({ min: 1, max: 1_000 }),
    },
    { requiredKeys: ["approvals", "domains"] },
  );
  const any = fc.record({
    approvals: fc.integer({ min: 0, max: 3 }),
    rules: fc.array(rule, { maxLength: 3 }),
    breakGlass: fc.boolean(),
    isChanged: fc.boolean(),
    touchesManagementPath: fc.boolean(),
    domains: fc.array(domain),
    failedAtMs: fc.option(fc.integer({ min: NOW - 1_000_000, max: NOW })),
  });
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 6 }), any, rule, (servers, another, more) => {
      const { needed } = approvalDemand(servers, NOW);
      expect(approvalDemand([...servers, another], NOW).needed).toBeGreaterThanOrEqual(needed);
      const [first, ...others] = servers;
      if (first === undefined) return;
      const stricter = [{ ...first, rules: [...first.rules, more] }, ...others];
      expect(approvalDemand(stricter, NOW).needed).toBeGreaterThanOrEqual(needed);
    }),
  );
});
