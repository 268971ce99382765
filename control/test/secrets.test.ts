/** The store of secrets on a real database, asked through the API: what is written comes out nowhere but sealed for a server. */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detect } from "@holdfast/core/alert/detect.ts";
import type { UserId } from "@holdfast/core/base/id.ts";
import { sealedAbout } from "@holdfast/proto/wire/sealed-secret.ts";
import type { SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { expect, onTestFinished, test, vi } from "vitest";
import { look } from "../src/alerts/look.ts";
import { newKey } from "../src/secrets/envelope.ts";
import { keySource } from "../src/secrets/key-source.ts";
import { SecretStore } from "../src/secrets/secret-store.ts";
import { systemActor } from "../src/store/actor.ts";
import { reportInstance } from "../src/store/instances.ts";
import { newId } from "../src/store/new-id.ts";
import { sql } from "../src/store/sql.ts";
import { transaction } from "../src/store/transaction.ts";
import { applied, bodyOf, planned, type Planned } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

/** Several rollouts over real TLS and a real database; on a busy machine they are slow, and a hang is still seen. */
vi.setConfig({ testTimeout: 60_000 });

const CANARY = "canary-5b1f0c6e-of-acme";
const OTHER = "canary-77d2a9e4-of-acme";
const EXTERNAL = `external: true, address: 192.0.2.44, identity: vpn.acme.example`;

const tunnel = (psk: string, b = "server: gw-b, address: dynamic"): string => `apiVersion: holdfast/v1
kind: Tunnel
name: pair
ends:
  a: { server: gw-a, address: 192.0.2.10, networks: 10.71.0.0/24 }
  b: { ${b}, networks: 10.72.0.0/24 }
via: policy
clearText: block
auth: { psk: "${psk}" } # who may in
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 10s, then: restart }
traffic: { default: drop, rules: [] }
`;

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-secrets-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every row of every table as text, byte columns as what they hold. */
async function everything({ test: { app } }: ApiHouse): Promise<string> {
  const tables = await app.rows<{ name: string }>(
    sql`select table_name as name from information_schema.tables where table_schema = 'holdfast' and table_type = 'BASE TABLE' order by 1`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await app.rows<Record<string, unknown>>({ text: `select * from ${name}`, values: [] });
    for (const row of rows)
      for (const value of Object.values(row))
        texts.push(Buffer.isBuffer(value) ? value.toString("latin1") : (JSON.stringify(value) ?? ""));
  }
  return texts.join("\n");
}

const put = (api: ApiHouse, token: string, name: string, value: string, etag: string) =>
  api.ask(token, "putSecret", { params: { name }, body: { value }, headers: { "if-match": `"${etag}"` } });

async function pair(api: ApiHouse, token: string): Promise<readonly SimulatedAgent[]> {
  return [await api.server(token, "gw-a", {}), await api.server(token, "gw-b", {})];
}

/** What came sealed with the last Prepare, opened with the guard's half. */
function received(agent: SimulatedAgent): readonly (readonly [string, string])[] {
  const command = agent.commands.findLast(({ verb }) => verb.case === "prepare");
  if (command?.verb.case !== "prepare") return [];
  return command.verb.value.secrets.map(({ file, ephemeralKey, sealed }) => {
    const about = sealedAbout({ serverId: agent.identity.serverId, requestId: command.requestId, file });
    return [file, agent.sealing.open(ephemeralKey, sealed, about)?.toString("utf8") ?? "does not open"] as const;
  });
}

/** The one secret that came. */
function only(agent: SimulatedAgent | undefined): readonly [string, string] {
  const [one, ...more] = agent === undefined ? [] : received(agent);
  if (one === undefined || more.length > 0) throw new Error("not exactly one secret came");
  return one;
}

/** A house with more secrets than are wrapped anew at once, its key in a file, and other processes with the same file. */
async function house60(api: ApiHouse) {
  const { database } = api.house;
  const folder = scratch();
  const by = systemActor("test", api.house.instanceId);
  const source = keySource({ kind: "file" }, folder);
  const open = () => new SecretStore(keySource({ kind: "file" }, folder));
  const { id: madeBy } = await database.one<{ id: UserId }>(sql`select id from users limit 1`);
  const names = Array.from({ length: 60 }, (_, count) => `acme-${count}`);
  const store = open();
  const made = await transaction(database, async (tx) => {
    for (const name of names)
      await store.add(tx, { name, version: 1, value: `${CANARY}-${name}`, boundTo: "", madeBy }, by);
  });
  if (!made.ok) throw made.error;
  return { by, source, open, names };
}

test("S33: a value is written, counted and fingerprinted; nobody reads it, and two writers do not overwrite each other", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    expect((await api.ask(kim, "putSecret", { params: { name: "acme" }, body: { value: CANARY } })).json.code).toBe(
      "etag.missing",
    );
    const first = await put(api, kim, "acme", CANARY, "0");
    expect([first.status, first.headers["etag"], first.json.versions.length]).toEqual([200, '"1"', 1]);
    expect((await put(api, kim, "acme", OTHER, "0")).json).toMatchObject({ code: "etag.moved", status: 412 });
    expect((await put(api, kim, "acme", CANARY, "1")).json.code).toBe("secret.same_value");
    expect((await put(api, kim, "acme", OTHER, "1")).json.versions).toMatchObject([{ version: 1 }, { version: 2 }]);
    for (const [name, value] of [
      ["acme", "too short"],
      ["acme", "with a space in it, and long"],
      ["Acme", CANARY],
      ["tunnel.pair", CANARY],
    ] as const) {
      const refused = await put(api, kim, name, value, "2");
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify(refused.json)).not.toContain(value);
    }
    const torn = await api.app.inject({
      method: "PUT",
      url: "/api/v1/secrets/acme",
      headers: { authorization: `Bearer ${kim}`, "if-match": '"2"', "content-type": "application/json" },
      payload: `{"value": ${CANARY}`,
    });
    expect([torn.statusCode, torn.body.includes(CANARY.slice(0, 8))]).toEqual([400, false]);
    const listed = await api.done(kim, "listSecrets");
    expect(listed.items).toMatchObject([{ name: "acme", kind: "written", usedBy: [], etag: "2" }]);
    const [one, two] = listed.items[0]?.versions ?? [];
    expect([one?.madeBy, one?.fingerprint === two?.fingerprint]).toEqual(["kim", false]);
    const said = (await api.done(kim, "listAudit", { query: { object: "secret/acme" } })).items;
    expect(said.map(({ action, new: now }) => [action, (now as { fingerprint: string }).fingerprint])).toEqual([
      ["secret.version_added", two?.fingerprint],
      ["secret.created", one?.fingerprint],
    ]);
    const scoped = await api.account("lee", [{ permission: "edit", scope: { role: "web" }, domains: null }]);
    expect((await put(api, scoped, "acme", CANARY, "2")).json.code).toBe("access.out_of_scope");
    expect(
      (await api.ask(kim, "deleteSecret", { params: { name: "acme" }, headers: { "if-match": '"1"' } })).json.code,
    ).toBe("etag.moved");
    await api.done(kim, "deleteSecret", { params: { name: "acme" }, headers: { "if-match": '"2"' } });
    expect((await api.done(kim, "listSecrets")).items).toEqual([]);
    const all = await everything(api);
    for (const value of [CANARY, OTHER]) expect(all).not.toContain(value);
  });
});

test("S32: a generated key is made with the change, reaches both servers sealed, and a rotation is a change like any other", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agents = await pair(api, kim);
    const change = await planned(api, kim, [tunnel("generated")]);
    expect(change.plans.map((plan) => plan.status)).toEqual(["planned", "planned"]);
    expect((await applied(api, kim, change)).state).toBe("DONE");
    const [file, key] = only(agents[0]);
    const other = received(agents[1] as SimulatedAgent);
    expect(file).toMatch(/^tunnel\.pair\.1\.[0-9a-f]{16}$/);
    expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(other).toEqual([[file, key]]);

    // The same request again, as after a lost answer: one rotation, one change.
    const asking = { params: { name: "tunnel.pair" }, body: {}, headers: { "idempotency-key": "rotate-once-1" } };
    const rotation = await api.done(kim, "rotateSecret", asking);
    expect((await api.ask(kim, "rotateSecret", asking)).headers["idempotent-replayed"]).toBe("true");
    expect(rotation.content).toMatchObject([
      { kind: "Tunnel", name: "pair", text: tunnel("generated").replace('"generated"', "generated@2") },
    ]);
    const next = await api.done(kim, "planChange", { params: { id: rotation.id }, body: {} });
    expect((await applied(api, kim, next)).state).toBe("DONE");
    const [second, newer] = only(agents[0]);
    expect([second.startsWith("tunnel.pair.2."), newer === key]).toEqual([true, false]);
    expect(received(agents[1] as SimulatedAgent)).toEqual([[second, newer]]);

    // Back to the revision before: the key of before comes with it.
    const back = await api.done(kim, "planRollback", { params: { id: rotation.id }, body: {} });
    const rollback = await api.done(kim, "rollbackChange", {
      params: { id: rotation.id },
      body: bodyOf(back, "rollback"),
    });
    await api.until(async () => {
      const { state } = await api.done(kim, "getRollout", { params: { id: rollback.id } });
      return state === "DONE" ? true : undefined;
    }, "the rollback to end");
    expect(received(agents[0] as SimulatedAgent)).toEqual([[file, key]]);

    expect(
      (await api.ask(kim, "deleteSecret", { params: { name: "tunnel.pair" }, headers: { "if-match": '"2"' } })).json
        .code,
    ).toBe("secret.in_use");
    expect(
      (await api.ask(kim, "rotateSecret", { params: { name: "tunnel.pair" }, body: { value: CANARY } })).json.code,
    ).toBe("secret.generated");
    const all = await everything(api);
    for (const value of [key, newer]) expect(all).not.toContain(value);
    expect(all).toContain(file);
  });
});

test("a written secret for a foreign end: rotated with a value, outdated versions are said, drafts hold it", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const [a] = await pair(api, kim);
    const missing = await planned(api, kim, [tunnel("secret:acme", EXTERNAL)]);
    expect(missing.plans[0]?.findings.map(({ code }) => code)).toContain("compose.unknown_secret");
    await put(api, kim, "acme", CANARY, "0");
    const change = await api.done(kim, "planChange", { params: { id: missing.id }, body: {} });
    expect((await api.done(kim, "listSecrets")).items[0]?.usedBy).toContainEqual({
      document: "Tunnel/pair",
      version: 1,
      as: "draft",
    });
    expect((await applied(api, kim, change)).state).toBe("DONE");
    expect(received(a as SimulatedAgent)).toEqual([[expect.stringMatching(/^acme\.1\./), CANARY]]);
    expect((await api.ask(kim, "rotateSecret", { params: { name: "acme" }, body: {} })).json.code).toBe(
      "secret.value_needed",
    );
    expect((await api.ask(kim, "rotateSecret", { params: { name: "acme" }, body: { value: CANARY } })).json.code).toBe(
      "secret.same_value",
    );
    const key = { "idempotency-key": "rotate-acme-1" };
    const rotation = await api.done(kim, "rotateSecret", {
      params: { name: "acme" },
      body: { value: OTHER },
      headers: key,
    });
    expect(
      (await api.ask(kim, "rotateSecret", { params: { name: "acme" }, body: { value: CANARY }, headers: key })).json
        .code,
    ).toBe("idempotency.other_request");
    const next = await api.done(kim, "planChange", { params: { id: rotation.id }, body: {} });
    expect((await applied(api, kim, next)).state).toBe("DONE");
    expect(received(a as SimulatedAgent)).toEqual([[expect.stringMatching(/^acme\.2\./), OTHER]]);
    const all = await everything(api);
    for (const value of [CANARY, OTHER]) expect(all).not.toContain(value);
  });
});

test("keys of people: each reaches the server, one is rotated where it stands, and that of a revoked person can be deleted", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const [a] = await pair(api, kim);
    const people = `address: dynamic, people: { alice: { identity: a@example.com, psk: "secret:vpn-alice" }, bob: { identity: b@example.com, psk: "secret:vpn-bob" } }`;
    const staff = tunnel("each", people).replace("then: restart", "then: clear");
    await put(api, kim, "vpn-alice", CANARY, "0");
    await put(api, kim, "vpn-bob", OTHER, "0");
    expect((await applied(api, kim, await planned(api, kim, [staff]))).state).toBe("DONE");
    expect(received(a as SimulatedAgent)).toEqual([
      [expect.stringMatching(/^vpn-alice\.1\./), CANARY],
      [expect.stringMatching(/^vpn-bob\.1\./), OTHER],
    ]);
    expect((await api.ask(kim, "rotateSecret", { params: { name: "vpn-bob" }, body: {} })).json.code).toBe(
      "secret.value_needed",
    );
    const value = "canary-of-bob-the-second";
    const rotation = await api.done(kim, "rotateSecret", { params: { name: "vpn-bob" }, body: { value } });
    const next = await api.done(kim, "planChange", { params: { id: rotation.id }, body: {} });
    expect((await applied(api, kim, next)).state).toBe("DONE");
    expect(received(a as SimulatedAgent)).toContainEqual([expect.stringMatching(/^vpn-bob\.2\./), value]);
    const { text, revision } = await api.done(kim, "getDocument", { params: { kind: "Tunnel", name: "pair" } });
    expect(text).toContain('psk: "secret:vpn-alice" }, bob: { identity: b@example.com, psk: "secret:vpn-bob@2" }');
    const remove = { params: { name: "vpn-bob" }, headers: { "if-match": '"2"' } };
    expect((await api.ask(kim, "deleteSecret", remove)).json.code).toBe("secret.in_use");
    const revoked = (text ?? "").replace("b@example.com,", "b@example.com, revoked: gone,");
    const last = await api.done(kim, "createChange", {
      body: { title: "bob has left", documents: [{ text: revoked, baseRevision: revision }] },
    });
    const plan = await api.done(kim, "planChange", { params: { id: last.id }, body: {} });
    expect((await applied(api, kim, plan)).state).toBe("DONE");
    expect(received(a as SimulatedAgent)).toEqual([[expect.stringMatching(/^vpn-alice\.1\./), CANARY]]);
    await api.done(kim, "deleteSecret", remove);
  });
});

test("passwords of people: they and the server's private key reach the server alone; its certificate names what they call; one is rotated without another certificate", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const [a, b] = await pair(api, kim);
    const people = `address: dynamic, people: { alice: { identity: a@example.com, password: "secret:vpn-alice" }, bob: { identity: b@example.com, password: "secret:vpn-bob" } }`;
    const staff = tunnel("each", people)
      .replace('auth: { psk: "each" }', "auth: { certificate: generated }")
      .replace("address: 192.0.2.10,", "address: 192.0.2.10, hostname: vpn.example.com,")
      .replace("then: restart", "then: clear");
    await put(api, kim, "vpn-alice", CANARY, "0");
    const missing = await planned(api, kim, [staff]);
    expect(missing.plans[0]?.findings).toContainEqual(
      expect.objectContaining({ code: "compose.unknown_secret", message: expect.stringContaining("vpn-bob") }),
    );
    await put(api, kim, "vpn-bob", OTHER, "0");
    const change = await api.done(kim, "planChange", { params: { id: missing.id }, body: {} });
    expect((await applied(api, kim, change)).state).toBe("DONE");
    const files = received(a as SimulatedAgent);
    expect(files.map(([file]) => file.split(".").slice(0, -2).join("."))).toEqual([
      "tunnel.pair--a",
      "vpn-alice",
      "vpn-bob",
    ]);
    expect(files.map(([, value]) => value)).toEqual(expect.arrayContaining([CANARY, OTHER]));
    expect(received(b as SimulatedAgent)).toEqual([]);
    const own = (await api.done(kim, "listSecrets")).items.find(({ name }) => name === "tunnel.pair--a");
    const { certificate } = own?.versions[0] ?? {};
    expect(new X509Certificate(certificate?.pem ?? "").subjectAltName?.split(", ").toSorted()).toEqual([
      "DNS:gw-a",
      "DNS:vpn.example.com",
      "IP Address:192.0.2.10",
    ]);

    const value = "canary-of-bob-the-second";
    const rotation = await api.done(kim, "rotateSecret", { params: { name: "vpn-bob" }, body: { value } });
    const next = await api.done(kim, "planChange", { params: { id: rotation.id }, body: {} });
    expect((await applied(api, kim, next)).state).toBe("DONE");
    expect(received(a as SimulatedAgent)).toContainEqual([expect.stringMatching(/^vpn-bob\.2\./), value]);
    const again = (await api.done(kim, "listSecrets")).items.find(({ name }) => name === "tunnel.pair--a");
    expect(again?.versions.length).toBe(1);
    const renewal = await api.done(kim, "rotateSecret", { params: { name: "tunnel.pair" }, body: {} });
    const renewed = await api.done(kim, "planChange", { params: { id: renewal.id }, body: {} });
    expect((await applied(api, kim, renewed)).state).toBe("DONE");
    expect(received(a as SimulatedAgent).map(([file]) => file)).toContainEqual(
      expect.stringMatching(/^tunnel\.pair--a\.2\./),
    );

    // Another address is another certificate: devices would not believe the old one.
    const { text, revision } = await api.done(kim, "getDocument", { params: { kind: "Tunnel", name: "pair" } });
    const moved = await api.done(kim, "createChange", {
      body: {
        title: "moved",
        documents: [{ text: (text ?? "").replace("vpn.example.com", "in.example.com"), baseRevision: revision }],
      },
    });
    const plan = await api.done(kim, "planChange", { params: { id: moved.id }, body: {} });
    expect(plan.plans[0]?.findings).toContainEqual(
      expect.objectContaining({
        code: "compose.key_of_other_ends",
        message: expect.stringContaining("in.example.com"),
      }),
    );
    const all = await everything(api);
    for (const secret of [CANARY, OTHER, value]) expect(all).not.toContain(secret);
  });
});

test("S16: who uses a secret is told without the servers that the reader may not see", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agents = await pair(api, kim);
    const change = await planned(api, kim, [tunnel("generated")]);
    const held = Promise.withResolvers<void>();
    for (const agent of agents) agent.onCall = (method) => (method === "prepare" ? held.promise : undefined);
    await api.done(kim, "applyChange", { params: { id: change.id }, body: bodyOf(change) });
    const users = async (token: string) =>
      (await api.done(token, "listSecrets")).items.flatMap(({ usedBy }) => usedBy.map((use) => use.document));
    const document = await api.until(
      async () => (await users(kim)).find((user) => user.startsWith("Server/")),
      "a config to be under way",
    );
    const canary = document.slice("Server/".length);
    const elsewhere = { server: canary === "gw-a" ? "gw-b" : "gw-a" };
    const lee = await api.account("lee", [{ permission: "view", scope: elsewhere, domains: null }]);
    const max = await api.account("max", [
      { permission: "view", scope: elsewhere, domains: null },
      { permission: "edit", scope: { all: true }, domains: null },
    ]);
    for (const token of [lee, max]) expect(new Set(await users(token))).toEqual(new Set(["Tunnel/pair"]));
    const refused = await api.ask(max, "deleteSecret", {
      params: { name: "tunnel.pair" },
      headers: { "if-match": '"1"' },
    });
    expect(refused.json.code).toBe("secret.in_use");
    expect(refused.json.detail).toContain("servers that you may not see");
    expect(refused.json.detail).not.toContain(canary);
    held.resolve();
  });
});

test("another server at an end gets no key that the one before it knows", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agents = await pair(api, kim);
    await api.server(kim, "gw-c", {});
    expect((await applied(api, kim, await planned(api, kim, [tunnel("generated")]))).state).toBe("DONE");
    const moved = await planned(api, kim, [tunnel("generated", "server: gw-c, address: dynamic")]);
    expect(moved.plans.flatMap(({ findings }) => findings.map(({ code }) => code))).toContain(
      "compose.key_of_other_ends",
    );
    const renewed = await planned(api, kim, [tunnel("generated@2", "server: gw-c, address: dynamic")]);
    expect(renewed.plans.flatMap(({ findings }) => findings.map(({ code }) => code))).not.toContain(
      "compose.key_of_other_ends",
    );
    await applied(api, kim, renewed);
    expect(received(agents[0] as SimulatedAgent).map(([file]) => file)).toEqual([
      expect.stringMatching(/^tunnel\.pair\.2\./),
    ]);
  });
});

test("S13: a key is made by whoever may edit both ends, and its versions are counted", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await pair(api, kim);
    const may = (permission: "view" | "edit", server: string, domains: string[] | null = null) => ({
      permission,
      scope: { server },
      domains,
    });
    const lee = await api.account("lee", [may("view", "gw-a"), may("edit", "gw-a")]);
    const max = await api.account("max", [may("edit", "gw-a"), may("edit", "gw-b", ["firewall"]), may("view", "gw-a")]);
    const kept = async () => (await api.done(kim, "listSecrets")).items.flatMap(({ versions }) => versions.length);
    const write = (token: string, psk: string) =>
      api.ask(token, "createChange", { body: { title: "t", documents: [{ text: tunnel(psk) }] } });
    const draft = (await write(lee, "generated")).json as { id: string };
    for (const token of [lee, max])
      expect((await api.ask(token, "planChange", { params: { id: draft.id }, body: {} })).json.code).toBe(
        "access.out_of_scope",
      );
    expect(await kept()).toEqual([]);
    const change = await api.done(kim, "planChange", { params: { id: draft.id }, body: {} });
    expect([await kept(), change.plans.map((plan) => plan.status)]).toEqual([[1], ["planned", "planned"]]);
    expect((await applied(api, kim, change)).state).toBe("DONE");
    for (const token of [lee, max])
      expect((await api.ask(token, "rotateSecret", { params: { name: "tunnel.pair" }, body: {} })).json.code).toBe(
        "access.out_of_scope",
      );
    const jump = await write(kim, "generated@999999");
    expect(jump.json).toMatchObject({ status: 422, code: "secret.not_next" });
    expect(jump.json.detail).toContain("the next one is generated@2.");
    expect((await write(lee, "generated@3")).json.code).toBe("secret.not_next");
    expect(await kept()).toEqual([1]);
    expect((await write(kim, "generated@2")).status).toBe(201);
    expect(await kept()).toEqual([2]);
  });
});

test("S29, S32: the key-encryption key is changed without a pause: stopped at any step, everything stays readable and the next call goes on", async () => {
  await withApi(async (api) => {
    const { database } = api.house;
    const folder = scratch();
    const by = systemActor("test", api.house.instanceId);
    const kim = await api.account("kim", EVERYTHING);
    const path = join(folder, "secrets.key");
    const source = keySource({ kind: "file" }, folder);
    const open = () => new SecretStore(keySource({ kind: "file" }, folder));
    Object.assign(api.house, { secrets: open() });
    for (let count = 0; count < 5; count += 1) await put(api, kim, `acme-${count}`, `${CANARY}-${count}`, "0");
    const readable = async (store: SecretStore): Promise<boolean> => {
      for (let count = 0; count < 5; count += 1)
        if ((await store.value(database, `acme-${count}`, 1)) !== `${CANARY}-${count}`) return false;
      return true;
    };
    const print = async () => (await api.done(kim, "listSecrets")).items.map((one) => one.versions[0]?.fingerprint);
    const before = await print();
    const first = readFileSync(path, "utf8");

    // Stopped after the file has both keys, after all rows, and (below) after some: each time one that begins with the file finds all of it readable.
    const [old] = (await source.read()).ok ? [Buffer.from(first.trim(), "base64")] : [];
    if (old === undefined) throw new Error("there is no key");
    await source.replace?.([newKey(), old]);
    expect(await readable(open())).toBe(true);
    const failing = new SecretStore({
      ...source,
      replace: async () => {
        throw new Error("stopped");
      },
    });
    await expect(failing.rekey(database, by)).rejects.toThrow("stopped");
    expect(await readable(open())).toBe(true);
    const done = await open().rekey(database, by);
    expect(done.wrapped).toBe(0);
    const second = readFileSync(path, "utf8");
    expect(second.trim().split("\n")).toHaveLength(1);
    expect(second).not.toBe(first);
    // An instance that was running all the time reads the new key when it meets it.
    expect(await readable(api.house.secrets)).toBe(true);
    expect(await print()).toEqual(before);

    const full = new SecretStore({
      ...source,
      replace: () => Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "write" })),
    });
    await expect(full.rekey(database, by)).rejects.toMatchObject({ code: "secret.key_unwritable" });
    const some = await api.account("some", [{ permission: "admin", scope: { role: "web" }, domains: null }]);
    expect((await api.ask(some, "rekeySecrets", { body: {} })).json.code).toBe("access.out_of_scope");
    const third = await api.done(kim, "rekeySecrets", { body: {} });
    expect([third.wrapped, await readable(open())]).toEqual([5, true]);
    // Another instance has a copy of the file: it is not left without the key that everything is wrapped with.
    await reportInstance(database, newId(), "another");
    expect((await api.ask(kim, "rekeySecrets", { body: {} })).json.code).toBe("secret.one_key");
    const actions = (await api.done(kim, "listAudit", { query: { object: "secrets" } })).items;
    expect(actions.map(({ action }) => action)).toEqual(["secrets.key_changed", "secrets.key_changed"]);

    // The database alone, with another key, opens nothing and makes nothing.
    writeFileSync(path, `${newKey().toString("base64")}\n`, { mode: 0o600 });
    const stranger = open();
    await expect(stranger.value(database, "acme-0", 1)).rejects.toMatchObject({ code: "secret.key_missing" });
    expect(await stranger.problem(database)).toContain("which is not in");
    Object.assign(api.house, { secrets: stranger });
    await api.server(kim, "gw-a", {});
    const stuck = await planned(api, kim, [tunnel("secret:acme-0", EXTERNAL)]);
    expect(stuck.plans).toMatchObject([{ status: "refused", planDigest: null }]);
    expect(stuck.plans[0]?.findings.map(({ code }) => code)).toContain("plan.secrets_locked");
    expect((await put(api, kim, "more", CANARY, "0")).json).toMatchObject({ code: "secret.key_missing", status: 503 });
  });
});

test("S32: stopped between two rows, each secret opens with the key that its own row names, and the next call does the rest", async () => {
  await withApi(async (api) => {
    const { database } = api.house;
    const { open, names, by } = await house60(api);
    // Rows are taken in the order in which they were made, some at once: the last lot is the one that fails.
    await api.test.owner.run(
      sql`create function stopped() returns trigger language plpgsql as $$ begin raise exception 'stopped'; end $$`,
    );
    await api.test.owner.run(
      sql`create trigger stopped before update on secrets for each row when (old.name = 'acme-59') execute function stopped()`,
    );
    await expect(open().rekey(database, by)).rejects.toThrow("stopped");
    const kept = await database.rows<{ count: number }>(sql`select count(*) from secrets group by key_id`);
    expect(kept.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual([10, 50]);
    for (const name of names) expect(await open().value(database, name, 1)).toBe(`${CANARY}-${name}`);
    await api.test.owner.run(sql`drop trigger stopped on secrets`);
    expect(await open().rekey(database, by)).toMatchObject({ wrapped: 10 });
    for (const name of names) expect(await open().value(database, name, 1)).toBe(`${CANARY}-${name}`);
  });
});

test("S32: two who change the key at once do it one after another: neither takes the other's key out of the file", async () => {
  await withApi(async (api) => {
    const { database } = api.house;
    const { open, names, by, source } = await house60(api);
    const arrived = Promise.withResolvers<void>();
    const mayWrite = Promise.withResolvers<void>();
    const second = new SecretStore({
      ...source,
      replace: async (keys) => {
        arrived.resolve();
        await mayWrite.promise;
        await source.replace?.(keys);
      },
    });
    let other: Promise<unknown> = Promise.resolve();
    let calls = 0;
    const first = new SecretStore({
      ...source,
      replace: async (keys) => {
        calls += 1;
        // Stopped before it forgets the old key; meanwhile the other one came as far as it could come.
        if (calls === 2) throw new Error("stopped");
        other = second.rekey(database, by);
        const waits = api.until(async () => {
          const { count } = await database.one<{ count: number }>(
            sql`select count(*) from pg_locks where locktype = 'advisory' and not granted
                and database = (select oid from pg_database where datname = current_database())`,
          );
          return count > 0 ? true : undefined;
        }, "the other one to wait");
        await Promise.race([arrived.promise, waits]);
        await source.replace?.(keys);
      },
    });
    await expect(first.rekey(database, by)).rejects.toThrow("stopped");
    mayWrite.resolve();
    await Promise.allSettled([other]);
    for (const name of names) expect(await open().value(database, name, 1)).toBe(`${CANARY}-${name}`);
    const store = open();
    const both = await Promise.all([store.rekey(database, by), store.rekey(database, by)]);
    expect(new Set(both.map(({ keyId }) => keyId)).size).toBe(2);
    for (const name of names) expect(await open().value(database, name, 1)).toBe(`${CANARY}-${name}`);
  });
});

test("S32: the house never moves to a key that the file does not have in its first line", async () => {
  await withApi(async (api) => {
    const { database } = api.house;
    const { open, names, by, source } = await house60(api);
    const before = await database.one(sql`select key_id from secret_house`);
    const overwritten = new SecretStore({
      ...source,
      replace: async (keys) => source.replace?.([newKey(), ...keys.slice(1)]),
    });
    await expect(overwritten.rekey(database, by)).rejects.toMatchObject({ code: "secret.key_missing" });
    expect(await database.one(sql`select key_id from secret_house`)).toEqual(before);
    for (const name of names) expect(await open().value(database, name, 1)).toBe(`${CANARY}-${name}`);
  });
});

test("one key that only a person can change is not changed; a moved row does not open", async () => {
  await withApi(async (api) => {
    const { database } = api.house;
    const kim = await api.account("kim", EVERYTHING);
    const text = newKey().toString("base64");
    Object.assign(api.house, { secrets: new SecretStore(keySource({ kind: "environment", text }, "")) });
    await put(api, kim, "one", CANARY, "0");
    await put(api, kim, "two", OTHER, "0");
    expect((await api.ask(kim, "rekeySecrets", { body: {} })).json.code).toBe("secret.one_key");
    const both = new SecretStore(
      keySource({ kind: "environment", text: `${newKey().toString("base64")} ${text}` }, ""),
    );
    expect(await both.rekey(database, systemActor("test", api.house.instanceId))).toMatchObject({ wrapped: 2 });
    await api.test.owner.run(
      sql`update secret_versions set sealed = (select v.sealed from secret_versions v join secrets s on s.id = v.secret_id where s.name = 'two')`,
    );
    await expect(both.value(database, "one", 1)).rejects.toMatchObject({ code: "secret.damaged" });
    expect(await both.value(database, "two", 1)).toBe(OTHER);
  });
});

test("a key that is older than its tunnel says is told in the plan and by an alert, until the new one is in force", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await pair(api, kim);
    const text = tunnel("generated").replace('"generated" }', '"generated", rotate: 90d }');
    expect((await applied(api, kim, await planned(api, kim, [text]))).state).toBe("DONE");
    const due = async () => {
      const facts = await look(api.house.database);
      return detect(facts).flatMap(({ kind, subject }) => (kind === "key-due" ? [`${kind} ${subject}`] : []));
    };
    const codes = (change: Planned) => [
      ...new Set(change.plans.flatMap(({ findings }) => findings.map(({ code }) => code))),
    ];
    const again = (why: string) => `${text}description: ${why}\n`;
    expect(await due()).toEqual([]);
    const [secret] = (await api.done(kim, "listSecrets")).items;
    const [version] = secret?.versions ?? [];
    expect(Date.parse(version?.dueAt ?? "") - Date.parse(version?.madeAt ?? "")).toBe(90 * 86_400_000);
    expect(codes(await planned(api, kim, [again("fresh")], "fresh"))).not.toContain("plan.key_due");

    await api.test.owner.run(sql`update holdfast.secret_versions set made_at = now() - interval '91 days'`);
    expect(await due()).toEqual(["key-due secret/tunnel.pair"]);
    expect(codes(await planned(api, kim, [again("old")], "old"))).toContain("plan.key_due");

    // One press: the new version at both ends, as a change like any other.
    const draft = await api.done(kim, "rotateSecret", { params: { name: "tunnel.pair" }, body: { reason: "due" } });
    const change = await api.done(kim, "planChange", { params: { id: draft.id }, body: {} });
    expect(codes(change)).not.toContain("plan.key_due");
    expect((await applied(api, kim, change)).state).toBe("DONE");
    expect(await due()).toEqual([]);
  });
});

test("how old a key may become is said of keys that Holdfast knows the age of, in days", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await pair(api, kim);
    const refused = async (auth: string) => {
      const text = tunnel("generated").replace('auth: { psk: "generated" }', `auth: { ${auth} }`);
      const answer = await api.ask(kim, "createChange", { body: { title: "no", documents: [{ text }] } });
      return JSON.stringify(answer.json);
    };
    expect(await refused('psk: "file:first", rotate: 90d')).toContain("does not know how old a key is");
    expect(await refused('psk: "generated", rotate: 1h')).toContain("make sense here");
  });
});
