import { readFileSync } from "node:fs";
import { wantedOf } from "@holdfast/domains/vpn/conn.ts";
import { vpn } from "@holdfast/domains/vpn/domain.ts";
import type { VpnConfig } from "@holdfast/domains/vpn/model.ts";
import { bootText } from "@holdfast/domains/vpn/render.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { putKey, useOwnDataPlane } from "@holdfast/testkit/servers/strongswan.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import { SystemdAgent } from "./systemd-agent.ts";
import { passes } from "./vpn-pair.ts";
import { vpnPart } from "./vpn-part.ts";

/** The hub of the example with its own agent, and two spokes as strongSwan reads their ends from a file. */

const KEYS = {
  "seoul-busan-1": "c2VvdWwgYW5kIGJ1c2FuIGhhdmUgdGhpcyBvbmU",
  "seoul-daegu-1": "c2VvdWwgYW5kIGRhZWd1IGhhdmUgdGhpcyBvbmU",
} as const;
const INSIDE = { seoul: "10.71.0.1", busan: "10.72.0.1", daegu: "10.70.0.1" } as const;
/** The hub again, where the other spoke looks for it. */
const SEOUL_TOO = "10.73.0.1";

let lab: Lab;
let agent: SystemdAgent;
let hub: LabServer;
let busan: LabServer;
let daegu: LabServer;

/**
 * charon's own data plane, which this machine has alone, wants an address of the hub in each of its networks: so each tunnel has one network at the hub, in
 * which an address of the hub and the other spoke are.
 */
const tunnel = (spoke: string, hubNetwork: string, network: string, other: string): string => `apiVersion: holdfast/v1
kind: Tunnel
name: seoul-${spoke}
ends:
  seoul: { server: gw-seoul, address: 192.0.2.10, networks: ${hubNetwork} }
  ${spoke}: { server: gw-${spoke}, address: dynamic, networks: ${network} }
via: policy
clearText: block
auth: { psk: "file:seoul-${spoke}-1" }
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 30s, then: restart }
traffic:
  default: drop
  rules:
    - { name: in,  allow: icmp/echo, from: end:${spoke}, to: end:seoul }
    - { name: out, allow: icmp/echo, from: ${other}, to: end:${spoke} }
---
apiVersion: holdfast/v1
kind: Server
name: gw-${spoke}
---
`;

const HUB_AND_SPOKES = `${tunnel("busan", "10.70.0.0/15", "10.72.0.0/24", "10.70.0.0/24")}${tunnel("daegu", "10.72.0.0/15", "10.70.0.0/24", "10.72.0.0/24")}apiVersion: holdfast/v1
kind: Server
name: gw-seoul
`;

const EXAMPLE = readFileSync(new URL("../../domains/src/vpn/examples/hub-and-spoke.yaml", import.meta.url), "utf8");

function endOf(server: string, text = HUB_AND_SPOKES): VpnConfig {
  const parsed = vpn.parseConfig(vpnPart(text, server));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
  return parsed.config;
}

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfh-${process.pid}` });
  const wan = await lab.network({ name: "wan", subnet4: "192.0.2.0/24" });
  const of = async (name: string, outside: string, inside: string, subnet4: string): Promise<LabServer> => {
    const own = await lab.network({ name: `in-${name}`, subnet4 });
    const server = lab.server({
      name: `gw-${name}`,
      kind: "systemd",
      enable: ["strongswan"],
      addressing: "networkd",
      attachments: [
        { network: wan, interface: "eth0", addresses: [outside] },
        { network: own, interface: "eth1", addresses: [inside] },
      ],
    });
    await server.start();
    await useOwnDataPlane(server, true);
    return server;
  };
  [hub, busan, daegu] = await Promise.all([
    of("seoul", "192.0.2.10", INSIDE.seoul, "10.71.0.0/24"),
    of("busan", "192.0.2.20", INSIDE.busan, "10.72.0.0/24"),
    of("daegu", "192.0.2.30", INSIDE.daegu, "10.70.0.0/24"),
  ]);
  for (const [name, key] of Object.entries(KEYS)) await putKey(hub, name, key);
  await hub.must(["ip", "address", "add", `${SEOUL_TOO}/32`, "dev", "eth1"]);
  await hub.must(["sysctl", "-w", "net.ipv4.ip_forward=1"]);
  agent = new SystemdAgent(hub);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

async function spoke(server: LabServer, name: string, key: string): Promise<void> {
  const wanted = wantedOf(endOf(name));
  const secrets = wanted.map(
    ({ key: { owners } }) => `  ike-hub {\n    id-1 = "${owners[0] ?? ""}"\n    secret = "${key}"\n  }`,
  );
  await server.writeFile(
    "/etc/swanctl/conf.d/hub.conf",
    `${bootText(wanted)}secrets {\n${secrets.join("\n")}\n}\n`,
    0o600,
  );
  await server.must(["swanctl", "--load-all"]);
}

test("a network behind the hub, of which charon's own data plane takes nothing, is refused before anything changes", async () => {
  await hub.must(["ip", "address", "add", "203.0.113.10/32", "dev", "eth1"]);
  await hub.must(["ip", "address", "add", "10.10.0.1/32", "dev", "eth1"]);
  const config = endOf("gw-seoul", EXAMPLE);
  expect(await agent.findings({ vpn: config }, { windowSeconds: 100, reconnectSeconds: 100 })).toContainEqual({
    code: "vpn.no_address_in_networks",
    message: expect.stringContaining("no address in 10.30.10.0/24"),
  });
});

test("a hub and two spokes: each reaches the hub, and one the other through it", async () => {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepared = await agent.prepareDomains(
    id,
    { vpn: endOf("gw-seoul") },
    { windowSeconds: 100, reconnectSeconds: 100 },
  );
  expect(prepared, prepared.message).toMatchObject({ phase: TransactionPhase.PREPARED });
  const executed = await agent.execute(id, nonce);
  expect(executed, executed.message).toMatchObject({ phase: TransactionPhase.ON_TRIAL });
  await spoke(busan, "gw-busan", KEYS["seoul-busan-1"]);
  await spoke(daegu, "gw-daegu", KEYS["seoul-daegu-1"]);
  const ways: readonly (readonly [LabServer, string, string])[] = [
    [busan, INSIDE.busan, INSIDE.seoul],
    [daegu, INSIDE.daegu, SEOUL_TOO],
    [busan, INSIDE.busan, INSIDE.daegu],
    [daegu, INSIDE.daegu, INSIDE.busan],
  ];
  for (const [from, source, target] of ways)
    await until(`packets from ${source} to ${target}`, () => passes(from, source, target), 30_000);
  expect(await agent.confirm(id, nonce)).toMatchObject({ phase: TransactionPhase.FINALIZED });
});
