import { randomBytes } from "node:crypto";
import { sql } from "@holdfast/control/store/sql.ts";
import { changeDetailSchema, rolloutSchema } from "@holdfast/core/api/change.ts";
import { secretSchema } from "@holdfast/core/api/secret.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import type { House } from "@holdfast/testkit/house/house.ts";
import { must } from "@holdfast/testkit/servers/child.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { TUNNEL_WITHIN_MS, TwoGateways, WINDOW_SECONDS } from "./two-gateways.ts";

/** Keys of a tunnel out of the store, through the whole house: packets pass, keys are changed on trial, and no value is anywhere that it need not be. */

/** A whole window of an end that waits in vain, and a tunnel that is begun again after it. */
vi.setConfig({ testTimeout: 300_000 });

const NOBODY_LISTENS = 4712;
/** A busy machine reads a whole disk. */
const LONG_SEARCH_MS = 120_000;
/** Files that are newer than this one were written by somebody here. */
const BEGINNING = "/var/beginning";
/** What is searched for everywhere. */
const CANARIES = Array.from({ length: 3 }, () => `canary-${randomBytes(16).toString("hex")}`);
const [FIRST = "", SECOND = "", THIRD = ""] = CANARIES;

let stage: TwoGateways;
let house: House;
let a: HouseServer;
let b: HouseServer;

beforeAll(async () => {
  stage = await TwoGateways.open();
  ({ house, a, b } = stage);
  for (const { machine } of [a, b]) await machine.writeFile(BEGINNING, "");
}, 240_000);
afterAll(() => stage.close());

const tunnel = (psk: string, expected?: number): string =>
  stage.tunnel(`{ psk: "${psk}" }`, expected === undefined ? {} : { port: expected });
const passes = (): Promise<boolean> => stage.passes();

const write = (name: string, value: string, etag: string) =>
  house.operator.call("putSecret", { params: { name }, body: { value }, ifMatch: etag, answer: secretSchema });

async function rotate(name: string, body: { readonly value?: string }): Promise<void> {
  const made = await house.operator.call("rotateSecret", { params: { name }, body, answer: changeDetailSchema });
  const planned = await house.operator.call("planChange", {
    params: { id: made.id },
    body: { trial: {} },
    answer: changeDetailSchema,
  });
  const rollout = await house.operator.applyPlanned(planned);
  expect((await house.operator.waitRollout(rollout?.id ?? "")).state).toBe("DONE");
}

/** Names of the files that came from the store, and what each holds. */
async function kept({ machine }: HouseServer): Promise<Readonly<Record<string, string>>> {
  const listed = await machine.must(["ls", "/var/lib/holdfast/secrets"]);
  const files = listed.split("\n").filter((name) => name !== "");
  const entries = files.map(async (name) => [
    name.replace(/\.[0-9a-f]{16}$/, ""),
    (await machine.must(["cat", `/var/lib/holdfast/secrets/${name}`])).trim(),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Record<string, string>;
}

/** What strongSwan has, by name. */
async function loadedKeys({ machine }: HouseServer): Promise<string> {
  return (
    (await machine.must(["swanctl", "--list-conns"])) +
    (await machine.must(["cat", "/var/lib/holdfast/vpn/loaded.json"]))
  );
}

const statesOf = (rollout: z.infer<typeof rolloutSchema>) =>
  rollout.waves.map((wave) => wave.servers.map((one) => `${one.server} ${one.apply?.state ?? ""}`).toSorted());

test("a written secret: both ends get it, packets pass, and strongSwan finds it again by itself", async () => {
  await write("pair-key", FIRST, "0");
  await house.operator.apply("Connect the two", [...stage.servers(), tunnel("secret:pair-key")]);
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  for (const one of [a, b]) {
    expect(await kept(one)).toEqual({ "pair-key.1": FIRST });
    const modes = await one.machine.must([
      "stat",
      "-c",
      "%a %U",
      "/var/lib/holdfast/secrets",
      "/var/lib/holdfast/sealing.key",
      "/etc/swanctl/conf.d/holdfast-keys.conf",
    ]);
    expect(modes.trim().split("\n")).toEqual(["700 root", "600 root", "600 root"]);
  }
  await b.machine.must(["systemctl", "restart", "strongswan.service"]);
  await until("packets to pass with what strongSwan has loaded by itself", passes, TUNNEL_WITHIN_MS, 500);
});

test("rotated: a change at both ends, confirmed when packets pass, and only then is the old key gone", async () => {
  await rotate("pair-key", { value: SECOND });
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  for (const one of [a, b]) expect(await kept(one)).toEqual({ "pair-key.2": SECOND });
});

test("a rotation that is not confirmed goes back to the old key at both ends", async () => {
  const before = [await loadedKeys(a), await loadedKeys(b)];
  await write("pair-key", THIRD, "2");
  const rollout = await house.operator.begin("A key that does not hold", [tunnel("secret:pair-key@3", NOBODY_LISTENS)]);
  const id = rollout?.id ?? "";
  await until(
    "the new key to be there beside the old one",
    async () => Object.keys(await kept(a)).length === 2,
    60_000,
    200,
  );
  expect((await house.operator.waitRollout(id)).state).toBe("HALTED");
  const get = () => house.operator.call("getRollout", { params: { id }, answer: rolloutSchema });
  await until(
    "both ends to be as before",
    async () => statesOf(await get()).join() === "gw-a ROLLED_BACK,gw-b ROLLED_BACK",
    3 * WINDOW_SECONDS * 1_000,
    500,
  );
  expect([await loadedKeys(a), await loadedKeys(b)]).toEqual(before);
  await until("packets to pass again", passes, TUNNEL_WITHIN_MS, 500);
  for (const one of [a, b]) expect((await kept(one))["pair-key.2"]).toBe(SECOND);
});

test("a generated key, and the next one: nobody has seen either, and the servers agree", async () => {
  await house.operator.apply("A key of its own", [tunnel("generated")]);
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  const first = await kept(a);
  expect(Object.keys(first)).toEqual(["tunnel.pair.1"]);
  expect(await kept(b)).toEqual(first);
  await rotate("tunnel.pair", {});
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  const second = await kept(b);
  expect(Object.keys(second)).toEqual(["tunnel.pair.2"]);
  expect(await kept(a)).toEqual(second);
  expect(second["tunnel.pair.2"]).not.toBe(first["tunnel.pair.1"]);
  CANARIES.push(first["tunnel.pair.1"] ?? "", second["tunnel.pair.2"] ?? "");
});

test("the key-encryption key is changed while all of it is in use, and the next change still finds its key", async () => {
  const rekeyed = await house.operator.call("rekeySecrets", { body: {}, answer: z.object({ wrapped: z.int() }) });
  expect(rekeyed.wrapped).toBe(2);
  await house.operator.apply("Back to the written one", [tunnel("secret:pair-key@2")]);
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  expect(await kept(a)).toEqual({ "pair-key.2": SECOND });
});

/** A value as it is, and as strongSwan's file has it. */
function forms(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => [
    value,
    Buffer.from(value, "utf8").toString("base64"),
    Buffer.from(value, "utf8").toString("hex"),
  ]);
}

test("S30: searched for everywhere: a value is in root's files of the servers that use it, and nowhere else", async () => {
  expect(CANARIES).toHaveLength(5);
  const needles = forms(CANARIES);
  const found = (text: string): readonly string[] => needles.filter((needle) => text.includes(needle));

  // The database, every row of every table, bytes as bytes; and its files with the write-ahead log, as a copy of the disk would have them.
  const tables = await house.database.rows<{ name: string }>(
    sql`select table_name as name from information_schema.tables where table_schema = 'holdfast' and table_type = 'BASE TABLE'`,
  );
  expect(tables.length).toBeGreaterThan(20);
  for (const { name } of tables) {
    const rows = await house.database.rows<Record<string, unknown>>({ text: `select * from ${name}`, values: [] });
    const values = rows.flatMap((row) => Object.values(row));
    const text = values
      .map((value) => (Buffer.isBuffer(value) ? value.toString("latin1") : JSON.stringify(value)))
      .join("\n");
    expect(found(text), name).toEqual([]);
  }
  const patterns = needles.flatMap((needle) => ["-e", needle]);
  const search = ["sh", "-c", '"$@" || true', "sh", "grep", "-rlaF", "--devices=skip", ...patterns, house.dataOf(0)];
  expect(await must(search, { timeoutMs: LONG_SEARCH_MS })).toBe("");
  expect(found(house.controlOutput())).toEqual([]);

  // Whatever the API answers to somebody who may see everything.
  const { operator } = house;
  const any = z.unknown();
  const list = z.object({ items: z.array(z.object({ id: z.string() })) });
  const answers: unknown[] = [];
  for (const route of ["listSecrets", "listDocuments", "listServers", "listRollouts", "doctor"] as const)
    answers.push(await operator.call(route, { answer: any }));
  answers.push(await operator.call("listAudit", { query: { limit: "200" }, answer: any }));
  answers.push(await operator.call("listRevisions", { params: { kind: "Tunnel", name: "pair" }, answer: any }));
  for (const { id } of (await operator.call("listChanges", { answer: list })).items)
    answers.push(await operator.call("getChange", { params: { id }, answer: any }));
  for (const { id } of (await operator.call("listApplies", { answer: list })).items)
    answers.push(await operator.call("getApply", { params: { id }, answer: any }));
  for (const name of ["gw-a", "gw-b"]) {
    for (const route of ["getServer", "getServerConfig", "getServerLive"] as const)
      answers.push(await operator.call(route, { params: { name }, answer: any }));
  }
  const said = JSON.stringify(answers);
  expect(said).toContain("pair-key.2.");
  expect(found(said)).toEqual([]);

  // The servers: ledger, snapshots, journal and all that is written.
  for (const { machine, name } of [a, b]) {
    // Every file that was written since the test began; what the machine itself has was never given to this server.
    const places = ["/etc", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr", "/var"];
    const changed = ["find", ...places, "-type", "f", "-cnewer", BEGINNING, "-exec"];
    const script = '"$@" 2>/dev/null | sort || true';
    const look = ["sh", "-c", script, "sh", ...changed, "grep", "-laF", ...patterns, "{}", "+"];
    const files = await machine.must(look, { timeoutMs: LONG_SEARCH_MS });
    const own = files
      .split("\n")
      .filter((file) => file !== "")
      .map((file) => file.replace(/\.[0-9a-f]{16}$/, ""));
    expect(own, name).toEqual(["/etc/swanctl/conf.d/holdfast-keys.conf", "/var/lib/holdfast/secrets/pair-key.2"]);
    const journal = await machine.exec(["journalctl", "--no-pager", "--output=export"]);
    expect(journal.stdout.length).toBeGreaterThan(1_000);
    expect(found(journal.stdout), name).toEqual([]);
  }
});

test("the tunnel taken out of force: its key goes with it", async () => {
  const made = await house.operator.call("createChange", {
    body: { title: "Part the two", documents: [], deletes: [{ kind: "Tunnel", name: "pair" }] },
    answer: z.object({ id: z.string() }),
  });
  const planned = await house.operator.call("planChange", {
    params: { id: made.id },
    body: { trial: {} },
    answer: changeDetailSchema,
  });
  const rollout = await house.operator.applyPlanned(planned);
  expect((await house.operator.waitRollout(rollout?.id ?? "")).state).toBe("DONE");
  for (const one of [a, b]) expect(await kept(one)).toEqual({});
  await house.operator.call("deleteSecret", { params: { name: "pair-key" }, ifMatch: "3", answer: z.unknown() });
});
