import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import { putKey, useOwnDataPlane } from "@holdfast/testkit/servers/strongswan.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import { link, network, static4 } from "./network-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";
import { bothEnds, INSIDE, KEYS, look, passes, type TunnelWish, vpnPair } from "./vpn-pair.ts";
import { confirm, drift, type End, onTrial, prepared, TRIAL, words } from "./vpn-trial.ts";

let lab: Lab;
let a: End;
let b: End;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfv-${process.pid}` });
  const pair = await vpnPair(lab);
  a = { server: pair.a, agent: new SystemdAgent(pair.a) };
  b = { server: pair.b, agent: new SystemdAgent(pair.b) };
  await a.agent.install();
  await b.agent.install();
});
afterAll(async () => {
  a.agent.letGo();
  b.agent.letGo();
  await lab.close();
});

/** A boot, strongSwan after it, and an exchange. */
const TUNNEL_WITHIN_MS = 60_000;

/** Both on trial, the answering end first; both confirmed when packets pass. */
async function applyBoth(wish: TunnelWish = {}): Promise<void> {
  const ends = bothEnds(wish);
  const trialA = await onTrial(a, ends.a);
  const trialB = await onTrial(b, ends.b);
  await untilItPasses();
  await confirm(a, trialA);
  await confirm(b, trialB);
}

function passesBoth(): Promise<boolean> {
  return passes(a.server, INSIDE.a, INSIDE.b).then((there) => there && passes(b.server, INSIDE.b, INSIDE.a));
}

function untilItPasses(): Promise<void> {
  return until("packets to pass through the tunnel", passesBoth, TUNNEL_WITHIN_MS);
}

function untilReverted({ agent }: End, requestId: string): Promise<void> {
  return until(
    "the transaction to be undone",
    async () => (await (await agent.guard()).getTransaction({ requestId })).phase === TransactionPhase.REVERTED,
    30_000,
  );
}

async function somaxconn(): Promise<string> {
  return b.server.must(["cat", "/proc/sys/net/core/somaxconn"]);
}

async function associations(end: End): Promise<string> {
  return end.server.must(["swanctl", "--list-sas"]);
}

test("two ends of one document: on trial, packets pass encrypted; undone, both are as they were", async () => {
  const before = [await look(a.server), await look(b.server)];
  const ends = bothEnds();
  const trialA = await onTrial(a, ends.a);
  const trialB = await onTrial(b, ends.b);
  await untilItPasses();
  expect(await associations(b)).toMatch(
    /pair: #\d+, ESTABLISHED, IKEv2[^]*AES_GCM_16-256[^]*INSTALLED, TUNNEL[^]*ECP_384/,
  );
  // Nothing of a trial would survive a reboot.
  expect(await b.server.must(["ls", "/etc/swanctl/conf.d"])).toBe("");
  for (const [end, trial] of [
    [a, trialA],
    [b, trialB],
  ] as const) {
    const aborted = await end.agent.abort(trial.id);
    expect(aborted, words(aborted)).toMatchObject({ phase: TransactionPhase.REVERTED });
  }
  expect([await look(a.server), await look(b.server)]).toEqual(before);
  expect(await associations(a)).toBe("");
});

test("confirmed it is loaded on every boot, its key is nowhere but where it belongs, and clear text never leaves", async () => {
  await applyBoth();
  for (const { server } of [a, b]) {
    const holders = await server.exec([
      "grep",
      "-rlE",
      KEYS.first,
      "/var/lib/holdfast",
      "/etc",
      "/run/holdfast",
      "/run/log",
    ]);
    expect(holders.stdout.trim()).toBe("/etc/holdfast/secrets/vpn/first");
    expect(await server.must(["stat", "-c", "%a %U", "/etc/swanctl/conf.d/holdfast-keys.conf"])).toBe("600 root\n");
    expect(await server.must(["journalctl", "--no-pager", "-q"])).not.toContain(KEYS.first);
  }
  expect([await drift(a), await drift(b)]).toMatchObject([
    { error: "", drift: false },
    { error: "", drift: false },
  ]);

  // While the tunnel is down, and with nobody to encrypt, packets for the other end go nowhere.
  await b.server.must(["systemctl", "stop", "strongswan.service"]);
  expect((await b.server.exec(["ip", "route", "get", INSIDE.a, "from", INSIDE.b])).code).not.toBe(0);
  expect(await passes(b.server, INSIDE.b, INSIDE.a)).toBe(false);
  await b.server.must(["systemctl", "start", "strongswan.service"]);
  await untilItPasses();

  for (const end of [a, b]) {
    const confirmed = await look(end.server);
    end.agent.letGo();
    await end.server.reboot();
    await until("strongSwan to be there after the boot", async () => (await look(end.server)) === confirmed, 30_000);
  }
  await untilItPasses();
  expect([await drift(a), await drift(b)]).toMatchObject([
    { error: "", drift: false },
    { error: "", drift: false },
  ]);
});

test("another key on one end only: the tunnel is not agreed, both go back, and packets pass again", async () => {
  const before = [await look(a.server), await look(b.server)];
  await putKey(a.server, "wrong", KEYS.first);
  await putKey(b.server, "wrong", KEYS.second);
  const ends = bothEnds({ key: "wrong" });
  const trialA = await onTrial(a, ends.a);
  const id = await prepared(b, ends.b);
  const executed = await b.agent.execute(id, makeNonce());
  expect(words(executed)).toContain("AUTHENTICATION_FAILED");
  await untilReverted(b, id);
  const aborted = await a.agent.abort(trialA.id);
  expect(aborted, words(aborted)).toMatchObject({ phase: TransactionPhase.REVERTED });
  expect([await look(a.server), await look(b.server)]).toEqual(before);
  // The end that begins was refused by the one that had not gone back yet; it is begun again.
  await untilItPasses();
});

test("a tunnel that connects and could never replace its keys is found on the trial, and all domains go back", async () => {
  const before = [await look(a.server), await look(b.server), await somaxconn()];
  const ends = bothEnds({ key: "second" });
  // The other end as a stranger may have it: the first exchange needs no group of the child's own.
  const { pair } = (ends.a as { readonly tunnels: { readonly pair: { readonly [key: string]: Json } } }).tunnels;
  const trialA = await onTrial(a, { tunnels: { pair: { ...pair, childProposals: ["aes256gcm16-ecp256"] } } });
  const id = makeRequestId();
  const system = { sysctl: { "net.core.somaxconn": "7777" } };
  const transaction = await b.agent.prepareDomains(id, { system, vpn: ends.b }, TRIAL);
  expect(transaction, words(transaction)).toMatchObject({ phase: TransactionPhase.PREPARED });
  expect(words(await b.agent.execute(id, makeNonce()))).toContain("its keys cannot be replaced");
  await untilReverted(b, id);
  await a.agent.abort(trialA.id);
  expect([await look(a.server), await look(b.server), await somaxconn()]).toEqual(before);
  await untilItPasses();
});

test("a power cut on a trial brings the confirmed tunnel back", async () => {
  const before = [await look(a.server), await look(b.server)];
  const ends = bothEnds({ suite: "compatible-2026" });
  const trialA = await onTrial(a, ends.a);
  await onTrial(b, ends.b);
  expect(await associations(b)).toContain("AES_CBC-256");
  b.agent.letGo();
  await b.server.cut();
  await b.server.startAgain();
  expect(await b.agent.story()).toContain("server.rebooted");
  await a.agent.abort(trialA.id);
  await until(
    "both to be as they were",
    async () => (await look(a.server)) === before[0] && (await look(b.server)) === before[1],
    30_000,
  );
  // The end that begins was refused by the one that had not gone back yet; it is begun again.
  await untilItPasses();
});

test("drift is seen, names what differs, and is written over only when that is said", async () => {
  await b.server.writeFile("/run/empty.conf", "");
  await b.server.must(["swanctl", "--load-conns", "--file", "/run/empty.conf"]);
  expect(await drift(b)).toMatchObject({ error: "", drift: true });
  const { b: vpn } = bothEnds();
  const refused = await b.agent.prepareDomains(makeRequestId(), { vpn }, TRIAL);
  expect(words(refused)).toMatch(/plan.drift.*tunnels.pair/);
  await confirm(b, await onTrial(b, vpn, true));
  expect(await drift(b)).toMatchObject({ error: "", drift: false });
  await untilItPasses();

  await a.server.must(["ip", "route", "del", "blackhole", "10.72.0.0/24"]);
  expect(await drift(a)).toMatchObject({ error: "", drift: true });
  await confirm(a, await onTrial(a, bothEnds().a, true));
});

test("networkd takes away what is not its own, also the rule by which strongSwan leads packets into the tunnel; clear text stays blocked", async () => {
  for (const { server } of [a, b]) {
    await server.must(["networkctl", "reconfigure", "eth0", "eth1"]);
    await server.must(["systemctl", "restart", "systemd-networkd.service"]);
    expect(await server.must(["ip", "route", "show", "type", "blackhole"])).toContain("metric 4294967295");
  }
  expect((await b.server.exec(["ip", "route", "get", INSIDE.a, "from", INSIDE.b])).stdout).not.toContain("eth0");
  // The rule is strongSwan's own, and it sets it only when it starts: the timer does meanwhile.
  for (const { server } of [a, b]) {
    await server.must(["systemctl", "start", "holdfast-tend.service"]);
    expect(await server.must(["ip", "rule", "show"])).toContain("220:\tfrom all lookup 220");
  }
  await untilItPasses();
  expect([await drift(a), await drift(b)]).toMatchObject([
    { error: "", drift: false },
    { error: "", drift: false },
  ]);
});

test("a change of the network in the same transaction leaves the tunnel as it is, on trial and undone", async () => {
  const { b: vpn } = bothEnds();
  const { server, agent } = b;
  const inside = link("eth1", { ipv4: static4(`${INSIDE.b}/24`), mtu: 1_400 });
  const trial = { id: makeRequestId(), nonce: makeNonce() };
  const transaction = await agent.prepareDomains(trial.id, { vpn, network: network({ eth1: inside }) }, TRIAL);
  expect(transaction, words(transaction)).toMatchObject({ phase: TransactionPhase.PREPARED, code: "" });
  const executed = await agent.execute(trial.id, trial.nonce);
  expect(executed, words(executed)).toMatchObject({ phase: TransactionPhase.ON_TRIAL, code: "" });
  expect(await server.must(["cat", "/sys/class/net/eth1/mtu"])).toBe("1400\n");
  await untilItPasses();
  const aborted = await agent.abort(trial.id);
  expect(aborted, words(aborted)).toMatchObject({ phase: TransactionPhase.REVERTED });
  expect(await server.must(["cat", "/sys/class/net/eth1/mtu"])).toBe("1500\n");
  await untilItPasses();
});

test("what is missing on a server is said before anything changes", async () => {
  const refused = async (end: End, vpn: Json): Promise<string> => {
    const before = await look(end.server);
    const transaction = await end.agent.prepareDomains(makeRequestId(), { vpn }, TRIAL);
    expect(transaction.phase).toBe(TransactionPhase.REFUSED);
    expect(await look(end.server)).toBe(before);
    return words(transaction);
  };
  expect(await refused(a, bothEnds({ key: "nowhere" }).a)).toContain("vpn.key_missing");
  await putKey(a.server, "weak", "hunter2");
  expect(await refused(a, bothEnds({ key: "weak" }).a)).toContain("7 characters");
  await a.server.must(["chmod", "644", "/etc/holdfast/secrets/vpn/second"]);
  expect(await refused(a, bothEnds({ key: "second" }).a)).toContain("others than root");
  await a.server.must(["chmod", "600", "/etc/holdfast/secrets/vpn/second"]);

  await useOwnDataPlane(a.server, false);
  expect(await refused(a, bothEnds({ key: "second" }).a)).toContain("vpn.no_data_plane");
  await a.server.must(["systemctl", "stop", "strongswan.service"]);
  expect(await refused(a, bothEnds({ key: "second" }).a)).toContain("vpn.charon_down");
  await useOwnDataPlane(a.server, true);
});

test("released, nothing of ours is left on either end", async () => {
  for (const end of [a, b]) {
    await confirm(end, await onTrial(end, null, true));
    expect(await end.server.must(["swanctl", "--list-conns"])).toBe("");
    expect(await end.server.must(["ls", "/etc/swanctl/conf.d"])).toBe("");
    expect(await end.server.must(["ls", "-A", "/var/lib/holdfast/vpn"])).toBe("");
    expect((await end.server.must(["ip", "route", "show", "type", "blackhole"])).trim()).toBe("");
  }
});
