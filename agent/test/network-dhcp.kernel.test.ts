import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { abort, apply, onTrial, TRIAL, words } from "./change-stage.ts";
import { makeNonce, makeRequestId } from "./commander.ts";
import { dhcp4, driftOf, link, look, network, static4 } from "./network-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

let lab: Lab;
let gateway: LabServer;
let client: LabServer;
let gatewayAgent: SystemdAgent;
let clientAgent: SystemdAgent;

/** A gateway and a client of it: both are set up by Holdfast. */
beforeAll(async () => {
  lab = Lab.open({ prefix: `hfd-${process.pid}` });
  const segment = await lab.network({ name: "segment", subnet4: "10.30.0.0/24" });
  const attachments = [{ network: segment, interface: "eth0", addresses: [] }];
  gateway = lab.server({ name: "gw", kind: "systemd", addressing: "networkd", attachments });
  client = lab.server({ name: "pc", kind: "systemd", addressing: "networkd", attachments });
  await Promise.all([gateway.start(), client.start()]);
  gatewayAgent = new SystemdAgent(gateway);
  clientAgent = new SystemdAgent(client);
  await gatewayAgent.install();
  await clientAgent.install();
});
afterAll(async () => {
  gatewayAgent.letGo();
  clientAgent.letGo();
  await lab.close();
});

const SERVING = network({
  lan: link("eth0", {
    ipv4: static4("10.30.0.1/24"),
    dhcpServer: { first: 100, last: 149, leaseSeconds: 3600, dns: ["9.9.9.9"], gateway: true },
  }),
});
const ASKING = network({ lan: link("eth0", { ipv4: { ...dhcp4(), metric: 77 } }) });

test("where there is a carrier and nobody answers, a change to DHCP undoes itself", async () => {
  const before = await look(client);
  const id = makeRequestId();
  const prepared = await clientAgent.prepareDomains(id, { network: ASKING }, TRIAL);
  expect(prepared, words(prepared)).toMatchObject({ code: "" });
  const executed = await clientAgent.execute(id, makeNonce());
  expect(words(executed)).toContain("no lease came on eth0");
  expect(await look(client)).toBe(before);
});

test("one gives addresses out and the other gets one, with gateway and name server; what is lent is no drift", async () => {
  const before = await look(client);
  await apply(gatewayAgent, { network: SERVING });
  await apply(clientAgent, { network: ASKING });
  const addresses = await client.must(["ip", "-4", "-o", "address", "show", "dev", "eth0"]);
  expect(addresses).toMatch(/inet 10\.30\.0\.1[0-4]\d\/24 .*dynamic/);
  expect(await client.must(["ip", "route", "show", "default"])).toContain("via 10.30.0.1 dev eth0 proto dhcp");
  expect(await client.must(["ip", "route", "show", "default"])).toContain("metric 77");
  expect(await client.must(["networkctl", "status", "eth0"])).toContain("9.9.9.9");
  expect(await driftOf(clientAgent)).toMatchObject({ error: "", drift: false });

  // What is lent shows beside what is asked for, with the time for which it is lent.
  const state = (await (await clientAgent.guard()).observe({ domains: ["network"] })).domains[0];
  const observed = JSON.parse(state?.observedJson ?? "{}") as {
    readonly links: readonly { readonly name: string; readonly addresses: readonly Record<string, unknown>[] }[];
  };
  const lent = observed.links.find(({ name }) => name === "eth0")?.addresses.find(({ source }) => source === "learnt");
  expect(lent).toMatchObject({ leaseSeconds: expect.any(Number) as number });

  // A dead end to who lent it would show when the lease is to be renewed, half an hour later.
  expect(lent).toMatchObject({ lender: "10.30.0.1" });
  const deadEnd = { to: "10.30.0.1/32", is: "blackhole", table: 254, onLink: false } as const;
  const cut = network({ lan: link("eth0", { ipv4: { ...dhcp4(), metric: 77 }, routes: [deadEnd] }) });
  expect((await clientAgent.findings({ network: cut }, TRIAL)).map(({ code }) => code)).toContain("network.lease_cut");

  // The server knows it by what it was told to say, and is told no name.
  const mac = (await client.must(["cat", "/sys/class/net/eth0/address"])).trim();
  const lentTo = async (): Promise<string> => gateway.must(["networkctl", "status", "eth0"]);
  expect(await lentTo()).not.toContain(`(to ${mac})`);
  const byMac = network({ lan: link("eth0", { ipv4: { ...dhcp4(), clientId: "mac", tellHostname: false } }) });
  const named = await onTrial(clientAgent, { network: byMac });
  expect(await lentTo()).toContain(`(to ${mac})`);
  await abort(clientAgent, named.id);

  // Only its address is used: neither gateway nor name server.
  const { id } = await onTrial(clientAgent, { network: network({ lan: link("eth0", { ipv4: dhcp4(["address"]) }) }) });
  expect(await client.must(["ip", "route", "show", "default"])).toBe("");
  expect(await client.must(["networkctl", "status", "eth0"])).not.toContain("9.9.9.9");
  await abort(clientAgent, id);
  expect(await client.must(["ip", "route", "show", "default"])).toContain("via 10.30.0.1");

  await apply(clientAgent, {});
  expect(await look(client)).toBe(before);
  await apply(gatewayAgent, {});
});

test("what a router announces is taken as far as the policy says, and is no setting of ours", async () => {
  // The router is somebody else's.
  await gateway.writeFile(
    "/etc/systemd/network/01-router.network",
    "[Match]\nName=eth0\n[Network]\nAddress=fd30::1/64\nIPv6SendRA=yes\nIPForward=ipv6\n[IPv6SendRA]\nEmitDNS=no\n[IPv6Prefix]\nPrefix=fd30::/64\n",
  );
  await gateway.must(["networkctl", "reload"]);
  const before = await look(client);
  const six = (use: readonly ("address" | "gateway")[]) =>
    network({ lan: link("eth0", { ipv6: { method: "ra", addresses: [], gateways: [], use: [...use] } }) });
  const addresses = () => client.must(["ip", "-6", "-o", "address", "show", "dev", "eth0"]);
  const defaults = () => client.must(["ip", "-6", "route", "show", "default"]);

  await apply(clientAgent, { network: six(["address", "gateway"]) });
  await until("an address out of the router's network", async () => (await addresses()).includes("inet6 fd30:"));
  await until("the router as gateway", async () => (await defaults()).includes("proto ra"));
  expect(await driftOf(clientAgent)).toMatchObject({ error: "", drift: false });

  const { id } = await onTrial(clientAgent, { network: six(["address"]) });
  await until("an address again", async () => (await addresses()).includes("inet6 fd30:"));
  expect(await defaults()).toBe("");
  await abort(clientAgent, id);
  await apply(clientAgent, {});
  expect(await look(client)).toBe(before);
});
