import { floorText } from "@holdfast/testkit/house/documents.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyPlanned, endOf } from "./one-apply.ts";

/**
 * The address at which a server is managed is changed as what it is: said in the Server document, told in the plan, confirmed only at the new
 * address, and given up for the old one when the new one leads nowhere.
 */

/** Long enough for networkd to set a link up and for the agent to dial again on a busy machine. */
const TRIAL = { reconnect: 12, soak: 2, window: 30 } as const;
const OLD = "192.0.2.11";
const NEW = "192.0.2.77";

let house: House;
let server: HouseServer;

beforeAll(async () => {
  house = await House.open({ servers: [{ name: "web-1", addressing: "networkd" }], furnished: false });
  server = house.first;
  await house.operator.apply("Take the network over", [floorText(TRIAL), ...documents(OLD)]);
}, 180_000);
afterAll(() => house.close(), 60_000);

/** What the server has, and what its document says where it is reached. */
function documents(address: string, said = address, gateway = "192.0.2.1"): readonly string[] {
  return [
    `apiVersion: holdfast/v1
kind: Policy
name: net-web-1
layer: server
selector: { server: web-1 }
network:
  interfaces:
    eth0:
      ipv4: { method: static, addresses: [${address}/24], gateways: [${gateway}] }
      ipv6: { method: none }
`,
    `apiVersion: holdfast/v1
kind: Server
name: web-1
addresses: [${said}]
`,
  ];
}

async function addresses(): Promise<string> {
  return server.machine.must(["ip", "-4", "-o", "address", "show", "dev", "eth0"]);
}

async function planned(texts: readonly string[]) {
  const change = await house.operator.plan("Move the management address", texts);
  const [plan] = change.plans;
  if (plan === undefined) throw new Error("nothing is planned");
  return { change, codes: plan.findings.map(({ code }) => code), findings: plan.findings };
}

test("taken over as it was: nothing moves, and it stays reachable", async () => {
  expect(await addresses()).toContain(`${OLD}/24`);
  expect(await tcpConnect(house.networks.visitor, OLD, 22)).toBe("open");
});

test("an address that goes without a word is a danger that a person must accept", async () => {
  const { codes } = await planned(documents(NEW, OLD));
  expect(codes).toContain("network.management_path_cut");
  expect(codes).not.toContain("network.management_address_moves");
});

test("a new address that leads nowhere is given up: the server is back at the old one, by itself", async () => {
  const before = await addresses();
  const { change, findings } = await planned(documents("10.99.0.5", "10.99.0.5", "10.99.0.1"));
  expect(findings).toContainEqual(
    expect.objectContaining({
      code: "network.management_address_moves",
      message: `The server is reached at ${OLD} now and at 10.99.0.5 after this, as its document says.`,
    }),
  );
  const { applyId } = await applyPlanned(house, server, change);
  expect(await endOf(house, applyId)).toMatchObject({ state: "ROLLED_BACK", server_is: "as_before" });
  expect(await addresses()).toBe(before);
  await house.makeWhole();
  expect(await tcpConnect(house.networks.visitor, OLD, 22)).toBe("open");
});

test("declared and reachable it is confirmed at the new address, and the old one is gone, after a boot too", async () => {
  const { change, codes } = await planned(documents(NEW));
  expect(codes).toContain("network.management_address_moves");
  expect(codes).not.toContain("network.management_path_cut");
  const { applyId } = await applyPlanned(house, server, change);
  expect(await endOf(house, applyId)).toMatchObject({ state: "APPLIED", server_is: "as_requested" });
  expect(await addresses()).toContain(`${NEW}/24`);
  expect(await addresses()).not.toContain(OLD);
  expect(await tcpConnect(house.networks.visitor, NEW, 22)).toBe("open");
  await server.machine.reboot();
  await house.makeWhole();
  expect(await addresses()).toContain(`${NEW}/24`);
});
