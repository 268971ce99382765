import { join } from "node:path";
import type { FirewallConfig } from "@holdfast/domains/firewall/model.ts";
import type { NetworkConfig } from "@holdfast/domains/network/model.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readModuleCase } from "../src/conformance/module-case.ts";
import { CHECKS, reportInWords, runConformance } from "../src/conformance/run-conformance.ts";
import { runKitOn } from "../src/conformance/run-on-server.ts";
import { Lab } from "../src/servers/lab.ts";
import { nodeBinary, repository } from "../src/servers/machine.ts";
import { inNamespace } from "../src/servers/network-namespace.ts";

let root: string;
let lab: Lab;
beforeEach(() => {
  lab = Lab.open({ prefix: `hft-${String(process.pid)}-conf` });
  // In the lab's own folder: it goes with the lab, also when this process is killed.
  root = join(lab.home, "root");
});
afterEach(() => lab.close());

/** A server that lets the office in, on one port more or less. */
const office = (ports: readonly number[], networks: readonly string[]): FirewallConfig => ({
  mode: "enforce",
  floor: { inbound: [{ name: "ops", networks: ["192.0.2.0/24"], tcpPorts: [22] }], controlPlane: [] },
  interfaces: {},
  zones: {},
  sets: { office: [...networks] },
  inbound: {
    default: "drop",
    rules: ports.map((port) => ({
      name: `port-${String(port)}`,
      verb: "allow",
      services: [`tcp/${String(port)}`],
      from: [{ set: "office" }],
      to: [{}],
    })),
  },
  needs: [],
});

const THEIRS =
  "table ip theirs { chain input { type filter hook input priority 10; policy accept; tcp dport 25 drop; }; }";

// I6: the kit tries a step without each of the records that must stand before it.
test("the firewall module keeps the contract on a real kernel", { timeout: 300_000 }, async () => {
  const server = await lab.bare({ name: "server", attachments: [] });
  const inside = (...argv: readonly string[]): readonly string[] => inNamespace(server.namespace, argv);
  const own = "nft -s list table inet holdfast 2>/dev/null; true";
  const read = readModuleCase(
    JSON.stringify({
      configs: {
        a: office([443], ["10.1.0.0/24"]),
        b: office([443, 8443], ["10.1.0.0/24", "10.2.0.1"]),
        invalid: [
          { config: { ...office([443], []), mode: "sometimes" }, field: "mode" },
          { config: office([70_000], []), field: "services" },
          { config: { ...office([443], []), flush: "ruleset" }, field: "firewall" },
        ],
      },
      native: inside("sh", "-c", own),
      tamper: inside("nft", "insert", "rule", "inet", "holdfast", "rules_inbound", "accept"),
      foreign: {
        make: inside("nft", THEIRS),
        read: inside("nft", "-s", "list", "table", "ip", "theirs"),
        remove: inside("nft", "delete", "table", "ip", "theirs"),
      },
    }),
  );
  if (!read.ok) throw new Error(read.error);
  const [program = "", ...operands] = inside(
    nodeBinary,
    "--disable-warning=ExperimentalWarning",
    join(repository, "agent/src/main.ts"),
    "module",
    "firewall",
    "--root",
    root,
  );
  const results = await runConformance({
    domain: "firewall",
    moduleCase: read.value,
    socket: join(root, "run/holdfast/module-firewall.sock"),
    ledger: join(root, "var/lib/holdfast/ledger"),
    snapshots: join(root, "var/lib/holdfast/snapshots"),
    start: [program, ...operands],
  });
  process.stdout.write(`${reportInWords(results)}\n`);
  expect(results.filter(({ broken }) => broken !== null)).toEqual([]);
  expect(results).toHaveLength(CHECKS.length);
});

/** One card, held by name, with this address and what else is said. */
const card = (address: string, more: Partial<NetworkConfig["interfaces"][string]>): NetworkConfig => ({
  reachedAt: [],
  forwarding: {},
  interfaces: {
    card: {
      bound: { name: "eth1" },
      enable: true,
      ipv4: { method: "static", addresses: [address], gateways: [], use: [] },
      ipv6: { method: "none", addresses: [], gateways: [], use: [] },
      routes: [],
      rules: [],
      dns: [],
      search: [],
      ...more,
    },
  },
});

/** Our file as it is in force, and what the kernel has of the card while there is one. */
const OWN_NETWORK = `
file=/run/systemd/network/04-holdfast-card.network
[ -e $file ] || file=/etc/systemd/network/05-holdfast-card.network
[ -e $file ] || exit 0
cat $file
ip -br link show eth1 | sed 's/@[^ ]*//'
ip -o link show eth1 | grep -o 'mtu [0-9]*'
ip -o -4 address show eth1 | grep -o 'inet [^ ]*'
ip route show dev eth1 | grep -v -e 'proto kernel' -e 'proto 186'
ip route show type blackhole
ip rule show priority 1000
exit 0`;

test("the network module keeps the contract on a server with networkd", { timeout: 1_260_000 }, async () => {
  const lan = await lab.network({ name: "lan", subnet4: "10.50.0.0/24" });
  const server = lab.server({
    name: "net",
    kind: "systemd",
    addressing: "networkd",
    attachments: [
      { network: lan, interface: "eth0", addresses: ["10.50.0.10"] },
      { network: lan, interface: "eth1", addresses: [] },
    ],
  });
  await server.start();
  const sh = (script: string): string[] => ["sh", "-c", script];
  const via = { via: "10.50.0.254", table: 254, onLink: false };
  const cases = {
    configs: {
      a: card("10.51.0.1/24", { mtu: 1400 }),
      b: card("10.51.0.2/24", {
        routes: [
          { to: "10.60.0.0/16", via: "10.51.0.254", table: 254, onLink: false },
          { to: "10.61.0.0/16", is: "blackhole", table: 254, onLink: false },
        ],
        rules: [{ priority: 1000, from: "10.51.0.2/32", table: 100 }],
      }),
      invalid: [
        { config: card("10.51.0.1", {}), field: "ipv4.addresses[0]" },
        { config: card("10.51.0.1/24", { routes: [{ to: "10.60.0.1/16", ...via }] }), field: "routes[0]" },
        { config: card("10.51.0.1/24", { search: ["a\nDNS=10.0.0.1"] }), field: "search" },
        { config: { ...card("10.51.0.1/24", {}), renderer: "netplan" }, field: "network" },
      ],
    },
    native: sh(OWN_NETWORK),
    tamper: ["ip", "address", "add", "10.51.0.99/24", "dev", "eth1"],
    foreign: {
      // A routing daemon's, on our card and elsewhere.
      make: sh(
        "ip rule add priority 500 from 10.77.0.0/16 table 500 && ip route add 10.78.0.0/16 dev eth1 table 500 && ip route add 10.79.0.0/16 dev eth1 proto 186 && ip address add 10.80.0.1/24 dev eth0",
      ),
      read: sh(
        "ip rule show priority 500; ip route show table 500; ip route show 10.79.0.0/16; ip -o -4 address show eth0 | grep -o 'inet [^ ]*'; cat /etc/systemd/network/10-*",
      ),
      remove: sh(
        "ip rule delete priority 500; ip route flush table 500; ip route delete 10.79.0.0/16; ip address delete 10.80.0.1/24 dev eth0; true",
      ),
    },
  };
  const { report, code } = await runKitOn(server, "network", cases);
  process.stdout.write(report);
  expect(report).toContain(`${String(CHECKS.length)} passed, 0 failed`);
  expect(code).toBe(0);
});
