import { expect, test } from "vitest";
import { sampleConfig, sampleRule } from "../../test/firewall-sample.ts";
import { guardFindings, touchesManagementPath } from "./guard.ts";
import type { FirewallConfig } from "./model.ts";

const PATH = {
  controlPlane: [{ address: "192.0.2.200", port: 7081 }],
  inbound: [{ networks: ["192.0.2.0/26", "2001:db8:1::/64"], tcpPorts: [22] }],
};
const FLOOR: FirewallConfig["floor"] = {
  inbound: [{ name: "ops", networks: ["192.0.2.0/26", "2001:db8:1::/64"], tcpPorts: [22] }],
  controlPlane: [{ address: "192.0.2.200", port: 7081 }],
};
const web = sampleRule("web", { services: ["tcp/443"] });
const closed = sampleConfig({
  floor: FLOOR,
  inbound: { default: "drop", rules: [web] },
  outbound: { default: "drop", rules: [] },
});

function codes(confirmed: FirewallConfig | null, desired: FirewallConfig): readonly string[] {
  return guardFindings(confirmed, desired, PATH).map((one) => one.code);
}

test("the floor holds whatever the rules say", () => {
  expect(codes(null, closed)).toEqual([]);
  const hostile = sampleConfig({
    ...closed,
    inbound: { default: "drop", rules: [sampleRule("no", { verb: "drop" })] },
  });
  expect(codes(null, hostile)).toEqual([]);
});

test("a floor that lacks what this server must keep open is an error, for each port and for the way out", () => {
  const without = sampleConfig({ ...closed, floor: { inbound: [], controlPlane: [] } });
  expect(codes(null, without)).toEqual(["firewall.management_path_cut", "firewall.management_path_cut"]);
  const half = sampleConfig({
    ...closed,
    floor: { ...FLOOR, inbound: [{ name: "ops", networks: ["192.0.2.0/27"], tcpPorts: [22] }] },
  });
  expect(guardFindings(null, half, PATH)).toMatchObject([
    { code: "firewall.management_path_cut", message: expect.stringContaining("192.0.2.32/27, 2001:db8:1::/64") },
  ]);
});

test("a rule of the policy can keep it open as well; one with a condition is not trusted", () => {
  const by = (parts: Parameters<typeof sampleRule>[1]): FirewallConfig =>
    sampleConfig({
      ...closed,
      floor: { ...FLOOR, inbound: [] },
      zones: { inside: ["lan"] },
      inbound: { default: "drop", rules: [sampleRule("ssh", { services: ["tcp/20-30"], ...parts })] },
    });
  expect(codes(null, by({}))).toEqual([]);
  expect(codes(null, by({ from: [{ addresses: ["192.0.2.0/24", "2001:db8::/32"] }] }))).toEqual([]);
  expect(codes(null, by({ from: [{ interfaces: "zone:inside" }] }))).toEqual(["firewall.management_path_cut"]);
  expect(codes(null, by({ expires: 4_000_000_000 }))).toEqual(["firewall.management_path_cut"]);
});

test("observing and absent sections cut nothing", () => {
  const open = sampleConfig({ ...closed, floor: { inbound: [], controlPlane: [] }, mode: "observe" });
  expect(codes(null, open)).toEqual([]);
  expect(codes(null, sampleConfig({}))).toEqual([]);
});

test("whoever came in by a rule and no longer can is told as a danger", () => {
  const office = sampleRule("ssh", { services: ["tcp/22"], from: [{ addresses: ["203.0.113.0/26"] }] });
  const before = sampleConfig({ ...closed, inbound: { default: "drop", rules: [office, web] } });
  expect(guardFindings(before, closed, PATH)).toMatchObject([
    {
      code: "firewall.management_rule_changed",
      severity: "danger",
      message: expect.stringContaining("203.0.113.0/26"),
    },
  ]);
  expect(codes(closed, before)).toEqual([]);
  const narrowed = sampleConfig({
    ...closed,
    inbound: {
      default: "drop",
      rules: [sampleRule("no", { verb: "drop", from: [{ addresses: ["203.0.113.5"] }] }), office, web],
    },
  });
  expect(guardFindings(before, narrowed, PATH)).toMatchObject([
    { message: expect.stringContaining("203.0.113.5 could") },
  ]);
});

test("touching the management path is touching what its packets meet, and nothing else", () => {
  const withWeb = (port: string): FirewallConfig =>
    sampleConfig({ ...closed, inbound: { default: "drop", rules: [sampleRule("web", { services: [port] })] } });
  expect(touchesManagementPath(closed, withWeb("tcp/8443"), PATH)).toBe(false);
  expect(touchesManagementPath(closed, withWeb("tcp/22"), PATH)).toBe(true);
  expect(touchesManagementPath(closed, withWeb("any"), PATH)).toBe(true);
  expect(touchesManagementPath(closed, sampleConfig({ ...closed, mode: "observe" }), PATH)).toBe(true);
  expect(
    touchesManagementPath(closed, sampleConfig({ ...closed, outbound: { default: "allow", rules: [] } }), PATH),
  ).toBe(true);
  expect(touchesManagementPath(closed, null, PATH)).toBe(true);
  const shared = (members: string[]): FirewallConfig =>
    sampleConfig({
      ...closed,
      sets: { office: members },
      inbound: { default: "drop", rules: [sampleRule("ssh", { services: ["tcp/22"], from: [{ set: "office" }] })] },
    });
  expect(touchesManagementPath(shared(["10.0.0.1"]), shared(["10.0.0.2"]), PATH)).toBe(true);
});
