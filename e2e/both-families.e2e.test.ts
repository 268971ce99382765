import { CONTROL_NETWORK, DIAL_ADDRESS } from "@holdfast/testkit/house/house-networks.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { ipBatch } from "@holdfast/testkit/servers/network-namespace.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyPlanned, type ApplyFacts, endOf } from "./one-apply.ts";

/**
 * A control plane that stands in both families looks at the way in over both, though its agents come over one: a change that closes the other
 * by mistake is undone, and one that gives it up on purpose is not held back.
 */

const V4 = "192.0.2.11";
const V6 = "2001:db8:1::11";
/** Documentation prefixes (RFC 3849), beside the IPv4 networks of the house. */
const CONTROL_V6 = "2001:db8:c::/64";

let house: House;
let server: HouseServer;

beforeAll(async () => {
  house = await House.open({
    servers: [{ name: "web-1", addressing: "networkd" }],
    furnished: false,
    environment: { HOLDFAST_AGENT_NAMES: `${DIAL_ADDRESS},2001:db8:c::10` },
  });
  server = house.first;
  const { router, controls } = house.networks;
  await ipBatch(router.namespace, [
    "address add 2001:db8:1::1/64 dev lan nodad",
    "address add 2001:db8:c::1/64 dev core nodad",
  ]);
  for (const control of controls)
    await ipBatch(control.namespace, [
      "address add 2001:db8:c::2/64 dev eth0 nodad",
      "route add default via 2001:db8:c::1",
    ]);
  await house.operator.apply("Both families", documents({ reached: [V4, V6] }));
}, 180_000);
afterAll(() => house.close(), 60_000);

function documents({
  reached,
  ipv6 = `{ method: static, addresses: [${V6}/64], gateways: ["2001:db8:1::1"] }`,
  routes = "",
}: {
  readonly reached: readonly string[];
  readonly ipv6?: string;
  readonly routes?: string;
}): readonly string[] {
  return [
    `apiVersion: holdfast/v1
kind: Floor
name: house
selector: { all: true }
management:
  - { name: operators, networks: [${CONTROL_NETWORK}, "${CONTROL_V6}"], tcpPorts: 22 }
trial: { reconnect: 12s, soak: 2s, window: 30s, confirm: machine }
`,
    `apiVersion: holdfast/v1
kind: Policy
name: net-web-1
layer: server
selector: { server: web-1 }
network:
  interfaces:
    eth0:
      ipv4: { method: static, addresses: [${V4}/24], gateways: [192.0.2.1] }
      ipv6: ${ipv6}
      routes: [${routes}]
`,
    `apiVersion: holdfast/v1
kind: Server
name: web-1
addresses: [${reached.map((one) => JSON.stringify(one)).join(", ")}]
`,
  ];
}

/** From the control plane's own place: is the way in open? */
async function waysIn(): Promise<readonly unknown[]> {
  const [control] = house.networks.controls;
  if (control === undefined) throw new Error("the house has no control plane");
  return Promise.all([V4, V6].map((address) => tcpConnect(control, address, 22)));
}

async function applied(texts: readonly string[]): Promise<ApplyFacts> {
  const change = await house.operator.plan("A change of one family", texts);
  const { applyId } = await applyPlanned(house, server, change);
  return endOf(house, applyId);
}

test("what closes IPv6 alone is undone, though the agent is heard over IPv4 all the while", async () => {
  expect(await waysIn()).toEqual(["open", "open"]);
  // Answers to the control plane go nowhere; nothing on the server speaks against it.
  const lost = documents({ reached: [V4, V6], routes: `{ to: "${CONTROL_V6}", is: blackhole }` });
  expect(await applied(lost)).toMatchObject({
    state: "ROLLED_BACK",
    server_is: "as_before",
    message: expect.stringContaining(`floor tcp/22 at ${V6}`),
  });
  expect(await waysIn()).toEqual(["open", "open"]);
});

test("IPv6 that is given up on purpose, in the server's document too, holds no change back", async () => {
  const without = documents({ reached: [V4], ipv6: "{ method: none }" });
  expect(await applied(without)).toMatchObject({ state: "APPLIED", server_is: "as_requested" });
  expect((await waysIn())[0]).toBe("open");
  expect((await waysIn())[1]).not.toBe("open");
});
