import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { MOST_REPAIRS } from "@holdfast/core/floor/keep-floor.ts";
import type { FloorState } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce, makeRequestId, type Trial } from "./commander.ts";
import { lettingIn } from "./firewall-stage.ts";
import { link, network, static4 } from "./network-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

const REPAIR: Trial = { windowSeconds: 90, reconnectSeconds: 90, whenFloorLost: "repair" };
const ALARM: Trial = { windowSeconds: 90, reconnectSeconds: 90 };
const NETWORK = network({ wan: link("eth0", { ipv4: static4("10.21.0.10/24") }) }, { reachedAt: ["10.21.0.10"] });

beforeAll(async () => {
  lab = Lab.open({ prefix: `hff-${process.pid}` });
  const lan = await lab.network({ name: "lan", subnet4: "10.21.0.0/24" });
  const attachments = [{ network: lan, interface: "eth0", addresses: ["10.21.0.10"] }];
  server = lab.server({ name: "web", kind: "systemd", addressing: "networkd", attachments });
  await server.start();
  agent = new SystemdAgent(server);
  await agent.install();
  await server.must(["systemctl", "enable", "--now", "holdfast-module@network.socket"]);
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

async function onTrial(domains: Readonly<Record<string, Json>>, trial: Trial): Promise<{ id: string; nonce: string }> {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepared = await agent.prepareDomains(id, domains, trial, true);
  expect(prepared, prepared.message).toMatchObject({ phase: TransactionPhase.PREPARED, code: "" });
  const executed = await agent.execute(id, nonce);
  expect(executed, executed.message).toMatchObject({ phase: TransactionPhase.ON_TRIAL, code: "" });
  return { id, nonce };
}

async function apply(domains: Readonly<Record<string, Json>>, trial: Trial): Promise<void> {
  const { id, nonce } = await onTrial(domains, trial);
  expect((await agent.confirm(id, nonce)).phase).toBe(TransactionPhase.FINALIZED);
}

async function lookAfter(domain: string): Promise<FloorState> {
  const { domains, open } = await (await agent.guard()).lookAfter({ domains: [domain] });
  expect(open).toBe(false);
  const [state] = domains;
  expect(state?.error).toBe("");
  if (state?.floor === undefined) throw new Error("nothing was said of the floor");
  return state.floor;
}

const flush = (): Promise<string> => server.must(["nft", "flush", "ruleset"]);
const paths = (floor: FloorState): readonly string[] => floor.lost.map(({ path }) => path);

test("a look at what is confirmed alone starts no module of the rest", async () => {
  const looked = async () => {
    const { domains } = await (await agent.guard()).lookAfter({ confirmedOnly: true });
    return domains.map(({ domain, error }) => `${domain} ${error}`.trim());
  };
  expect(await looked()).toEqual([]);
  await apply({ firewall: lettingIn(22) }, ALARM);
  expect(await looked()).toEqual(["firewall"]);
  const network = await server.exec(["systemctl", "is-active", "holdfast-module@network.service"]);
  expect(network.stdout.trim()).toBe("inactive");
});

test("nft flush ruleset while nothing is under way: told at once, and left alone where the floor only wants to be told", async () => {
  await apply({ firewall: lettingIn(22) }, ALARM);
  expect(await lookAfter("firewall")).toMatchObject({ lost: [], whenLost: "alarm", repairs: [], gaveUp: false });
  await server.must(["rm", "-f", "/run/holdfast/moved-firewall"]);
  await flush();
  await expect
    .poll(async () => (await server.exec(["ls", "/run/holdfast"])).stdout, { timeout: 5_000 })
    .toContain("moved-firewall");
  const floor = await lookAfter("firewall");
  expect(paths(floor)).toEqual(["table"]);
  expect(floor).toMatchObject({ whenLost: "alarm", repairs: [] });
  expect((await server.must(["nft", "list", "tables"])).trim()).toBe("");
});

test("put back where the floor says so, with sets and rules as they were; a fourth time in an hour is left as it is and said", async () => {
  await apply({ firewall: lettingIn(22, 80) }, REPAIR);
  const confirmed = await agent.table();
  for (let count = 1; count <= MOST_REPAIRS; count++) {
    await flush();
    const floor = await lookAfter("firewall");
    expect(floor).toMatchObject({ lost: [], whenLost: "repair", gaveUp: false });
    expect(floor.repairs).toHaveLength(count);
    expect(floor.repairs.at(-1)).toMatchObject({ failure: "" });
    expect(await agent.table()).toBe(confirmed);
  }
  await flush();
  // The guard leaves when nobody asks; what it has done is on the disk.
  await server.must(["systemctl", "stop", "holdfast-guard.service"]);
  agent.letGo();
  const left = await lookAfter("firewall");
  expect(left).toMatchObject({ gaveUp: true, whenLost: "repair" });
  expect(paths(left)).toEqual(["table"]);
  expect(left.repairs).toHaveLength(MOST_REPAIRS);
  // Whoever has looked and put it back begins anew.
  await apply({ firewall: lettingIn(22, 80) }, REPAIR);
  expect(await lookAfter("firewall")).toMatchObject({ lost: [], repairs: [], gaveUp: false });
  await flush();
  expect(await lookAfter("firewall")).toMatchObject({ lost: [], gaveUp: false, repairs: [{ failure: "" }] });
});

test("a rule put before the floor, and a hook that lets everything through, are the floor lost; a rule after it is drift alone", async () => {
  const confirmed = await agent.table();
  await server.must(["nft", "insert", "rule", "inet", "holdfast", "hook_inbound", "tcp", "dport", "22", "drop"]);
  expect((await lookAfter("firewall")).repairs.at(-1)?.lost).toContain("chains.hook_inbound.rules[0]");
  expect(await agent.table()).toBe(confirmed);
  await server.must(["nft", "add", "rule", "inet", "holdfast", "hook_inbound", "tcp", "dport", "8080", "accept"]);
  expect(paths(await lookAfter("firewall"))).toEqual([]);
  const { domains } = await (await agent.guard()).getState({});
  expect(domains.find(({ domain }) => domain === "firewall")).toMatchObject({ drift: true });
});

test("on trial nothing is put back: what is in force then is the trial's matter", async () => {
  await apply({ firewall: lettingIn(22) }, REPAIR);
  const before = await agent.table();
  const { id } = await onTrial({ firewall: lettingIn(22, 443) }, REPAIR);
  await flush();
  const { domains, open } = await (await agent.guard()).lookAfter({ domains: ["firewall"] });
  expect(open).toBe(true);
  expect(domains[0]?.floor).toBeUndefined();
  expect((await server.must(["nft", "list", "tables"])).trim()).toBe("");
  expect((await agent.abort(id)).phase).toBe(TransactionPhase.REVERTED);
  expect(await agent.table()).toBe(before);
});

test("networkd restarted after its files were taken away: the address at which the server is reached is put back, live and for the boot", async () => {
  await apply({ firewall: lettingIn(22), network: NETWORK }, REPAIR);
  expect(await lookAfter("network")).toMatchObject({ lost: [], whenLost: "repair" });
  // A restart alone loses nothing.
  await server.must(["systemctl", "restart", "systemd-networkd"]);
  expect(await lookAfter("network")).toMatchObject({ lost: [], repairs: [] });
  await server.must([
    "sh",
    "-c",
    "rm -f /etc/systemd/network/* /run/systemd/network/*; systemctl restart systemd-networkd; ip address flush dev eth0",
  ]);
  await sleep(1_000);
  expect(await server.must(["ip", "-br", "-4", "address", "show", "eth0"])).not.toContain("10.21.0.10");
  const floor = await lookAfter("network");
  expect(floor.repairs.at(-1)).toMatchObject({ failure: "" });
  expect(floor.repairs.at(-1)?.lost).toContain("reachedAt");
  expect(floor.lost).toEqual([]);
  expect(await server.must(["ip", "-br", "-4", "address", "show", "eth0"])).toContain("10.21.0.10/24");
  expect(await server.must(["ls", "/etc/systemd/network"])).toContain("05-holdfast");
});
