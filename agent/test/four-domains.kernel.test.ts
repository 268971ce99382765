import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apply, onTrial, TRIAL, words } from "./change-stage.ts";
import { makeNonce, makeRequestId } from "./commander.ts";
import { lettingIn } from "./firewall-stage.ts";
import { dhcp4, link, look as lookAtNetwork, network, static4 } from "./network-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";
import { bothEnds, INSIDE, look as lookAtTunnels, vpnPair } from "./vpn-pair.ts";

/** One transaction over all four domains: whichever fails, and wherever, the server is what was confirmed last in each of them. */

let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

type Four = Readonly<Record<"system" | "network" | "firewall" | "vpn", Json>>;

const CONFIRMED = four({ backlog: 5_001, mtu: 1_450, ports: [80] });
const NEXT = four({ backlog: 5_002, mtu: 1_400, ports: [80, 443], key: "second", ttl: 70 });

function four(what: {
  readonly backlog: number;
  readonly mtu: number;
  readonly ports: readonly number[];
  readonly key?: string;
  readonly ttl?: number;
}): Four {
  const inside = link("eth1", { ipv4: static4(`${INSIDE.a}/24`), mtu: what.mtu });
  return {
    system: {
      sysctl: { "net.core.somaxconn": String(what.backlog), "net.ipv4.ip_default_ttl": String(what.ttl ?? 64) },
    },
    network: network({ eth1: inside }),
    firewall: lettingIn(...what.ports),
    vpn: bothEnds(what.key === undefined ? {} : { key: what.key }).a,
  };
}

beforeAll(async () => {
  lab = Lab.open({ prefix: `hf4-${process.pid}` });
  server = (await vpnPair(lab)).a;
  agent = new SystemdAgent(server);
  await agent.install();
  await apply(agent, CONFIRMED);
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

async function look(): Promise<string> {
  const script = [
    "cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/ip_default_ttl; cat /etc/sysctl.d/*holdfast*",
    "nft list table inet holdfast | sed -E 's/packets [0-9]+ bytes [0-9]+//'",
  ].join("; ");
  return [await server.must(["sh", "-c", script]), await lookAtNetwork(server), await lookAtTunnels(server)].join("\n");
}

async function prepared(domains: Four): Promise<string> {
  const id = makeRequestId();
  const transaction = await agent.prepareDomains(id, domains, TRIAL);
  expect(transaction, words(transaction)).toMatchObject({ phase: TransactionPhase.PREPARED, code: "" });
  return id;
}

async function drifting(): Promise<readonly string[]> {
  const { domains } = await (await agent.guard()).getState({});
  return domains.filter(({ drift, error }) => drift || error !== "").map(({ domain, error }) => `${domain} ${error}`);
}

// I4.
describe("a step of one domain fails after the steps of those before it", () => {
  test.each<{
    readonly domain: keyof Four;
    readonly wish: Four;
    /** Between Prepare and Execute: what nobody could plan for. */
    readonly meanwhile: readonly string[];
    readonly said: RegExp;
    readonly afterwards: readonly string[];
  }>([
    {
      domain: "system",
      wish: { ...NEXT, system: { sysctl: { "net.core.somaxconn": "5002", "net.ipv4.ip_default_ttl": "999" } } },
      meanwhile: ["true"],
      said: /ip_default_ttl/,
      afterwards: ["true"],
    },
    {
      domain: "network",
      wish: { ...NEXT, network: network({ eth1: link("eth1", { ipv4: dhcp4() }) }) },
      meanwhile: ["true"],
      said: /no lease came on eth1/,
      afterwards: ["true"],
    },
    {
      domain: "firewall",
      wish: NEXT,
      meanwhile: ["nft", "delete", "table", "inet", "holdfast"],
      said: /./,
      afterwards: ["true"],
    },
    {
      domain: "vpn",
      wish: NEXT,
      meanwhile: ["mv", "/etc/holdfast/secrets/vpn/second", "/etc/holdfast/secrets/vpn/.second"],
      said: /second/,
      afterwards: ["mv", "/etc/holdfast/secrets/vpn/.second", "/etc/holdfast/secrets/vpn/second"],
    },
  ])("$domain", async ({ domain, wish, meanwhile, said, afterwards }) => {
    const before = await look();
    const id = await prepared(wish);
    await server.must([...meanwhile]);
    const executed = await agent.execute(id, makeNonce());
    await server.must([...afterwards]);
    expect(executed, words(executed)).toMatchObject({ phase: TransactionPhase.REVERTED, serverIs: "as_before" });
    expect(words(executed)).toMatch(said);
    expect(executed.lastStep).toMatch(new RegExp(`^${domain}\\.`));
    expect(await look()).toBe(before);
    expect(await drifting()).toEqual([]);
  });
});

describe("all of them succeeded, and then one is found to be different", () => {
  test.each<{ readonly domain: keyof Four; readonly change: readonly string[] }>([
    { domain: "system", change: ["sysctl", "-w", "net.core.somaxconn=9"] },
    { domain: "network", change: ["ip", "link", "set", "dev", "eth1", "mtu", "1300"] },
    { domain: "firewall", change: ["nft", "flush", "chain", "inet", "holdfast", "rules_inbound"] },
    { domain: "vpn", change: ["sh", "-c", "swanctl --load-conns --file /dev/null"] },
  ])("$domain", async ({ domain, change }) => {
    const before = await look();
    const trial = await onTrial(agent, NEXT);
    expect(await look()).not.toBe(before);
    await server.must([...change]);
    const confirmed = await agent.confirm(trial.id, trial.nonce);
    expect(confirmed, words(confirmed)).toMatchObject({ phase: TransactionPhase.REVERTED, code: "verify.mismatch" });
    expect(confirmed.message).toMatch(new RegExp(`^${domain} reads back differently`));
    expect(await look()).toBe(before);
    expect(await drifting()).toEqual([]);
  });
});

test("and where nothing fails, all four are in force, and after a boot too", async () => {
  await apply(agent, NEXT);
  expect(await drifting()).toEqual([]);
  agent.letGo();
  await server.reboot();
  await expect.poll(drifting, { timeout: 60_000, interval: 500 }).toEqual([]);
});
