import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { apiWords } from "../src/support/api-words.ts";
import { redactor } from "../src/support/redact.ts";
import { tar } from "../src/support/tar.ts";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";
import { apply } from "./specimens.ts";

const words = apiWords(["listAlerts", "listApplies", "listAudit"]);
let api: ApiDouble;
let folder: string;
beforeEach(async () => {
  api = await ApiDouble.start();
  folder = mkdtempSync(path.join(tmpdir(), "holdfast-support-"));
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

const page = (...items: unknown[]) => ({ json: { items, nextCursor: null } });
const refusal = (code: string) => ({
  status: 403,
  json: { type: "t", title: "t", status: 403, code, detail: "It needs admin.", remedy: "Ask.", requestId: "r" },
});

/** A house in which everything is empty, but for what a test says. */
function emptyHouse(): ApiDouble {
  for (const list of [
    "servers",
    "documents",
    "users",
    "secrets",
    "changes",
    "rollouts",
    "applies",
    "alerts",
    "deliveries",
    "audit",
  ])
    api.on(`GET /${list}`, page());
  return api.on("GET /doctor", { json: { rows: [] } }).on("GET /audit/verify", { json: { intact: true } });
}

async function makeBundle(): Promise<{ readonly file: string; readonly all: string; read(name: string): unknown }> {
  const file = path.join(folder, "b.tar.gz");
  const ran = await runCli(["support", "bundle", "--out", file], { url: api.url });
  expect([ran.stderr, ran.exitCode]).toEqual(["", 0]);
  const taken = (...names: string[]): string => execFileSync("tar", ["-xzOf", file, ...names], { encoding: "utf8" });
  return { file, all: taken(), read: (name) => JSON.parse(taken(name)) as unknown };
}

test("the bundle holds what a maintainer needs and nothing that names the house", async () => {
  const failed = apply({
    state: "FAILED",
    effect: "restore_failed",
    code: "firewall.x",
    message: "web-1 at 203.0.113.7 said no",
  });
  emptyHouse()
    .on("GET /doctor", {
      json: { rows: [{ id: "agents", holds: false, evidence: "away: web-1, web-10; at https://hf.acme.example/x" }] },
    })
    .on("GET /servers", page({ id: "s1", name: "web-1", labels: { customer: "acme" } }, { id: "s2", name: "web-10" }))
    .on("GET /documents", page({ kind: "Policy", name: "acme-web" }, { kind: "Server", name: "web-1" }))
    .on("GET /users", page({ name: "kim" }))
    .on("GET /changes", page({ id: "c", title: "for acme", author: "kim" }))
    .on("GET /applies", page(failed))
    .on(`GET /applies/${failed.id}`, {
      json: { ...failed, message: "web-1 at 203.0.113.7 and 2001:db8::7: no", secretThing: "x" },
    })
    .on("GET /alerts", page({ kind: "drift", message: "web-10 drifted from aa:bb:cc:dd:ee:ff" }))
    .on("GET /audit", refusal("access.permission_missing"));
  const { file, all, read } = await makeBundle();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // The system's own tar reads it.
  const names = execFileSync("tar", ["-tzf", file], { encoding: "utf8" }).trimEnd().split("\n");
  expect(names).toEqual(expect.arrayContaining(["about.json", "doctor.json", "stories.json", "audit.json"]));
  for (const word of ["web-1", "web-10", "acme", "kim", "203.0.113.7", "2001:db8::7", "aa:bb:cc"])
    expect(all).not.toContain(word);
  expect(read("stories.json")).toMatchObject([
    {
      state: "FAILED",
      code: "firewall.x",
      message: "server-1 at address-1 and address-2: no",
      secretThing: "[left out]",
    },
  ]);
  expect(read("doctor.json")).toMatchObject({ rows: [{ evidence: "away: server-1, server-2; at https://url-1" }] });
  expect(read("audit.json")).toEqual({ notAnswered: "access.permission_missing" });
  // A file that is there is not written over.
  expect((await runCli(["support", "bundle", "--out", file], { url: api.url })).exitCode).toBe(1);
});

test("a name is hidden wherever it stands, also one of a later page, one that is new, and one that is gone", async () => {
  emptyHouse()
    .on(
      "GET /users",
      { json: { items: [{ name: "kim" }], nextCursor: "c1" } },
      page({ name: "lee.s" }, { name: "admin" }),
    )
    .on("GET /servers", { json: { items: [{ name: "web-1" }], nextCursor: "c1" } }, page({ name: "db-7" }))
    .on("GET /secrets", page({ name: "tunnel.acme" }))
    .on("GET /changes", page({ id: "c", items: [{ kind: "Policy", name: "not-yet" }], author: "lee.s" }))
    .on("GET /rollouts", page({ haltMessage: "kim halted it; not-yet was not on db-7, gone-3", requestedBy: "kim" }))
    .on("GET /applies", page(apply({ server: "gone-3" })))
    .on("GET /alerts", page({ message: "Kim's session, then lee.s. The key tunnel.acme of web-1.log" }))
    .on(
      "GET /audit",
      page(
        { actor: "kim", object: "user/0199a000-0000-7000-8000-000000000001", action: "user.changed" },
        { actor: "agent of db-7", object: "role/acme-night", action: "role.saved", resultCode: "ok" },
        { actor: "anonymous", object: "account/My Pa55 word", action: "session.asked" },
        { actor: "lee.s", object: "secret/tunnel.acme", action: "secret.written" },
      ),
    );
  const { all, read } = await makeBundle();
  for (const word of ["kim", "lee.s", "db-7", "web-1", "acme", "not-yet", "gone-3", "Pa55"])
    expect(all.toLowerCase()).not.toContain(word.toLowerCase());
  expect(read("rollouts.json")).toMatchObject({
    items: [{ haltMessage: "person-1 halted it; document-1 was not on server-2, server-3", requestedBy: "person-1" }],
  });
  expect(read("alerts.json")).toMatchObject({
    items: [{ message: "person-1's session, then person-2. The key secret-1 of server-1.log" }],
  });
  expect(read("audit.json")).toMatchObject({
    items: [
      { actor: "person-1", object: "user/0199a000-0000-7000-8000-000000000001", action: "user.changed" },
      { actor: "agent of server-2", object: "role/role-1", action: "role.saved", resultCode: "ok" },
      { actor: "anonymous", object: "account/person-4" },
      { actor: "person-2", object: "secret/secret-1" },
    ],
  });
  expect([read("accounts.json"), read("secrets.json")]).toEqual([{ count: 3 }, { count: 1 }]);
});

test("one name is one stand-in: a server's document does not rename the server", async () => {
  emptyHouse()
    .on("GET /servers", page({ name: "web-1" }))
    .on("GET /documents", page({ kind: "Server", name: "web-1" }, { kind: "Policy", name: "web" }))
    .on("GET /alerts", page({ server: "web-1", message: "web-1 has web" }));
  const { read } = await makeBundle();
  expect(read("servers.json")).toEqual({ items: [{ name: "server-1" }] });
  expect(read("documents.json")).toMatchObject({ items: [{ name: "server-1" }, { name: "document-1" }] });
  expect(read("alerts.json")).toMatchObject({ items: [{ server: "server-1", message: "server-1 has document-1" }] });
});

test.each([
  ["GET /servers", "servers"],
  ["GET /documents", "documents"],
  ["GET /users", "accounts"],
  ["GET /secrets", "secrets"],
])("without %s names could not be hidden: no file, and the words say why", async (route, what) => {
  emptyHouse().on(
    route,
    { json: { items: [{ name: "first" }], nextCursor: "c1" } },
    refusal("access.not_administrator"),
  );
  const ran = await runCli(["support", "bundle", "--out", path.join(folder, "b.tar.gz")], { url: api.url });
  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain(
    `access.not_administrator: The list of ${what} could not be read, so their names could not be hidden; no file was written. It needs admin. Ask.`,
  );
  expect(readdirSync(folder)).toEqual([]);
});

test("words of the API stay what they are although something of the house is called so", () => {
  const hiding = redactor(words);
  for (const name of ["state", "drift", "user", "apply", "critical"]) hiding.hide("person", name);
  expect(hiding.redact({ kind: "drift", severity: "critical", state: "open", code: "apply.late" })).toEqual({
    kind: "drift",
    severity: "critical",
    state: "open",
    code: "apply.late",
  });
  expect(hiding.redact({ message: "drift said so", actor: "drift" })).toEqual({
    message: "person-2 said so",
    actor: "person-2",
  });
});

test("no name leaves, whatever stands around it", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,12}$/).filter((word) => !/^(?:person|server)[._-]*$/.test(word));
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { minLength: 1, maxLength: 6 }),
      fc.array(fc.constantFrom("", " ", "-", "_", ".", "/", "'s ", ", ", "서버", "(", "no "), { maxLength: 8 }),
      fc.infiniteStream(fc.nat()),
      (names, between, picks) => {
        const hiding = redactor(words);
        for (const one of names) hiding.hide("person", one);
        const pick = (): string => names[(picks.next().value as number) % names.length] ?? "";
        const message = between.map((part) => `${part || " "}${pick()}`).join("");
        const hidden = (hiding.redact({ message }) as { message: string }).message;
        for (const one of names) {
          const bare = one.replace(/[._-]+$/, "").replaceAll(".", "\\.");
          expect(hidden.replaceAll(/person-\d+/g, "*"), message).not.toMatch(
            new RegExp(`(?<![a-z0-9._-])${bare}(?![a-z0-9._-])`, "i"),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("no address leaves, wherever it stands and however it is written", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV4(), fc.ipV6()),
      fc.constantFrom("", "on ", "tcp:", "(", "to="),
      fc.constantFrom("", ".", ", then", "/24", ")"),
      (address, before, after) => {
        const [hidden] = [redactor(words).redact({ message: `${before}${address}${after}` }) as { message: string }];
        if (["127.0.0.1", "0.0.0.0", "::1", "::"].includes(address)) return;
        expect(hidden.message).not.toContain(address);
      },
    ),
    { numRuns: 500 },
  );
});

test("times, ids and codes stay as they are", () => {
  const value = {
    at: "2026-01-02T03:04:05.678Z",
    id: "0199a000-0000-7000-8000-000000000001",
    code: "apply.probe_failed",
    actor: "system/saga",
    serverIs: "as_before",
    count: 7,
    nothing: null,
  };
  expect(redactor(words).redact(value)).toEqual(value);
});

test("an archive of files of any length is read by tar", () => {
  const files = [0, 1, 511, 512, 513, 5_000].map((size) => ({ name: `f${size}`, text: "x".repeat(size) }));
  const listed = execFileSync("tar", ["-tvf", "-"], { input: tar(files, 1_700_000_000), encoding: "utf8" });
  expect(
    listed
      .trimEnd()
      .split("\n")
      .map((line) => Number(/\s(\d+)\s/.exec(line)?.[1])),
  ).toEqual([0, 1, 511, 512, 513, 5_000]);
});
