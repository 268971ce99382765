import { readFileSync } from "node:fs";
import { composeServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { performed } from "../../test/vpn-charon.ts";
import { bareServer, EMPTY_CHARON, inForce, PEOPLE, peopleConfig, TUNNEL, withCharon } from "../../test/vpn-sample.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { wantedOf } from "./conn.ts";
import { vpn } from "./domain.ts";
import type { VpnObserved } from "./facts.ts";
import type { VpnConfig } from "./model.ts";
import { poolSize, poolsOf } from "./people.ts";

const NOWHERE = { controlPlane: [], inbound: [] };
const plan = (desired: VpnConfig | null, observed: VpnObserved, confirmed: VpnConfig | null = null) =>
  vpn.plan({ desired, confirmed, observed, managementPath: NOWHERE });
const { alice, bob } = PEOPLE.persons as { alice: { identity: string; keyFile: string }; bob: typeof alice };

const SA = {
  state: "ESTABLISHED",
  localAddress: "203.0.113.10",
  remoteAddress: "198.51.100.80",
  establishedSeconds: 60,
  rekeySeconds: 100,
  virtualAddresses: ["10.99.0.1"],
  children: [{ label: "c", state: "INSTALLED", bytesIn: 1, bytesOut: 2, rekeySeconds: 50 }],
};

test("shutting one out touches nobody else, and the key stays until it is confirmed", () => {
  const before = inForce(peopleConfig());
  const without = peopleConfig({ persons: { alice } });
  const { steps } = plan(without, before);
  expect(steps.map(({ id, action }) => [id, action.kind === "ipsec" ? action.act.op : action.kind])).toEqual([
    ["vpn.people.staff.end.1", "end_people"],
  ]);
  const persisted = vpn.persist(without, performed(before, steps));
  expect(persisted.map(({ id }) => id)).toEqual(["vpn.boot.keys", "vpn.boot", "vpn.people.keys.unload", "vpn.record"]);
  expect(JSON.stringify(persisted[2]?.action)).toContain("ike-holdfast-staff--bob--pair-2");
});

test("pools come before whoever needs them, and go after everybody has left them", () => {
  const before = inForce(peopleConfig());
  const { steps } = plan(peopleConfig({ pools: ["10.98.0.0/24"] }), before);
  const at = (part: string): number => steps.findIndex(({ id }) => id.includes(part));
  const [old, now] = [PEOPLE.pools, ["10.98.0.0/24"]].map((pools) => poolsOf({ ...PEOPLE, pools })[0]?.name ?? "");
  const order = [at(`${now}.load`), at("people.staff.load"), at("people.staff.renew"), at(`${old}.unload`)];
  expect(order.toSorted((a, b) => a - b)).toEqual(order);
  expect(order[0]).toBeGreaterThanOrEqual(0);
  // Other resolvers are another pool: charon does not tell which ones it hands out.
  expect(poolsOf({ ...PEOPLE, dns: [] })[0]?.name).not.toBe(old);
});

const CERTIFICATE = {
  own: `MI${"A".repeat(82)}`,
  keyId: "ab".repeat(20),
  keyFile: "tunnel.staff--office.1.0123456789abcdef",
};
const HAS_KEY = bareServer({
  ipsec: { charon: EMPTY_CHARON, keyFiles: { "pair-1": null, "pair-2": null, [CERTIFICATE.keyFile]: null } },
});
const byPassword = (persons: typeof PEOPLE.persons = PEOPLE.persons): VpnConfig =>
  peopleConfig({ certificate: CERTIFICATE, persons });
const ops = (steps: ReturnType<typeof plan>["steps"]): readonly string[] =>
  steps.map(({ id, action }) => `${id} ${action.kind === "ipsec" ? action.act.op : action.kind}`);

test("by password: who asks for the name comes before the people, who have no identity but their name", () => {
  const { steps, findings } = plan(byPassword(), HAS_KEY);
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(ops(steps).map((one) => one.replace(/pool-[0-9a-f]+/, "pool"))).toEqual([
    "vpn.note write_file",
    `vpn.private-${CERTIFICATE.keyId}.load load_key`,
    "vpn.holdfast-pool.load load_pool",
    "vpn.block ip_state",
    "vpn.holdfast-staff.load load_conn",
    "vpn.people.staff.load.1 load_people",
  ]);
  const [door, first] = wantedOf(byPassword());
  expect(door?.conn).toMatchObject({ name: "holdfast-staff", remoteIdentity: "%any", password: { name: null } });
  expect(first?.conn).toMatchObject({ remoteIdentity: "%any", password: { name: "alice@example.com" } });
  expect(first?.key).toEqual({
    id: "eap-holdfast-staff--alice--pair-1",
    file: "pair-1",
    owners: ["alice@example.com"],
  });
  const live = performed(HAS_KEY, steps);
  expect(vpn.verify(byPassword(), live)).toEqual([]);
  expect(vpn.restored?.(HAS_KEY, live, performed(live, vpn.restore(HAS_KEY, live)))).toEqual([]);
});

test("by password, who is shut out has no password any more on trial already, and nobody else notices", () => {
  const before = inForce(byPassword(), HAS_KEY);
  const without = byPassword({ alice });
  const { steps } = plan(without, before);
  expect(ops(steps)).toEqual(["vpn.people.staff.end.1 end_people", "vpn.people.keys.unload end_people"]);
  expect(JSON.stringify(steps[1]?.action)).toContain("eap-holdfast-staff--bob--pair-2");
  const live = performed(before, steps);
  expect(vpn.verify(without, live)).toEqual([]);
  // The password that an undo needs comes back, and is not left where it was new.
  const undone = performed(live, vpn.restore(before, live));
  expect(vpn.restored?.(before, live, undone)).toEqual([]);
  const added = plan(byPassword(), inForce(without, HAS_KEY));
  expect(ops(added.steps).filter((one) => !one.includes("note"))).toEqual(["vpn.people.staff.load.1 load_people"]);
  const half = performed(inForce(without, HAS_KEY), added.steps);
  const back = performed(half, vpn.restore(inForce(without, HAS_KEY), half));
  expect(back.ipsec.charon).toMatchObject({
    keys: ["eap-holdfast-staff--alice--pair-1", `private-${CERTIFICATE.keyId}`],
  });
});

test("by password, a stale password is a difference, and whose door is loaded again comes after it", () => {
  const live = inForce(byPassword(), HAS_KEY);
  const keys = [...(live.ipsec.charon.state === "up" ? live.ipsec.charon.keys : []), "eap-holdfast-staff--eve--x"];
  expect(vpn.verify(byPassword(), withCharon(live, { keys }))).toEqual([
    { path: "passwords.eap-holdfast-staff--eve--x", expected: "absent", found: "loaded" },
  ]);
  expect(ops(plan(byPassword(), withCharon(live, { keys })).steps)[0]).toBe("vpn.people.keys.unload end_people");
  const conns = (live.ipsec.charon.state === "up" ? live.ipsec.charon.conns : []).filter(
    ({ name }) => name !== "holdfast-staff",
  );
  const shut = withCharon(live, { conns });
  expect(ops(plan(byPassword(), shut).steps).filter((one) => one.includes("load"))).toEqual([
    "vpn.holdfast-staff.load load_conn",
    "vpn.people.staff.load.1 load_people",
  ]);
  expect(ops(vpn.restore(live, shut)).filter((one) => one.includes("load"))).toEqual([
    "vpn.holdfast-staff.load load_conn",
    "vpn.people.staff.load.1 load_people",
  ]);
});

const certified = (persons: Readonly<Record<string, string>> = { alice: "C", bob: "D" }): VpnConfig =>
  peopleConfig({
    certificate: CERTIFICATE,
    persons: Object.fromEntries(
      Object.entries(persons).map(([name, sign]) => [
        name,
        { identity: `${name}@example.com`, certificate: `MI${sign.repeat(82)}`, authority: `MI${"B".repeat(82)}` },
      ]),
    ),
  });

test("by certificate: the server's key once, a connection for each that names that very certificate, and no door", () => {
  const { steps, findings } = plan(certified(), HAS_KEY);
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(ops(steps).map((one) => one.replace(/pool-[0-9a-f]+/, "pool"))).toEqual([
    "vpn.note write_file",
    "vpn.holdfast-pool.load load_pool",
    "vpn.block ip_state",
    "vpn.people.staff.load.1 load_people",
  ]);
  const load = steps.at(-1)?.action;
  expect(load?.kind === "ipsec" && load.act.op === "load_people" ? load.act.keys : []).toHaveLength(1);
  for (const [index, sign] of ["C", "D"].entries())
    expect(wantedOf(certified())[index]?.conn).toMatchObject({
      remoteIdentity: "%any",
      certificates: { own: CERTIFICATE.own, peer: `MI${sign.repeat(82)}`, authority: `MI${"B".repeat(82)}` },
    });
  const live = performed(HAS_KEY, steps);
  expect(vpn.verify(certified(), live)).toEqual([]);
  expect(vpn.restored?.(HAS_KEY, live, performed(live, vpn.restore(HAS_KEY, live)))).toEqual([]);
  // Nobody is asked for a password, so nothing of it is needed, and two such tunnels can stand beside each other.
  const lacking = withCharon(HAS_KEY, { passwordLacks: ["eap-identity", "eap-mschapv2"] });
  expect(plan(certified(), lacking).findings.map(({ code }) => code)).not.toContain("vpn.no_password_plugin");
});

test("by certificate, who is shut out or has another certificate goes alone, the server's key stays, and an undo brings them back", () => {
  const before = inForce(certified(), HAS_KEY);
  const without = certified({ alice: "C" });
  expect(ops(plan(without, before).steps)).toEqual(["vpn.people.staff.end.1 end_people"]);
  const renewed = plan(certified({ alice: "E", bob: "D" }), before);
  expect(ops(renewed.steps).filter((one) => !one.includes("note"))).toEqual([
    "vpn.people.staff.load.1 load_people",
    "vpn.people.staff.renew.1 end_people",
  ]);
  expect(JSON.stringify(renewed.steps.slice(1))).not.toContain("--bob");
  for (const steps of [plan(without, before).steps, renewed.steps]) {
    const live = performed(before, steps);
    expect(vpn.restored?.(before, live, performed(live, vpn.restore(before, live)))).toEqual([]);
  }
  expect(vpn.persist(without, performed(before, plan(without, before).steps)).map(({ id }) => id)).toEqual([
    "vpn.boot.keys",
    "vpn.boot",
    "vpn.record",
  ]);
});

test("by certificate, a config that names none, or mixes the ways, is refused", () => {
  const people = certified().people?.["staff"];
  if (people === undefined) throw new Error("there are people");
  const refused = (persons: object, certificate: object = CERTIFICATE): string => {
    const parsed = vpn.parseConfig({ tunnels: {}, people: { staff: { ...people, certificate, persons } } });
    return parsed.ok ? "" : parsed.findings.map(({ path, message }) => `${path}: ${message}`).join();
  };
  const one = people.persons["alice"];
  expect(refused({ alice: one })).toBe("");
  expect(refused({ alice: one, bob })).toContain("some have a certificate and some have not");
  expect(refused({ alice: { ...one, certificate: "MIx" } })).toContain("vpn.people.staff.persons.alice.certificate");
  expect(refused({ alice: { ...one, authority: "" } })).toContain("vpn.people.staff.persons.alice.authority");
  const { certificate: _, ...bare } = people;
  expect(vpn.parseConfig({ tunnels: {}, people: { staff: bare } })).toMatchObject({ ok: false });
});

test("by password: what the server lacks, and two such tunnels on one server", () => {
  const lacking = withCharon(HAS_KEY, { passwordLacks: ["eap-identity", "eap-mschapv2"] });
  const { findings } = plan(byPassword(), lacking);
  expect(findings.filter(({ code }) => /password/.test(code))).toMatchObject([
    {
      severity: "error",
      code: "vpn.no_password_plugin",
      path: "vpn.people.staff",
      message: expect.stringContaining(
        "eap-identity (libcharon-extra-plugins) and eap-mschapv2 (libcharon-extauth-plugins)",
      ),
    },
  ]);
  expect(vpn.lacks(lacking).map(({ feature }) => feature)).toContain("password");
  expect(vpn.lacks(HAS_KEY).map(({ feature }) => feature)).not.toContain("password");
  expect(plan(peopleConfig(), lacking).findings.map(({ code }) => code)).not.toContain("vpn.no_password_plugin");
  const more = { ...PEOPLE, certificate: CERTIFICATE, pools: ["10.98.0.0/24"] };
  const two = { tunnels: {}, people: { ...byPassword().people, more } };
  expect(vpn.validate(two).map(({ severity, code, path }) => `${severity} ${code} ${path}`)).toEqual([
    "error vpn.two_by_password vpn.people.more",
  ]);
});

test("five hundred people are a few steps, and an undo of them too", () => {
  const persons = Object.fromEntries(
    Array.from({ length: 500 }, (_, n) => [`p-${n}x`, { identity: `p${n}@example.com`, keyFile: "pair-1" }]),
  );
  const many = peopleConfig({ persons, pools: ["10.99.0.0/16"] });
  const { steps } = plan(many, bareServer());
  expect(steps.length).toBeLessThan(12);
  const half = performed(bareServer(), steps);
  const back = vpn.restore(bareServer(), half);
  expect(back.length).toBeLessThan(12);
  expect(vpn.restored?.(bareServer(), half, performed(half, back))).toEqual([]);
});

test("who is connected and cut off is said in one finding, whoever stays and whoever does not", () => {
  const sas = ["alice", "bob"].map((name) => ({ ...SA, name: `holdfast-staff--${name}` }));
  const before = withCharon(inForce(peopleConfig()), { sas });
  const after = peopleConfig({ persons: { alice: { ...alice, keyFile: "pair-2" } } });
  expect(plan(after, before).findings.filter(({ code }) => code === "vpn.flaps")).toMatchObject([
    {
      path: "vpn.people.staff",
      message:
        "bob of staff: connected now, cut off, and not let in again. alice of staff: connected now, cut off until they connect anew.",
    },
  ]);
});

test("what is the same for all people of a tunnel is said once", () => {
  const persons = { alice, bob, carol: { identity: "c@example.com", keyFile: "nowhere" } };
  const observed = bareServer({ addresses: ["10.99.0.9/24"], routes: ["10.99.0.0/28"], forwarding: false });
  const codes = plan(peopleConfig({ persons }), observed).findings.map(({ code, path }) => `${code} ${path}`);
  expect(codes).toEqual([
    "vpn.key_missing vpn.people.staff.carol.psk",
    "vpn.address_not_here vpn.people.staff.local.address",
    "vpn.remote_network_is_local vpn.people.staff.pools",
    "vpn.no_address_in_networks vpn.people.staff.local.networks",
    "vpn.block_bypassed vpn.people.staff.pools",
    "vpn.forwarding_off vpn.people.staff",
  ]);
  const managed = { controlPlane: [{ address: "10.99.0.7", port: 7081 }], inbound: [] };
  const guarded = vpn.plan({
    desired: peopleConfig(),
    confirmed: null,
    observed: bareServer(),
    managementPath: managed,
  });
  expect(guarded.findings.filter(({ severity }) => severity === "danger")).toMatchObject([
    { code: "vpn.management_path_cut", path: "vpn.people.staff.pools" },
  ]);
});

test("a pool that overlaps another tunnel's networks, one that is too small, one that is full", () => {
  const codes = (config: VpnConfig): readonly string[] =>
    vpn.validate(config).map(({ severity, code, path }) => `${severity} ${code} ${path}`);
  expect(codes(peopleConfig())).toEqual([]);
  const { people = {} } = peopleConfig({ pools: ["10.20.0.0/16"] });
  expect(codes({ tunnels: { pair: TUNNEL }, people })).toEqual(["error vpn.pool_overlaps vpn.people.staff.pools"]);
  expect(codes({ tunnels: {}, people: { ...people, more: { ...PEOPLE, pools: ["10.20.9.0/24"] } } })).toHaveLength(2);
  expect(codes(peopleConfig({ pools: ["10.99.0.0/32"] }))).toEqual(["warning vpn.pool_small vpn.people.staff.pools"]);
  // One address of each family for each person.
  expect(codes(peopleConfig({ pools: ["10.99.0.0/24", "fd00::/128"] }))).toEqual([]);
  const everything = { ...PEOPLE.local, networks: ["0.0.0.0/0"] };
  expect(codes(peopleConfig({ local: everything }))).toEqual([
    "warning vpn.other_family_outside vpn.people.staff.local",
  ]);
  const live = inForce(peopleConfig());
  const pools = (live.ipsec.charon.state === "up" ? (live.ipsec.charon.pools ?? []) : []).map((pool) => ({
    ...pool,
    online: pool.size,
  }));
  expect(plan(peopleConfig(), withCharon(live, { pools })).findings.map(({ code }) => code)).toContain("vpn.pool_full");
});

test("a pool that is gone is drift and is put back without touching anybody; one that nobody wants is taken away", () => {
  const live = withCharon(inForce(peopleConfig()), { pools: [] });
  expect(vpn.verify(peopleConfig(), live)).toEqual([
    { path: "pools.10.99.0.0/24", expected: "loaded", found: "not loaded" },
  ]);
  expect(plan(peopleConfig(), live).steps.map(({ id }) => id)).toEqual([`vpn.${poolsOf(PEOPLE)[0]?.name ?? ""}.load`]);
  const strange = { name: "holdfast-pool-0123456789abcdef", base: "10.97.0.0", size: 2, online: 0, offline: 0 };
  const more = withCharon(inForce(peopleConfig()), { pools: [...(EMPTY_CHARON.pools ?? []), strange] });
  expect(vpn.verify(peopleConfig(), more)).toContainEqual(expect.objectContaining({ path: "pools.10.97.0.0" }));
});

test("an agent from before pools says nothing of them: nothing is taken for loaded", () => {
  const { pools: _, ...older } = EMPTY_CHARON;
  const observed = vpn.observe({
    ipsec: { status: 0, stdout: JSON.stringify({ charon: older, keyFiles: {} }), stderr: "" },
  });
  expect(vpn.verify(peopleConfig(), observed).map(({ path }) => path)).toContain("pools.10.99.0.0/24");
});

test("one person is ended by the act that ends a tunnel, and it is said that they may come back", () => {
  const observed = withCharon(inForce(peopleConfig()), { sas: [{ ...SA, name: "holdfast-staff--alice" }] });
  const act = (tunnel: string, verb: "terminate" | "initiate") =>
    vpn.tunnelActs?.decide(peopleConfig(), observed, { tunnel, verb, of: "ike" }, NOWHERE);
  expect(act("staff--alice", "terminate")).toMatchObject({
    kind: "possible",
    operation: { op: "end", name: "holdfast-staff--alice", label: null },
    findings: [{ code: "vpn.act_cuts" }, { code: "vpn.people_come_back" }],
  });
  expect(act("staff--bob", "terminate")).toMatchObject({ kind: "nothing_to_do" });
  expect(act("staff--bob", "initiate")).toMatchObject({
    kind: "refused",
    findings: [{ code: "vpn.act_other_end_begins" }],
  });
  expect(act("staff", "terminate")).toMatchObject({ kind: "refused", findings: [{ code: "vpn.act_no_tunnel" }] });
});

test("addresses that a network has for people", () => {
  expect(["10.0.0.0/32", "10.0.0.0/31", "10.0.0.0/30", "10.0.0.0/24", "fd00::/127", "fd00::/64"].map(poolSize)).toEqual(
    [1, 2, 2, 254, 2, 2 ** 31],
  );
});

test("hostile strings in every text of people: refused at the door, or only ever a value", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom('a"\n}', "$(id)", "a;b", "%any", "@#00", "a@example.com", "10.0.0.0/8", "x".repeat(65_536)),
  );
  const where = fc.constantFrom("pools", "dns", "identity", "keyFile", "name", "group");
  fc.assert(
    fc.property(text, where, (hostile, place) => {
      const person = {
        identity: place === "identity" ? hostile : "a@example.com",
        keyFile: place === "keyFile" ? hostile : "pair-1",
      };
      const people = {
        ...PEOPLE,
        ...(place === "pools" ? { pools: [hostile] } : {}),
        ...(place === "dns" ? { dns: [hostile] } : {}),
        persons: { [place === "name" ? hostile : "alice"]: person },
      };
      const config = { tunnels: {}, people: { [place === "group" ? hostile : "staff"]: people } };
      const parsed = vpn.parseConfig(config);
      if (!parsed.ok) {
        expect(parsed.findings.every(({ code }) => code === "vpn.config")).toBe(true);
        return;
      }
      const native = vpn.render(parsed.config, bareServer());
      const usual = vpn.render(peopleConfig({ persons: { alice } }), bareServer());
      expect(native.split("\n").length).toBe(usual.split("\n").length);
    }),
    { numRuns: 300 },
  );
});

const EXAMPLES = new URL("./examples/", import.meta.url);

function firewallOf(file: string, server: string, change = (text: string) => text) {
  const { documents, findings } = parseDocuments(change(readFileSync(new URL(file, EXAMPLES), "utf8")), {
    domains: DOMAIN_LANGUAGES,
  });
  expect(findings).toEqual([]);
  return composeServer({
    server,
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: [],
  });
}

test("people and the server's firewall: key exchange from anywhere, their addresses closed but for what is opened", () => {
  const { config, findings } = firewallOf("remote-staff.yaml", "gw-seoul");
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
  if (config === null) throw new Error("the example composes");
  const { needs, forward } = config.domains.firewall as {
    needs: { kind: string; peer?: string | null }[];
    forward: { rules: { name: string; verb: string }[] };
  };
  expect(needs.filter(({ kind }) => kind === "ike" || kind === "esp")).toMatchObject([
    { kind: "ike", peer: null },
    { kind: "esp", peer: null },
  ]);
  expect(forward.rules.map(({ name, verb }) => `${verb} ${name}`)).toEqual([
    "allow vpn-remote-staff--ping-out",
    "allow vpn-remote-staff--apps-in",
    "allow vpn-remote-staff--dns-in",
    "allow vpn-remote-staff--ping-in",
    "drop vpn-remote-staff--out",
    "drop vpn-remote-staff--in",
    "allow out",
  ]);
  expect(wantedOf(config.domains.vpn as VpnConfig).map(({ tunnel }) => tunnel)).toEqual([
    "remote-staff--alice",
    "remote-staff--bob",
  ]);
});

test("a hub and its spokes: what both tunnels open passes from one spoke to the other, what one opens alone is refused", () => {
  const { config, findings } = firewallOf("hub-and-spoke.yaml", "gw-seoul");
  expect(findings.filter(({ severity }) => severity === "error" || severity === "danger")).toEqual([]);
  expect(wantedOf(config?.domains.vpn as VpnConfig).map(({ conn }) => [conn.name, conn.localNetworks])).toEqual([
    ["holdfast-seoul-busan", ["10.10.0.0/16", "10.30.10.0/24"]],
    ["holdfast-seoul-daegu", ["10.10.0.0/16", "10.20.10.0/24"]],
  ]);
  const alone = firewallOf("hub-and-spoke.yaml", "gw-seoul", (text) => text.replace(/^.*of-busan.*\n/m, ""));
  expect(alone.findings.filter(({ severity }) => severity === "error").map(({ code }) => code)).toEqual([
    "firewall.order_unclear",
  ]);
});
