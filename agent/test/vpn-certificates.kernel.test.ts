import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { SecretVersion } from "@holdfast/core/secret/secret-file.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import {
  type MadeEnd,
  madeEnd,
  putPrivateKey,
  tunnelAuthority,
} from "@holdfast/testkit/servers/tunnel-certificates.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce } from "./commander.ts";
import { SystemdAgent } from "./systemd-agent.ts";
import { bothEnds, INSIDE, look, passes, vpnPair } from "./vpn-pair.ts";
import { confirm, drift, type End, onTrial, prepared, words } from "./vpn-trial.ts";

/** Two servers that prove themselves by certificates, with the real daemon. */

type Name = "a" | "b";
type Pair = Readonly<Record<Name, MadeEnd>>;
type Authority = Awaited<ReturnType<typeof tunnelAuthority>>;

let lab: Lab;
let a: End;
let b: End;
let authority: Authority;
/** The second one of each takes the place of the first. */
let first: Pair;
let second: Pair;

const DAY_MS = 24 * 3_600_000;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfc-${process.pid}` });
  const pair = await vpnPair(lab);
  a = { server: pair.a, agent: new SystemdAgent(pair.a) };
  b = { server: pair.b, agent: new SystemdAgent(pair.b) };
  await a.agent.install();
  await b.agent.install();
  authority = await tunnelAuthority();
  first = await issued(1);
  second = await issued(2);
});
afterAll(async () => {
  a.agent.letGo();
  b.agent.letGo();
  await lab.close();
});

async function issued(version: number, by: Partial<Record<Name, Authority>> = {}, atMs = Date.now()): Promise<Pair> {
  const made = (end: Name) =>
    madeEnd(by[end] ?? authority, { tunnel: "pair", end, server: `gw-${end}`, version }, atMs);
  const pair = { a: await made("a"), b: await made("b") };
  return pair;
}

/** Both documents' parts, with the private key of each end on its own server. */
async function placed(pair: Pair): Promise<{ readonly a: Json; readonly b: Json }> {
  await putPrivateKey(a.server, pair.a);
  await putPrivateKey(b.server, pair.b);
  const secrets: readonly SecretVersion[] = [pair.a.secret, pair.b.secret];
  return bothEnds({ certificates: pair.a.secret.version }, secrets);
}

async function abort(end: End, { id }: { id: string }): Promise<void> {
  const aborted = await end.agent.abort(id);
  expect(aborted, words(aborted)).toMatchObject({ phase: TransactionPhase.REVERTED });
}

function untilItPasses(): Promise<void> {
  const both = async (): Promise<boolean> =>
    (await passes(a.server, INSIDE.a, INSIDE.b)) && (await passes(b.server, INSIDE.b, INSIDE.a));
  return until("packets to pass through the tunnel", both, 60_000);
}

/** Everything of ours, with the private keys that the daemon has and what it will load when it starts. */
async function lookWhole(server: LabServer): Promise<string> {
  const script = "ls -l /etc/swanctl/private 2>/dev/null | grep -v total; cat /etc/swanctl/private/*";
  const files = (await server.exec(["sh", "-c", script])).stdout.replace(/[A-Z][a-z]{2} +\d+ \d\d:\d\d/g, "");
  return `${await look(server)}${files}`;
}

function states(): Promise<readonly string[]> {
  return Promise.all([lookWhole(a.server), lookWhole(b.server)]);
}

async function noDrift(): Promise<void> {
  expect([await drift(a), await drift(b)]).toMatchObject([
    { error: "", drift: false },
    { error: "", drift: false },
  ]);
}

/** Both ends on trial with these certificates; the end that begins is refused, in words, and both go back. */
async function refusedWith(pair: Pair): Promise<string> {
  const before = await states();
  const ends = await placed(pair);
  const trialA = await onTrial(a, ends.a);
  const id = await prepared(b, ends.b);
  const executed = await b.agent.execute(id, makeNonce());
  await until(
    "the transaction to be undone",
    async () => (await (await b.agent.guard()).getTransaction({ requestId: id })).phase === TransactionPhase.REVERTED,
    30_000,
  );
  await abort(a, trialA);
  expect(await states()).toEqual(before);
  return words(executed);
}

test("on trial packets pass between two certificates; undone, nothing of them is left", async () => {
  const before = await states();
  const ends = await placed(first);
  const trialA = await onTrial(a, ends.a);
  const trialB = await onTrial(b, ends.b);
  await untilItPasses();
  expect(await b.server.must(["swanctl", "--list-conns"])).toMatch(/public key authentication/);
  // Nothing of a trial would survive a reboot.
  expect(await b.server.must(["ls", "/etc/swanctl/private"])).toBe("");
  await abort(a, trialA);
  await abort(b, trialB);
  expect(await states()).toEqual(before);
});

test("confirmed it is loaded on every boot, and the private key is nowhere but where it belongs", async () => {
  const ends = await placed(first);
  const trialA = await onTrial(a, ends.a);
  const trialB = await onTrial(b, ends.b);
  await untilItPasses();
  await confirm(a, trialA);
  await confirm(b, trialB);
  await noDrift();
  for (const [end, made] of [
    [a, first.a],
    [b, first.b],
  ] as const) {
    const pem = `/etc/swanctl/private/holdfast-${made.issued.keyId}.pem`;
    expect(await end.server.must(["stat", "-c", "%a %U", pem])).toBe("600 root\n");
    // A part of it that is in no certificate: the private number itself, early in the PKCS #8.
    const secret = made.issued.value.slice(36, 76);
    const holders = await end.server.exec(["grep", "-rl", secret, "/var/lib/holdfast", "/etc", "/run/holdfast"]);
    expect(
      holders.stdout
        .trim()
        .split("\n")
        .every((path) => path.startsWith("/var/lib/holdfast/secrets/")),
    ).toBe(true);
    expect(await end.server.must(["journalctl", "--no-pager", "-q"])).not.toContain(secret);
    const confirmed = await lookWhole(end.server);
    end.agent.letGo();
    await end.server.reboot();
    await until("strongSwan to be there", async () => (await lookWhole(end.server)) === confirmed, 30_000);
  }
  await untilItPasses();
  await noDrift();
});

test("a certificate that has ended is refused in words, and the one of before goes on", async () => {
  const said = await refusedWith(await issued(2, {}, Date.now() - 400 * DAY_MS));
  expect(said).toMatch(/not valid|AUTHENTICATION_FAILED/);
  await untilItPasses();
});

test("a certificate of another authority is refused, though it says the right name", async () => {
  const foreign = await tunnelAuthority();
  const stolen = await issued(3, { b: foreign });
  const honest = await issued(3);
  const before = await states();
  // The answering end expects the honest certificate; the caller has a foreign one of the same name.
  await putPrivateKey(a.server, honest.a);
  await putPrivateKey(b.server, stolen.b);
  const trialA = await onTrial(a, bothEnds({ certificates: 3 }, [honest.a.secret, honest.b.secret]).a);
  const id = await prepared(b, bothEnds({ certificates: 3 }, [honest.a.secret, stolen.b.secret]).b);
  expect(words(await b.agent.execute(id, makeNonce()))).toContain("AUTHENTICATION_FAILED");
  await abort(a, trialA);
  await until("both to be as they were", async () => (await states()).join() === before.join(), 30_000);
  await untilItPasses();
});

test("an older certificate of the same authority and name is refused once another one is expected", async () => {
  const before = await states();
  const ends = await placed(second);
  const trialA = await onTrial(a, ends.a);
  // The caller goes on with the first of its certificates, which has not ended.
  const mixed = bothEnds({ certificates: 2 }, [second.a.secret, { ...first.b.secret, version: 2 }]);
  await putPrivateKey(b.server, { ...first.b, secret: { ...first.b.secret, version: 2 } });
  const id = await prepared(b, mixed.b);
  expect(words(await b.agent.execute(id, makeNonce()))).toContain("AUTHENTICATION_FAILED");
  await abort(a, trialA);
  await until("both to be as they were", async () => (await states()).join() === before.join(), 30_000);
  await untilItPasses();
});

test("renewed on both ends packets pass, the keys of before are gone, and drift of a key is seen and mended", async () => {
  const ends = await placed(second);
  const trialA = await onTrial(a, ends.a);
  const trialB = await onTrial(b, ends.b);
  await untilItPasses();
  await confirm(a, trialA);
  await confirm(b, trialB);
  for (const [{ server }, made, old] of [
    [a, second.a, first.a],
    [b, second.b, first.b],
  ] as const) {
    expect(await server.must(["ls", "/etc/swanctl/private"])).toBe(`holdfast-${made.issued.keyId}.pem\n`);
    // Its own, the other end's and the authority's.
    expect((await server.must(["ls", "/etc/swanctl/conf.d"])).match(/holdfast-[0-9a-f]{16}\.pem/g)).toHaveLength(3);
    expect(await server.must(["ls", "/var/lib/holdfast/secrets"])).not.toContain(old.secret.fingerprint);
  }
  await noDrift();
  await b.server.writeFile("/run/empty.conf", "");
  await b.server.must(["swanctl", "--load-creds", "--clear", "--noprompt", "--file", "/run/empty.conf"]);
  await b.server.must(["rm", "-f", "/run/empty.conf"]);
  const now = await drift(b);
  expect(now).toMatchObject({ error: "" });
  await confirm(b, await onTrial(b, ends.b, true));
  await noDrift();
  await untilItPasses();
});

test("released, nothing of ours is left on either end", async () => {
  for (const end of [a, b]) {
    await confirm(end, await onTrial(end, null, true));
    expect(await end.server.must(["swanctl", "--list-conns"])).toBe("");
    const files = "ls /etc/swanctl/private /etc/swanctl/conf.d /var/lib/holdfast/secrets";
    expect((await end.server.exec(["sh", "-c", files])).stdout).not.toContain(".pem");
    expect(await end.server.must(["ls", "/etc/swanctl/conf.d"])).toBe("");
  }
});
