import { setTimeout as sleep } from "node:timers/promises";
import type { ReadPacketsResponse, SeenPacket } from "@holdfast/proto/gen/holdfast/v1/packets_pb.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabNode } from "@holdfast/testkit/servers/node.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import { lettingIn } from "./firewall-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

/** Packets as a real server decides about them, under the real units: K1 to K4 of packets.proto. */
const SERVER = "10.20.0.10";
const CLIENT = "10.20.0.99";
const TRIAL = { windowSeconds: 90, reconnectSeconds: 90 };
let lab: Lab;
let server: LabServer;
let client: LabNode;
let agent: SystemdAgent;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfk-${process.pid}` });
  const lan = await lab.network({ name: "lan", subnet4: "10.20.0.0/24" });
  server = lab.server({
    name: "web-1",
    kind: "systemd",
    attachments: [{ network: lan, interface: "eth0", addresses: [SERVER] }],
  });
  client = await lab.bare({
    name: "client",
    attachments: [{ network: lan, interface: "eth0", addresses: [CLIENT] }],
  });
  await server.start();
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

async function apply(...ports: readonly number[]): Promise<void> {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepared = await agent.prepareDomains(id, { firewall: lettingIn(...ports) }, TRIAL);
  expect(prepared, `${prepared.code} ${prepared.message}`).toMatchObject({ phase: TransactionPhase.PREPARED });
  await agent.execute(id, nonce);
  expect(await agent.confirm(id, nonce)).toMatchObject({ phase: TransactionPhase.FINALIZED });
}

async function ask(watchId = "", after = 0n): Promise<ReadPacketsResponse> {
  return (await agent.guard()).readPackets({ watchId, after });
}

/** Asks until a packet like this was seen, as whoever looks does. */
async function seen(like: (packet: SeenPacket) => boolean, provoke: () => Promise<unknown>): Promise<SeenPacket> {
  const first = await ask();
  expect(first.refusedCode, first.refusedMessage).toBe("");
  const { watchId } = first;
  const giveUpAt = performance.now() + 30_000;
  for (let after = 0n; performance.now() < giveUpAt;) {
    await provoke();
    await sleep(300);
    const answer = await ask(watchId, after);
    const found = answer.packets.find(like);
    if (found !== undefined) return found;
    after = answer.packets.at(-1)?.number ?? after;
  }
  throw new Error("no such packet was seen");
}

const to = (port: number) => (packet: SeenPacket) =>
  packet.protocol === "tcp" && packet.destinationPort === port && packet.source === CLIENT;
const knock = (port: number) => () => tcpConnect(client, SERVER, port, { timeoutMs: 300 });
async function tables(): Promise<string> {
  return (await server.must(["nft", "list", "tables"])).trim();
}
async function printers(): Promise<string> {
  return (await server.exec(["pgrep", "-fc", "nft -n -i"])).stdout.trim();
}
async function untilQuiet(): Promise<void> {
  await expect.poll(tables, { timeout: 20_000 }).not.toContain("holdfast_watch");
  await expect.poll(printers, { timeout: 20_000 }).toBe("0");
}

test("a server without a firewall of ours says so and starts nothing", async () => {
  expect(await ask()).toMatchObject({ refusedCode: "packets.no_firewall", packets: [] });
  expect(await tables()).toBe("");
  expect((await (await agent.guard()).describe({})).showsPackets).toBe(true);
});

test("what is dropped, allowed and sent is seen, each with the rule that decided, and looking leaves nothing", async () => {
  await apply(22, 8080);
  expect(await seen(to(23), knock(23))).toMatchObject({
    direction: "inbound",
    outcome: "dropped",
    rule: "default",
    protocol: "tcp",
    destination: SERVER,
    inInterface: "eth0",
    foreignTable: "",
  });
  expect(await seen(to(8080), knock(8080))).toMatchObject({ outcome: "allowed", rule: "p8080" });
  expect(
    await seen(
      ({ protocol }) => protocol === "icmp",
      () => client.exec(["ping", "-c", "1", "-W", "1", SERVER]),
    ),
  ).toMatchObject({ direction: "inbound", icmpType: 8, destinationPort: 0 });
  // Others share the sample; who asks again with an old number is told what there is.
  const [first, second] = await Promise.all([ask(), ask()]);
  expect(first.watchId).toBe(second.watchId);
  // Nothing of it is ours to compare or foreign to tell.
  const { domains } = await (await agent.guard()).observe({ domains: ["firewall"] });
  expect(domains[0]).toMatchObject({ drift: false, error: "" });
  expect(domains[0]?.observedJson).not.toContain("holdfast_watch");
  await untilQuiet();
});

test("another firewall that drops after ours allowed is named", async () => {
  await server.must([
    "nft",
    "add table ip other; add chain ip other late { type filter hook input priority 10; }; add rule ip other late tcp dport 8080 drop",
  ]);
  try {
    expect(await seen(to(8080), knock(8080))).toMatchObject({
      outcome: "dropped",
      rule: "p8080",
      foreignTable: "ip other",
    });
  } finally {
    await server.must(["nft", "delete", "table", "ip", "other"]);
  }
});

test("a flood costs no more than the sample, and an apply goes through it while somebody looks", async () => {
  const { watchId } = await ask();
  const module = async (): Promise<number> => {
    const pid = (await server.must(["pgrep", "-f", "holdfast-agent.mjs module firewall"])).trim().split("\n").at(-1);
    return Number(/VmRSS:\s+(\d+)/.exec(await server.must(["cat", `/proc/${pid ?? ""}/status`]))?.[1]);
  };
  const before = await module();
  const flood = client.exec(
    [
      process.execPath,
      "-e",
      `const s=require("node:dgram").createSocket("udp4");let n=0;
     const go=()=>{for(let i=0;i<500;i++)s.send("x",1+(n+i)%60000,"${SERVER}");n+=500;if(n<100000)setTimeout(go,5);else s.close()};go();`,
    ],
    { timeoutMs: 120_000 },
  );
  let after = 0n;
  let told = 0;
  let sampled = false;
  let most = 0;
  let ended = false;
  void flood.then(() => {
    ended = true;
  });
  const applied = apply(22, 8080, 9090);
  const startedMs = performance.now();
  while (!ended) {
    await sleep(500);
    const answer = await ask(watchId, after);
    if (answer.watchId !== watchId) continue;
    most = Math.max(most, answer.packets.length);
    told += answer.packets.length + Number(answer.missed);
    sampled ||= answer.sampled;
    after = answer.packets.at(-1)?.number ?? after;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await applied;
  expect(sampled).toBe(true);
  expect(most).toBeLessThanOrEqual(500);
  // 50 a second of each direction, and what the bucket holds at first.
  expect(told).toBeLessThanOrEqual(100 * (seconds + 2));
  expect((await module()) - before, "kilobytes").toBeLessThan(60_000);
  // nft prints a new rule as unknown until it has read the rules again.
  expect(await seen((packet) => to(9090)(packet) && packet.rule !== "", knock(9090))).toMatchObject({
    outcome: "allowed",
    rule: "p9090",
  });
});

test("who does not ask for long is told how much went by", async () => {
  const { watchId } = await ask();
  await sleep(1_000);
  expect(await ask("other", 5n)).toMatchObject({ watchId, missed: 0n });
});

test("killed in the middle, the module leaves no table and no process; the next question begins anew", async () => {
  const { watchId } = await ask();
  expect(await tables()).toContain("holdfast_watch");
  await server.must(["systemctl", "kill", "--kill-who=main", "-s", "KILL", "holdfast-module@firewall.service"]);
  await untilQuiet();
  const again = await ask(watchId, 3n);
  expect(again.refusedCode).toBe("");
  expect(again.watchId).not.toBe(watchId);
  await untilQuiet();
});
