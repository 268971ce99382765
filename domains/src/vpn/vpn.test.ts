import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { composeServer } from "@holdfast/core/compose/compose.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { performed } from "../../test/vpn-charon.ts";
import {
  bareServer,
  charonDown,
  EMPTY_CHARON,
  inForce,
  labelOf,
  PEOPLE,
  TUNNEL,
  vpnConfig,
  withCharon,
} from "../../test/vpn-sample.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { vpnRequirements } from "./capability.ts";
import { wantedOf } from "./conn.ts";
import { vpn } from "./domain.ts";
import type { VpnObserved } from "./facts.ts";
import { linkOf } from "./link.ts";
import type { PeopleConfig, TunnelConfig, VpnConfig } from "./model.ts";

const LINK = linkOf("pair");
const NOWHERE: ManagementPath = { controlPlane: [], inbound: [] };

function plan(desired: VpnConfig | null, observed: VpnObserved, confirmed: VpnConfig | null = null, path = NOWHERE) {
  return vpn.plan({ desired, confirmed, observed, managementPath: path });
}

function codes(desired: VpnConfig | null, observed: VpnObserved, path = NOWHERE): readonly string[] {
  return plan(desired, observed, null, path).findings.map(({ severity, code }) => `${severity} ${code}`);
}

const networks = fc.constantFrom<string[]>(["10.20.10.0/24"], ["10.20.10.0/24", "10.20.11.0/24"], ["2001:db8:7::/48"]);
const through: fc.Arbitrary<Pick<TunnelConfig, "via">> = fc.constantFrom({}, { via: "interface" as const });
const eitherWay: fc.Arbitrary<Omit<TunnelConfig, "via">> = fc.record({
  local: fc.constant(TUNNEL.local),
  remote: fc.record({
    address: fc.constantFrom("198.51.100.7", null),
    identity: fc.constantFrom("gw-busan", "192.0.2.4"),
    networks,
  }),
  peer: fc.constant("busan"),
  initiates: fc.boolean(),
  clearText: fc.constantFrom("block", "allow"),
  keyFile: fc.constantFrom("pair-1", "pair-2"),
  suite: fc.constant("strong-2026"),
  ikeProposals: fc.constant(TUNNEL.ikeProposals),
  childProposals: fc.constant(TUNNEL.childProposals),
  ikeSeconds: fc.constantFrom(3_600, 43_200),
  childSeconds: fc.constant(3_600),
  deadSeconds: fc.constantFrom(10, 30),
  deadThen: fc.constantFrom("restart", "clear"),
});
const body = (of: string): string => `MI${of.repeat(82)}`;
const proof: fc.Arbitrary<Pick<TunnelConfig, "certificates">> = fc.oneof(
  fc.constant({}),
  fc.record({
    certificates: fc.record({
      own: fc.constantFrom(body("a"), body("b")),
      keyId: fc.constantFrom("a".repeat(40), "b".repeat(40)),
      peer: fc.constantFrom(null, body("c")),
      authority: fc.constantFrom(body("d"), body("e")),
    }),
  }),
);
const tunnel: fc.Arbitrary<TunnelConfig> = fc
  .tuple(eitherWay, through, proof)
  .map(([one, via, certificates]) => ({ ...one, ...via, ...certificates }));
const persons: fc.Arbitrary<PeopleConfig["persons"]> = fc.dictionary(
  fc.constantFrom("alice", "bob", "carol-2"),
  fc.record({ identity: fc.constantFrom("a@example.com", "b.example"), keyFile: fc.constantFrom("pair-1", "pair-2") }),
);
const people: fc.Arbitrary<PeopleConfig> = fc.record({
  local: fc.constant(PEOPLE.local),
  pools: fc.constantFrom(["10.99.0.0/24"], ["10.99.0.0/25", "fd00:99::/64"], ["10.98.0.0/30"]),
  dns: fc.constantFrom([], ["10.10.0.53"]),
  persons,
  clearText: fc.constantFrom("block", "allow"),
  suite: fc.constant(PEOPLE.suite),
  ikeProposals: fc.constant(PEOPLE.ikeProposals),
  childProposals: fc.constant(PEOPLE.childProposals),
  ikeSeconds: fc.constantFrom(3_600, 43_200),
  childSeconds: fc.constant(3_600),
  deadSeconds: fc.constant(30),
});
const config: fc.Arbitrary<VpnConfig | null> = fc.oneof(
  fc.constant(null),
  fc
    .record({
      tunnels: fc.dictionary(fc.constantFrom("pair", "office", "store-7"), tunnel),
      people: fc.dictionary(fc.constantFrom("staff", "guests"), people),
    })
    .map((both) => (Object.keys(both.people).length === 0 ? { tunnels: both.tunnels } : both)),
);

test("from any config to any other: the steps make it so, again there is nothing to do, and an undo from anywhere leads back", () => {
  fc.assert(
    fc.property(config, config, fc.nat(), (from, to, stop) => {
      const before = from === null ? bareServer() : inForce(from);
      const { steps } = plan(to, before);
      expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length);
      const after = performed(before, steps);
      expect(vpn.verify(to, after)).toEqual([]);
      expect(plan(to, after).steps).toEqual([]);
      expect(performed(after, steps)).toEqual(after);

      const half = performed(before, steps.slice(0, stop % (steps.length + 1)));
      const back = performed(half, vpn.restore(before, half));
      expect(vpn.restored?.(before, half, back)).toEqual([]);
      expect(canonicalJson(vpn.ours(back))).toBe(canonicalJson(vpn.ours(before)));

      const kept = performed(after, vpn.persist(to, before));
      expect(vpn.verify(to, kept)).toEqual([]);
      expect(canonicalJson(vpn.ours(kept))).toBe(canonicalJson(vpn.ours(after)));
      expect(vpn.persist(to, kept).filter(({ action }) => action.kind !== "ipsec_boot_keys")).toEqual([]);
      expect(vpn.loaded?.(to, charonDown(kept))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("nothing is loaded before it is noted, and no key is taken away before the change is confirmed", () => {
  const before = inForce(vpnConfig());
  const { steps } = plan(vpnConfig({ keyFile: "pair-2" }), before);
  expect(steps.map(({ id }) => id)).toEqual([
    "vpn.note",
    "vpn.ike-holdfast-pair--pair-2.load",
    "vpn.holdfast-pair.load",
    "vpn.holdfast-pair.terminate",
    "vpn.holdfast-pair.initiate",
    "vpn.holdfast-pair.rekey",
  ]);
  const persisted = vpn.persist(vpnConfig({ keyFile: "pair-2" }), performed(before, steps));
  expect(persisted.map(({ id }) => id)).toEqual([
    "vpn.boot.keys",
    "vpn.boot",
    "vpn.ike-holdfast-pair--pair-1.unload",
    "vpn.record",
  ]);
});

test("an undo needs no key that is still loaded: its file may be gone by then", () => {
  const before = inForce(vpnConfig());
  const half = performed(before, plan(vpnConfig({ keyFile: "pair-2" }), before).steps);
  const withoutFiles = { ...half, ipsec: { ...half.ipsec, keyFiles: {} } };
  const back = performed(withoutFiles, vpn.restore(before, withoutFiles));
  expect(vpn.restored?.(before, withoutFiles, back)).toEqual([]);
});

test("a boot in the middle of a trial: strongSwan is not there yet, and clear text is blocked before it is", () => {
  const before = inForce(vpnConfig());
  const booted = charonDown({ ...before, blocks: [] });
  const steps = vpn.restore(before, booted);
  expect(steps.map(({ id }) => id)).toEqual(["vpn.block"]);
  expect(vpn.restored?.(before, booted, performed(booted, steps))).toEqual([]);
  expect(plan(vpnConfig(), booted).steps.map(({ id }) => id)).toEqual(["vpn.block"]);
});

test("the label of a connection stands for everything in it", () => {
  const labels = [
    labelOf(),
    labelOf({ ikeProposals: ["aes256-sha256-ecp256"] }),
    labelOf({ childProposals: ["aes256-sha256-ecp256"] }),
    labelOf({ ikeSeconds: 1_000 }),
    labelOf({ childSeconds: 1_000 }),
    labelOf({ deadSeconds: 31 }),
    labelOf({ deadThen: "clear" }),
    labelOf({ initiates: false }),
    labelOf({ keyFile: "pair-2" }),
    labelOf({ remote: { ...TUNNEL.remote, networks: ["10.20.11.0/24"] } }),
  ];
  expect(new Set(labels).size).toBe(labels.length);
  expect(labelOf({ peer: "somebody", clearText: "allow" })).toBe(labels[0]);
});

test("a connection that was changed by hand is not ours any more", () => {
  const [{ conn } = wantedOf(vpnConfig())[0]!] = wantedOf(vpnConfig());
  const live = inForce(vpnConfig());
  const changed = withCharon(live, {
    conns: [
      { ...(live.ipsec.charon.state === "up" ? live.ipsec.charon.conns[0]! : never()), remoteNetworks: ["0.0.0.0/0"] },
    ],
  });
  expect(vpn.verify(vpnConfig(), changed)).toEqual([
    { path: "tunnels.pair", expected: "as confirmed", found: "loaded with other settings" },
  ]);
  expect(vpn.verify(vpnConfig(), withCharon(live, { keys: [] }))).toMatchObject([{ path: "tunnels.pair.psk" }]);
  expect(vpn.verify(vpnConfig(), { ...live, blocks: [] })).toMatchObject([{ path: "clearText.10.20.10.0/24" }]);
  expect(vpn.verify(vpnConfig(), charonDown(live))).toMatchObject([{ path: "strongswan" }]);
  expect(vpn.verify(null, live)).toMatchObject([
    { path: `connections.${conn.name}` },
    { path: "clearText.10.20.10.0/24" },
  ]);
});

function never(): never {
  throw new Error("strongSwan runs in this test");
}

test("a server that can carry the tunnel has nothing to remark but what will happen", () => {
  expect(codes(vpnConfig(), bareServer())).toEqual([]);
});

test.each<[string, VpnConfig, VpnObserved, string]>([
  ["strongSwan is not there", vpnConfig(), charonDown(bareServer()), "error vpn.charon_down"],
  ["nothing encrypts", vpnConfig(), withCharon(bareServer(), { dataPlane: "none" }), "error vpn.no_data_plane"],
  ["no swanctl", vpnConfig(), bareServer({ swanctl: false }), "error vpn.swanctl_missing"],
  ["no key", vpnConfig({ keyFile: "nowhere" }), bareServer(), "error vpn.key_missing"],
  [
    "a key named like a part of every object",
    vpnConfig({ keyFile: "constructor" }),
    bareServer(),
    "error vpn.key_missing",
  ],
  [
    "a key that others can read",
    vpnConfig(),
    bareServer({ ipsec: { charon: EMPTY_CHARON, keyFiles: { "pair-1": "others than root may read or write it" } } }),
    "error vpn.key_missing",
  ],
  ["not its address", vpnConfig(), bareServer({ addresses: ["10.10.0.1/16"] }), "error vpn.address_not_here"],
  [
    "the other end's network is its own",
    vpnConfig(),
    bareServer({ addresses: ["10.10.0.1/16", "203.0.113.10/24", "10.20.10.9/28"] }),
    "error vpn.remote_network_is_local",
  ],
  [
    "no address inside",
    vpnConfig(),
    bareServer({ addresses: ["203.0.113.10/24"] }),
    "error vpn.no_address_in_networks",
  ],
  ["a way around", vpnConfig(), bareServer({ routes: ["10.20.10.128/25"] }), "danger vpn.block_bypassed"],
  ["nothing is passed on", vpnConfig(), bareServer({ forwarding: false }), "warning vpn.forwarding_off"],
  [
    "the kernel encrypts",
    vpnConfig(),
    withCharon(bareServer(), { dataPlane: "kernel" }),
    "warning vpn.masquerade_first",
  ],
])("%s: said before anything changes", (_, desired, observed, code) => {
  expect(codes(desired, observed)).toContain(code);
});

test("a connection of ours that nobody noted stops the plan: an undo could not bring it back", () => {
  const live = inForce(vpnConfig());
  expect(codes(vpnConfig(), { ...live, record: {} })).toContain("error vpn.unknown_conn");
  expect(codes(vpnConfig(), { ...live, recordProblem: "it is not JSON" })).toEqual(["error vpn.record_unreadable"]);
});

test("whoever manages the server is not led into the tunnel unseen", () => {
  const inside: ManagementPath = { controlPlane: [{ address: "10.20.10.9", port: 7081 }], inbound: [] };
  expect(codes(vpnConfig(), bareServer(), inside)).toContain("danger vpn.management_path_cut");
  expect(plan(vpnConfig(), bareServer(), null, inside).touchesManagementPath).toBe(true);
  expect(codes(vpnConfig(), inForce(vpnConfig()), inside)).toEqual([]);
});

test("the plan says which tunnel is interrupted, and where clear text opens", () => {
  const sa = {
    name: "holdfast-pair",
    state: "ESTABLISHED",
    localAddress: "",
    remoteAddress: "",
    establishedSeconds: 1,
    rekeySeconds: 1,
    children: [],
  };
  const live = withCharon(inForce(vpnConfig()), { sas: [sa] });
  expect(codes(vpnConfig({ childSeconds: 900 }), live)).toEqual(["warning vpn.flaps"]);
  expect(codes(null, live)).toEqual(["warning vpn.flaps", "warning vpn.clear_text_opens"]);
});

test("a tunnel that is not there is begun again by the end that begins, and by nobody else", () => {
  const live = inForce(vpnConfig());
  const tend = (over: Partial<TunnelConfig>, observed: VpnObserved) =>
    vpn.tend?.(vpnConfig(over), observed).map(({ id }) => id);
  const sa = { name: "holdfast-pair", localAddress: "", remoteAddress: "", establishedSeconds: 1, rekeySeconds: 1 };
  const child = { label: labelOf(), state: "INSTALLED", bytesIn: 0, bytesOut: 0, rekeySeconds: 1 };
  expect(tend({}, live)).toEqual(["vpn.holdfast-pair.initiate"]);
  expect(tend({}, withCharon(live, { sas: [{ ...sa, state: "CONNECTING", children: [] }] }))).toEqual([]);
  expect(tend({}, withCharon(live, { sas: [{ ...sa, state: "ESTABLISHED", children: [child] }] }))).toEqual([]);
  expect(tend({}, withCharon(live, { sas: [{ ...sa, state: "ESTABLISHED", children: [] }] }))).toHaveLength(1);
  expect(tend({}, charonDown(live))).toEqual([]);
  const led = withCharon(
    { ...live, lookupLost: [4, 6] },
    { sas: [{ ...sa, state: "ESTABLISHED", children: [child] }] },
  );
  expect(tend({}, led)).toEqual(["vpn.lookup"]);
  expect(vpn.verify(vpnConfig(), performed(led, vpn.tend?.(vpnConfig(), led) ?? []))).toEqual([]);
  expect(tend({ initiates: false }, inForce(vpnConfig({ initiates: false })))).toEqual([]);
  expect(tend({ deadThen: "clear" }, inForce(vpnConfig({ deadThen: "clear" })))).toEqual([]);
});

test("everything as the other end cannot be blocked", () => {
  const wide = vpnConfig({ remote: { ...TUNNEL.remote, networks: ["0.0.0.0/0"] } });
  expect(vpn.validate(wide).map(({ code }) => code)).toEqual(["vpn.everything_remote"]);
  expect(vpn.validate(vpnConfig())).toEqual([]);
});

test("a config from outside is refused, or every text of it means itself", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      '"',
      "'",
      "a\nb = c",
      "}",
      "#",
      "$(id)",
      "%any",
      "@#00",
      "include x",
      "x".repeat(65_536),
      "end:a",
      "__proto__",
    ),
  );
  const place = fc.constantFrom("name", "keyFile", "identity", "address", "network", "proposal", "peer", "suite");
  fc.assert(
    fc.property(hostile, place, (text, where) => {
      const one: Json = {
        ...TUNNEL,
        ...(where === "keyFile" || where === "peer" || where === "suite" ? { [where]: text } : {}),
        ...(where === "proposal" ? { ikeProposals: [text] } : {}),
        remote: {
          ...TUNNEL.remote,
          ...(where === "identity" || where === "address" ? { [where]: text } : {}),
          ...(where === "network" ? { networks: [text] } : {}),
        },
      };
      const parsed = vpn.parseConfig({ tunnels: { [where === "name" ? text : "pair"]: one } });
      if (!parsed.ok) {
        expect(parsed.findings.length).toBeGreaterThan(0);
        return;
      }
      const lines = vpn.render(parsed.config, null).split("\n");
      const usual = vpn.render(vpnConfig(), null).split("\n");
      expect([lines.length, lines.filter((line) => line.includes("#")).length]).toEqual([
        usual.length,
        usual.filter((line) => line.includes("#")).length,
      ]);
    }),
    { numRuns: 400 },
  );
});

const EXAMPLES = fileURLToPath(new URL("examples/", import.meta.url));

const EXAMPLE = readFileSync(`${EXAMPLES}seoul-busan.yaml`, "utf8");

test("with the firewall of both ends: what the tunnel opens is open, the rest is closed though the policies open everything", () => {
  const { documents, findings } = parseDocuments(EXAMPLE, { domains: DOMAIN_LANGUAGES });
  expect(findings).toEqual([]);
  for (const [server, other] of [
    ["gw-seoul", "10.20.10.1"],
    ["gw-busan", "10.10.0.1"],
  ]) {
    const composed = composeServer({
      server: server ?? "",
      documents: documents.map((document) => ({ document, revision: 1 })),
      domains: DOMAIN_LANGUAGES,
      controlPlane: [],
    });
    expect(composed.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
    expect(composed.config?.probes).toMatchObject([
      { direction: "outbound", protocol: "icmp", address: other, expected: "open", mustHold: true },
    ]);
    const firewall = composed.config?.domains.firewall as { readonly needs: readonly { readonly kind: string }[] };
    expect(firewall.needs.map(({ kind }) => kind)).toEqual(["ike", "esp"]);
  }
});

test("a server that filters nothing, and a tunnel that nothing proves, are said", () => {
  const text = EXAMPLE.replace(/^expect:[^]*?(?=^---)/m, "").replace(
    /kind: Policy[^]*?^---\napiVersion: holdfast\/v1\n/m,
    "",
  );
  const { documents } = parseDocuments(text, { domains: DOMAIN_LANGUAGES });
  const given = documents.map((document) => ({ document, revision: 1 }));
  const composed = composeServer({ server: "gw-busan", documents: given, domains: DOMAIN_LANGUAGES, controlPlane: [] });
  expect(
    composed.findings.map(({ severity, code, line }) => `${severity} ${code} ${(line ?? 0) > 1 ? "" : "nowhere"}`),
  ).toEqual(["danger compose.tunnel_traffic_open ", "warning compose.tunnel_unproven nowhere"]);
  expect(composed.config?.domains.firewall).toBeUndefined();
});

test("a policy has no vpn section, and says what to write instead", () => {
  const { findings } = parseDocuments(EXAMPLE.replace("\nfirewall:", "\nvpn: {}\nfirewall:"), {
    domains: DOMAIN_LANGUAGES,
  });
  expect(findings).toMatchObject([{ code: "policy.domain_unavailable", remedy: "Write a document of kind Tunnel." }]);
});

test("a tunnel with an interface of its own: the interface and its routes come before it and go after it", () => {
  const own = vpnConfig({ via: "interface" });
  const onKernel = withCharon(bareServer({ canMakeLinks: true }), { dataPlane: "kernel" });
  const { steps, nativeDiff } = plan(own, onKernel);
  expect(steps.map(({ id }) => id)).toEqual([
    "vpn.note",
    "vpn.ike-holdfast-pair--pair-1.load",
    "vpn.block",
    `vpn.${LINK.name}.make`,
    "vpn.into",
    "vpn.holdfast-pair.load",
    "vpn.holdfast-pair.initiate",
    "vpn.holdfast-pair.rekey",
  ]);
  expect(nativeDiff).toContain(`+# interface ${LINK.name}: type xfrm, if_id ${LINK.id}`);
  expect(nativeDiff).toContain(`+        if_id_out = ${LINK.id}`);
  // Back to policy: another label, so it begins anew, and the interface goes last.
  const back = plan(vpnConfig(), inForce(own, onKernel)).steps.map(({ id }) => id);
  expect(back).toEqual(expect.arrayContaining(["vpn.holdfast-pair.load", `vpn.${LINK.name}.remove`]));
  expect(back.indexOf(`vpn.${LINK.name}.remove`)).toBeGreaterThan(back.indexOf("vpn.holdfast-pair.terminate"));
  expect(labelOf({ via: "interface" })).not.toBe(labelOf());
});

test("an interface that is gone, down or leads elsewhere is a mismatch, and so is one that nobody wants", () => {
  const own = vpnConfig({ via: "interface" });
  const live = inForce(own, withCharon(bareServer({ canMakeLinks: true }), { dataPlane: "kernel" }));
  const paths = (observed: VpnObserved) => vpn.verify(own, observed).map(({ path }) => path);
  expect(paths(live)).toEqual([]);
  expect(paths({ ...live, links: live.links.map((link) => ({ ...link, isUp: false })) })).toEqual([
    `interfaces.${LINK.name}`,
  ]);
  expect(paths({ ...live, into: [] })).toEqual([`interfaces.${LINK.name}`]);
  expect(vpn.verify(vpnConfig(), live).map(({ path }) => path)).toContain(`interfaces.${LINK.name}`);
  // Somebody else's interface is nobody's business here.
  expect(paths({ ...live, links: [...live.links, { name: "vti-office", id: 7, isUp: true }] })).toEqual([]);
});

test("where there can be no interface it is said before anything changes", () => {
  const own = vpnConfig({ via: "interface" });
  expect(codes(own, bareServer({ canMakeLinks: true }))).toContain("error vpn.kernel_lacks_interface");
  const onKernel = withCharon(bareServer(), { dataPlane: "kernel" });
  expect(codes(own, { ...onKernel, canMakeLinks: false })).toContain("error vpn.kernel_lacks_interface");
  expect(codes(own, { ...onKernel, canMakeLinks: true })).not.toContain("error vpn.kernel_lacks_interface");
  const taken = [{ name: "theirs", id: LINK.id, isUp: true }];
  expect(codes(own, { ...onKernel, canMakeLinks: true, links: taken })).toContain("error vpn.interface_taken");
  // The same is known of the server before anybody plans on it.
  const lacks = (observed: VpnObserved) => vpn.lacks(observed).map(({ feature, code }) => `${feature} ${code}`);
  expect(lacks({ ...onKernel, canMakeLinks: false })).toEqual(["interface vpn.kernel_lacks_interface"]);
  expect(lacks({ ...onKernel, canMakeLinks: true })).toEqual([]);
  expect(lacks(withCharon(onKernel, { dataPlane: "none" }))).toContain(" vpn.no_data_plane");
  const ipsec = { charon: { state: "down", why: "it is not installed" }, keyFiles: {} } as const;
  expect(lacks({ ...onKernel, ipsec, swanctl: false, canMakeLinks: null })).toEqual([
    " vpn.charon_down",
    " vpn.swanctl_missing",
  ]);
  expect(vpnRequirements(own)).toEqual([{ feature: "interface", item: `vpn.tunnels.${Object.keys(own.tunnels)[0]}` }]);
  expect(vpnRequirements(vpnConfig())).toEqual([]);
  const two = { tunnels: { ...own.tunnels, other: { ...TUNNEL, via: "interface" as const } } };
  expect(vpn.validate(two).map(({ code }) => code)).toEqual(["vpn.route_twice"]);
});
