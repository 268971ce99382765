import { join } from "node:path";
import type { FirewallConfig } from "@holdfast/domains/firewall/model.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readModuleCase } from "../src/conformance/module-case.ts";
import { CHECKS, reportInWords, runConformance } from "../src/conformance/run-conformance.ts";
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
