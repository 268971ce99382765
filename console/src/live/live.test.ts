import { expect, test } from "vitest";
import { effectiveConfig } from "../../mock-api/config.ts";
import { NETWORK, networkObserved } from "../../mock-api/live-network.ts";
import { SYSTEM, systemObserved } from "../../mock-api/live-system.ts";
import { VPN, vpnObserved } from "../../mock-api/live-vpn.ts";
import { differencesAt, originOf, originsBelow, type Provenance } from "./at-item.ts";
import { addressRows, linkRows, roleOfRoute } from "./link-rows.ts";
import { groupKey, observeGroups, undecided } from "./observe-groups.ts";
import { desiredOf, firewallCountsOf, networkSeenSchema, systemSeenSchema, vpnSeenSchema } from "./observed.ts";
import { keyFingerprint, keyWords } from "./ssh-key.ts";
import { nameServersOf, personRows, setterOf, sshRows, timeKeeperOf, timezoneOf } from "./system-settings.ts";

const effectiveConfigOf = (server: string): unknown => (effectiveConfig(server) as { config: unknown }).config;
const network = networkSeenSchema.parse(networkObserved(true, 10));
const system = systemSeenSchema.parse(systemObserved("web-1", true));

test("reports of this version's modules are understood, and anything else is refused without a throw", () => {
  expect(vpnSeenSchema.safeParse(vpnObserved(10)).success).toBe(true);
  for (const schema of [networkSeenSchema, systemSeenSchema, vpnSeenSchema])
    for (const strange of [null, undefined, 7, "x", [], {}, { links: "no" }, { ipsec: {} }])
      expect(schema.safeParse(strange).success).toBe(false);
});

test("desired parts are read one by one: one that is not understood hides no other", () => {
  const config = { domains: { network: NETWORK, system: { hostname: 7 }, vpn: VPN } };
  const desired = desiredOf(config);
  expect(desired.network).toEqual(NETWORK);
  expect(desired.vpn).toEqual(VPN);
  expect([desired.system, desired.firewall]).toEqual([null, null]);
  for (const strange of [null, undefined, 7, {}, { domains: [] }]) expect(desiredOf(strange).network).toBeNull();
});

test("interfaces: a role is found by hardware or by name, others are not ours, what is missing is there all the same", () => {
  const rows = linkRows(NETWORK, network);
  expect(rows.map(({ name, role, desired }) => [name, role, desired !== null])).toEqual([
    ["staff", "staff", true],
    ["ens3", "wan", true],
    ["docker0", null, false],
    ["lo", null, false],
  ]);
  const wan = rows.find((row) => row.role === "wan");
  expect(wan === undefined ? [] : addressRows(wan).filter((one) => one.isExtra)).toMatchObject([
    { address: "203.0.113.44/26" },
  ]);
  const gone = linkRows(NETWORK, { ...network, links: [] });
  expect(gone.map((row) => [row.role, row.seen])).toEqual([
    ["staff", null],
    ["wan", null],
  ]);
  const [, lost] = gone;
  expect(lost === undefined ? [] : addressRows(lost)).toMatchObject([
    { address: "203.0.113.10/26", source: "missing" },
  ]);
  expect(roleOfRoute(NETWORK, { to: "0.0.0.0/0", table: 254, via: "203.0.113.1" })).toBe("wan");
  expect(roleOfRoute(NETWORK, { to: "10.0.0.0/8", table: 254, via: "203.0.113.2" })).toBe("wan");
  expect(roleOfRoute(NETWORK, { to: "10.0.0.0/8", table: 9, via: "203.0.113.2" })).toBeNull();
});

test("system settings as people read them", () => {
  expect(timezoneOf(system)).toBe("Asia/Seoul");
  expect(nameServersOf(system)).toEqual(["9.9.9.9", "2620:fe::fe"]);
  expect(timeKeeperOf(system)).toEqual({ unit: "systemd-timesyncd.service", active: "active" });
  expect(setterOf(system, "net.core.somaxconn")).toBe("/etc/sysctl.d/99-holdfast.conf:3");
  expect(sshRows(SYSTEM.ssh, system)).toContainEqual({ setting: "passwords", now: "yes", should: "no" });
  expect(sshRows(undefined, { ...system, sshd: null }).map(({ setting }) => setting)).toEqual([
    "port",
    "rootLogin",
    "keys",
    "passwords",
  ]);
  const people = personRows(SYSTEM, system);
  expect(people.map(({ name, account, keys }) => [name, account !== null, keys.length])).toEqual([
    ["ana", true, 1],
    ["backup-job", true, 0],
    ["jules", false, 0],
    ["kim", true, 1],
    ["root", true, 0],
  ]);
});

test("what differs and where it is written is found at the item", () => {
  const at = (path: string) => ({ path, expected: "", found: "" });
  const all = [at("interfaces.wan.mtu"), at("interfaces.wan2"), at("sysctl:net.core.somaxconn"), at("user:kim")];
  expect(differencesAt(all, "interfaces.wan")).toEqual([all[0]]);
  expect(differencesAt(all, "sysctl:net.core.somaxconn")).toEqual([all[2]]);
  expect(differencesAt(all, "user:ki")).toEqual([]);
  const entry = (item: string, document: string): Provenance => ({
    item,
    from: { document, revision: 1, layer: "role", path: item },
    beat: [],
  });
  const provenance = [
    entry("network.interfaces.wan.ipv4", "Policy/a"),
    entry("network.interfaces.wan.mtu", "Policy/a"),
    entry("network.interfaces.wan.dns", "Policy/b"),
    entry("system.logs", "Policy/c"),
  ];
  expect(originOf(provenance, "system.logs.to")?.from.document).toBe("Policy/c");
  expect(originOf(provenance, "system.hostname")).toBeUndefined();
  expect(originsBelow(provenance, "network.interfaces.wan").map(({ from }) => from.document)).toEqual([
    "Policy/a",
    "Policy/b",
  ]);
});

test("a key is shown by the fingerprint that ssh-keygen shows", async () => {
  const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXWIz1nfSDNQ8nl2q9xwdlm1xW1hQ3L3Kq1yVwY1w2d kim@office";
  // ssh-keygen -lf of this very line.
  expect(await keyFingerprint(line)).toBe("SHA256:km1dyA0UryWnLwrA49uXVRQDO1fjE1dUj/W0w2XNtfw");
  expect(await keyFingerprint("ssh-ed25519 %%%")).toBeNull();
  expect(await keyFingerprint("")).toBeNull();
  expect(keyWords(line)).toEqual({ kind: "ssh-ed25519", comment: "kim@office" });
});

test("what an observing firewall would drop is grouped by what stops it, the most hit first, and asks for a decision", () => {
  const config = desiredOf(effectiveConfigOf("mon-1")).firewall;
  if (config === null) throw new Error("the mock has a firewall there");
  const counts = firewallCountsOf({
    counts: { od_inbound: { packets: 4, bytes: 9 }, o_inbound_telnet: { packets: 0, bytes: 0 } },
  });
  const groups = observeGroups(config, counts);
  expect(groups.map(({ kind, rule, count }) => [kind, rule, count?.packets ?? null])).toEqual([
    ["default", null, 4],
    ["limit", "ssh", null],
    ["rule", "telnet", 0],
  ]);
  // Nobody knows whether the limit was met: that is decided too.
  expect(undecided(groups, new Set()).map(groupKey)).toEqual(["inbound default ", "inbound limit ssh"]);
  expect(undecided(groups, new Set(["inbound default ", "inbound limit ssh"]))).toEqual([]);
  expect(observeGroups({ ...config, mode: "enforce" }, counts)).toEqual([]);
  expect(firewallCountsOf(null)).toEqual({});
});
