import { expect, test } from "vitest";
import { sampleConfig, sampleRule } from "../../test/firewall-sample.ts";
import { changesTitle, firewallChanges } from "./diff.ts";
import { firewall } from "./domain.ts";
import { type FirewallObserved, observeFirewall } from "./facts.ts";
import type { FirewallConfig } from "./model.ts";
import { nativeTable } from "./native.ts";

const MANAGEMENT = { controlPlane: [], inbound: [] };
const NOTHING: FirewallObserved = {
  table: null,
  counts: {},
  unreadable: null,
  foreignHooks: [],
  foreignOwners: [],
  interfaces: [],
  forwarding: { ipv4: true, ipv6: true },
  legacyTables: [],
};
const web = sampleRule("web", { services: ["tcp/443"] });
const closed = sampleConfig({ inbound: { default: "drop", rules: [web] } });

function planned(
  desired: FirewallConfig | null,
  confirmed: FirewallConfig | null,
  observed: Partial<FirewallObserved>,
) {
  const plan = firewall.plan({ desired, confirmed, observed: { ...NOTHING, ...observed }, managementPath: MANAGEMENT });
  return { ...plan, codes: plan.findings.map((one) => one.code) };
}

const live = (config: FirewallConfig): Partial<FirewallObserved> => ({ table: nativeTable(config, []) });

test("the first enforcement of a hook is told unless that hook was confirmed before, observing or not", () => {
  expect(planned(closed, null, {}).codes).toEqual(["firewall.first_enforcement"]);
  const observing: FirewallConfig = { ...closed, mode: "observe" };
  expect(planned(observing, null, {}).codes).toEqual([]);
  expect(planned(closed, observing, live(observing)).codes).toEqual([]);
  const wider = sampleConfig({
    ...closed,
    outbound: { default: "drop", rules: [sampleRule("basics", { services: ["udp/53", "udp/123"] })] },
  });
  expect(planned(wider, closed, live(closed)).findings).toMatchObject([
    { code: "firewall.first_enforcement", path: "firewall.outbound" },
  ]);
  expect(planned(sampleConfig({ outbound: { default: "allow", rules: [] } }), null, {}).codes).toEqual([]);
});

test("no section any more takes the table away and says so; nothing to take is nothing to do", () => {
  const plan = planned(null, closed, live(closed));
  expect(plan.codes).toEqual(["firewall.released"]);
  expect(plan.steps).toMatchObject([
    { action: { kind: "nft", batch: "add table inet holdfast\ndelete table inet holdfast\n" } },
  ]);
  expect(planned(null, null, {})).toMatchObject({ steps: [], findings: [], nativeDiff: "" });
});

test("what somebody else changed is told, and repaired by the same plan", () => {
  const plan = planned(closed, closed, { table: { ...nativeTable(closed, []), chains: {} } });
  expect(plan.codes).toContain("firewall.drift");
  expect(plan.steps).toHaveLength(1);
  expect(plan.steps[0]?.title).toBe("Put the firewall back as it is confirmed");
});

test("interfaces: missing, ambiguous, and found under the link that others stand on", () => {
  const zoned = sampleConfig({
    interfaces: { wan: { mac: "52:54:00:aa:10:01" } },
    zones: { out: ["wan"] },
    forward: { default: "allow", rules: [sampleRule("no", { verb: "drop", from: [{ interfaces: "zone:out" }] })] },
  });
  const link = (name: string, kind: string | null) => ({ name, kind, mac: "52:54:00:aa:10:01", addresses: [] });
  expect(planned(zoned, zoned, {}).codes).toContain("firewall.interface_missing");
  expect(planned(zoned, zoned, { interfaces: [link("eth0", null), link("eth1", null)] }).codes).toContain(
    "firewall.interface_ambiguous",
  );
  const stacked = { interfaces: [link("eth0", null), link("eth0.10", "vlan"), link("br0", "bridge")] };
  expect(planned(zoned, zoned, stacked).codes).toEqual(["firewall.drift"]);
  expect(nativeTable(zoned, stacked.interfaces).sets["i_zone/out"]?.elements).toEqual(['"eth0"']);
  expect(firewall.render(zoned, null)).toContain("# known only on the server, and left out of the sets: wan");
});

test("forwarding that is off, other firewalls and the older iptables are told", () => {
  const forwarding = sampleConfig({ forward: { default: "drop", rules: [web] } });
  expect(
    planned(forwarding, forwarding, { ...live(forwarding), forwarding: { ipv4: false, ipv6: null } }).codes,
  ).toEqual(["firewall.forwarding_off"]);
  const hook = {
    family: "ip",
    table: "filter",
    name: "INPUT",
    type: "filter",
    hook: "input",
    priority: 0,
    policy: "drop",
  };
  const plan = planned(closed, closed, {
    ...live(closed),
    foreignHooks: [hook, { ...hook, policy: "accept", name: "X" }, { ...hook, hook: "forward" }],
    foreignOwners: ["Docker"],
    legacyTables: ["ip filter"],
  });
  expect(plan.codes).toEqual(["firewall.other_drops", "firewall.other_present", "firewall.legacy_iptables"]);
  expect(plan.findings[0]?.message).toContain("table ip filter (chain INPUT)");
});

test("what the counters of our table have counted is told, and is no part of what is compared", () => {
  const listed = (packets: number) =>
    observeFirewall({
      table: {
        status: 0,
        stdout: JSON.stringify({
          nftables: [
            {
              counter: {
                family: "inet",
                name: "d_inbound",
                table: "holdfast",
                handle: 1,
                packets,
                bytes: packets * 60,
              },
            },
          ],
        }),
        stderr: "",
      },
    });
  expect(listed(7).counts).toEqual({ d_inbound: { packets: 7, bytes: 420 } });
  expect(firewall.ours(listed(7))).toEqual(firewall.ours(listed(9)));
  expect(observeFirewall({}).counts).toEqual({});
});

test("facts that cannot be read are said, never taken for an empty server", () => {
  const raw = (status: number, stdout: string, stderr = "") => ({ status, stdout, stderr });
  const unreadable = (table: { status: number; stdout: string; stderr: string }) =>
    observeFirewall({ table }).unreadable;
  expect(unreadable(raw(1, "", "Error: No such file or directory\nlist table inet holdfast"))).toBeNull();
  expect(unreadable(raw(1, "", "Operation not permitted (you must be root)"))).toContain("not permitted");
  expect(unreadable(raw(127, "", "spawn nft ENOENT: No such file or directory"))).not.toBeNull();
  expect(unreadable(raw(0, '{"nftables": [{"table": {"flags": '))).toContain("JSON");
  expect(unreadable(raw(0, "[]"))).not.toBeNull();
  expect(unreadable(raw(0, '{"nftables": [{"chain": {"family": "ip", "table": "nat", "name": "x"}}]}'))).toContain(
    "another table",
  );
  expect(observeFirewall({}).unreadable).not.toBeNull();
  const observed = observeFirewall({
    table: raw(0, '{"nftables": []}'),
    addresses: raw(0, "not json"),
    chains: raw(0, "?"),
    forwarding4: raw(0, "1\n"),
    legacy4: raw(0, "nat\nfilter\n"),
  });
  expect(observed).toMatchObject({
    unreadable: null,
    interfaces: [],
    foreignHooks: [],
    forwarding: { ipv4: true, ipv6: null },
    legacyTables: ["ip filter", "ip nat"],
  });
  expect(firewall.verify(closed, observeFirewall({}))).toHaveLength(1);
  expect(firewall.ours(observeFirewall({}))).not.toEqual(firewall.ours(NOTHING));
  expect(planned(closed, null, { unreadable: "x" })).toMatchObject({ steps: [], codes: ["firewall.unreadable"] });
  expect(firewall.lacks({ ...NOTHING, unreadable: "x" })).toMatchObject([{ feature: "", code: "firewall.unreadable" }]);
  expect(firewall.lacks(NOTHING)).toEqual([]);
});

test("an undo onto a table that cannot be read makes it anew", () => {
  const snapshot = { ...NOTHING, ...live(closed) };
  const [step] = firewall.restore(snapshot, { ...NOTHING, unreadable: "broken" });
  expect(step?.action).toMatchObject({
    kind: "nft",
    batch: expect.stringMatching(/^add table inet holdfast\ndelete table inet holdfast\nadd table inet holdfast\n/),
  });
  expect(firewall.restore(NOTHING, { ...NOTHING, unreadable: "broken" })).toMatchObject([
    { action: { batch: "add table inet holdfast\ndelete table inet holdfast\n" } },
  ]);
  expect(firewall.restore({ ...NOTHING, unreadable: "broken" }, snapshot)).toEqual([]);
});

test("the boot file is written whole, and removed with the firewall", () => {
  expect(firewall.persist(closed, NOTHING)).toMatchObject([
    { action: { kind: "write_file", path: "/var/lib/holdfast/boot/firewall.nft", mode: 0o600 } },
  ]);
  expect(firewall.persist(null, NOTHING)).toMatchObject([{ action: { kind: "remove_file" } }]);
});

test("a change is told in the words of the policy", () => {
  const rules = ["a", "b", "c", "d", "e"].map((letter) => sampleRule(`rule-${letter}`, { services: ["tcp/443"] }));
  const with_ = (list: typeof rules): FirewallConfig => sampleConfig({ inbound: { default: "drop", rules: list } });
  const told = (list: typeof rules) =>
    firewallChanges(with_(rules), with_(list)).map((one) => `${one.kind} ${one.what}`);
  const [a, b, c, d, e] = rules;
  if (a === undefined || b === undefined || c === undefined || d === undefined || e === undefined)
    throw new Error("five rules");
  expect(told(rules)).toEqual([]);
  expect(told([e, a, b, c, d])).toEqual(["moved inbound rule rule-e"]);
  expect(told([a, b, d, e])).toEqual(["removed inbound rule rule-c"]);
  expect(told([a, b, { ...c, verb: "drop" }, d, e])).toEqual(["changed inbound rule rule-c"]);
  expect(
    firewallChanges(with_(rules), sampleConfig({ mode: "observe" })).map((one) => `${one.kind} ${one.what}`),
  ).toEqual(["changed the mode", "removed the inbound section"]);
  expect(changesTitle(firewallChanges(null, closed))).toBe("Firewall: add the firewall");
  expect(changesTitle(firewallChanges(with_(rules), with_([])))).toBe(
    "Firewall: remove inbound rule rule-a, and 4 more changes",
  );
});
