import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";

const [EXAMPLE = ""] = readFileSync(
  new URL("../../domains/src/vpn/examples/seoul-busan.yaml", import.meta.url),
  "utf8",
).split("---\n");
const AT = "2026-01-02T03:04:00.000Z";

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

function document(text: string | null, name = "seoul-busan") {
  return {
    kind: "Tunnel",
    name,
    revision: 4,
    text,
    author: "kim",
    at: AT,
    comment: "",
    digest: "d",
    etag: "e",
    deleted: text === null,
    inForceOn: [],
  };
}

function live(charon: unknown) {
  const domain = {
    domain: "vpn",
    observed: { ipsec: { charon } },
    liveDigest: "l",
    confirmedDigest: "c",
    drift: false,
    differences: [],
    error: "",
  };
  return { at: AT, generation: 1, bootId: "b", open: null, domains: [domain] };
}

const UP = {
  state: "up",
  sas: [
    {
      name: "holdfast-seoul-busan",
      state: "ESTABLISHED",
      remoteAddress: "198.51.100.7",
      establishedSeconds: 61,
      children: [{ state: "INSTALLED", bytesIn: 840, bytesOut: 168, rekeySeconds: 3000 }],
    },
  ],
};

test("both ends of a tunnel as they are now, also one that does not answer", async () => {
  api
    .on("GET /documents/Tunnel/seoul-busan", { json: document(EXAMPLE) })
    .on("GET /servers/gw-busan/live", { json: live(UP) })
    .on("GET /servers/gw-seoul/live", { json: live({ state: "down", why: "it does not run" }) });
  const { stdout, exitCode } = await runCli(["tunnel", "show", "seoul-busan"], { url: api.url });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("busan begins, strong-2026, clear text: block");
  expect(stdout).toMatch(
    /gw-busan +ESTABLISHED, INSTALLED for 61 s, new keys in 3000 s +198\.51\.100\.7 +840 bytes in/,
  );
  expect(stdout).toContain("strongSwan does not answer: it does not run");
});

test("the sheet for the other administrator says everything but the key", async () => {
  const external = EXAMPLE.replace("server: gw-busan", "external: true\n    identity: vpn.acme.example");
  api.on("GET /documents/Tunnel/seoul-busan", { json: document(external) });
  const { stdout } = await runCli(["tunnel", "sheet", "seoul-busan"], { url: api.url });
  expect(stdout).toMatch(/your end: identity +vpn\.acme\.example/);
  expect(stdout).toMatch(/our end: address +203\.0\.113\.10/);
  expect(stdout).toMatch(/who begins +your end/);
  expect(stdout).toMatch(/IKE proposals +aes256gcm16-prfsha384-ecp384/);
  expect(stdout).not.toContain("seoul-busan-1");
});

const PEM = (of: string): string => `-----BEGIN CERTIFICATE-----\nMI${of.repeat(82)}\n-----END CERTIFICATE-----\n`;

function secretOfEnd(end: string, notAfter: string, isChained: boolean) {
  const certificate = {
    subject: `CN=gw-${end}`,
    issuer: "CN=Holdfast tunnels 1",
    serial: "5f",
    fingerprint: "9b".repeat(32),
    notBefore: AT,
    notAfter,
    isChained,
    pem: PEM("x"),
    authorityPem: PEM("a"),
  };
  const version = { version: 1, fingerprint: "f", madeBy: "kim", madeAt: AT, dueAt: AT, certificate };
  return { name: `tunnel.seoul-busan--${end}`, kind: "generated", versions: [version], usedBy: [], etag: "1" };
}

const CERTIFIED = {
  ...secretOfEnd("x", "2020-01-01T00:00:00.000Z", true).versions[0]?.certificate,
  identity: "alice@example.com",
  dueAt: AT,
  tunnel: "remote-staff",
  person: "alice",
  as: ["head", "in_force"],
};

test("certificates: whose, until when, and whether their authority has signed them; the sheet has the authority", async () => {
  const items = [
    secretOfEnd("busan", "2020-01-01T00:00:00.000Z", true),
    secretOfEnd("seoul", "2999-01-01T00:00:00.000Z", false),
  ];
  const external = EXAMPLE.replace(
    "server: gw-busan",
    `external: true\n    identity: vpn.acme.example\n    authority: ${JSON.stringify(PEM("x"))}`,
  ).replace(/psk: .*/, "certificate: generated");
  api
    .on("GET /secrets", { json: { items, nextCursor: null } })
    .on("GET /tunnel-certificates", { json: { items: [CERTIFIED], nextCursor: null } })
    .on("GET /documents/Tunnel/seoul-busan", { json: document(external) });
  const listed = await runCli(["tunnel", "certificates"], { url: api.url });
  expect(listed.stdout).toMatch(/tunnel\.seoul-busan--busan +1 +CN=gw-busan.* 2020-01-01 ENDED +complete +nobody/);
  expect(listed.stdout).toMatch(/tunnel\.seoul-busan--seoul .* 2999-01-01 DUE +BROKEN/);
  expect(listed.stdout).toMatch(/alice +remote-staff +alice@example\.com .* 2020-01-01 ENDED +complete +yes/);
  const { stdout } = await runCli(["tunnel", "sheet", "seoul-busan"], { url: api.url });
  expect(stdout).toMatch(/authentication +certificates on both sides/);
  expect(stdout).toMatch(/your certificate +names vpn\.acme\.example/);
  expect(stdout).toContain(`our authority:\n\n${PEM("a")}`);
});

const [PEOPLE = ""] = readFileSync(
  new URL("../../domains/src/vpn/examples/remote-staff.yaml", import.meta.url),
  "utf8",
).split("---\n");

test("where an end is people: who is connected with which address, who has none, who is revoked", async () => {
  const sa = (person: string, addresses: readonly string[]) => ({
    ...UP.sas[0],
    name: `holdfast-remote-staff--${person}`,
    virtualAddresses: addresses,
  });
  api
    .on("GET /documents/Tunnel/remote-staff", { json: document(PEOPLE, "remote-staff") })
    .on("GET /servers/gw-seoul/live", {
      json: live({ ...UP, sas: [sa("alice", ["10.99.0.1"]), { ...sa("bob", []), children: [] }] }),
    });
  const { stdout } = await runCli(["tunnel", "show", "remote-staff"], { url: api.url });
  expect(stdout).toContain("remote-staff at gw-seoul: staff begins");
  expect(stdout).toMatch(/alice +ESTABLISHED, INSTALLED for 61 s.* 10\.99\.0\.1 +198\.51\.100\.7 +840 bytes in/);
  expect(stdout).toMatch(/bob +ESTABLISHED, without an address: all are given out/);
  expect(stdout).toMatch(/carol +revoked/);
});

test("the sheet for a person says what their device must be told, and never a key; without a person it says whom there is", async () => {
  api.on("GET /documents/Tunnel/remote-staff", { json: document(PEOPLE, "remote-staff") });
  const { stdout } = await runCli(["tunnel", "sheet", "remote-staff", "alice"], { url: api.url });
  expect(stdout).toContain("parameters for alice");
  expect(stdout).toMatch(/server's identity \(remote ID\) +gw-seoul/);
  expect(stdout).toMatch(/your identity \(local ID\) +alice@example\.com/);
  expect(stdout).toMatch(/through the tunnel +10\.10\.0\.0\/16/);
  expect(stdout).not.toContain("vpn-alice");
  for (const person of [[], ["carol"], ["dave"]]) {
    const refused = await runCli(["tunnel", "sheet", "remote-staff", ...person], { url: api.url });
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/cli\.no_person[^]*alice, bob, carol \(revoked\)/),
    ]);
  }
});

test("a tunnel that was deleted is said so", async () => {
  api.on("GET /documents/Tunnel/gone", { json: document(null, "gone") });
  const { stderr, exitCode } = await runCli(["tunnel", "show", "gone"], { url: api.url });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("was deleted in revision 4")]);
});

test("the list names both ends", async () => {
  const { text: _, ...summary } = document(EXAMPLE);
  api
    .on("GET /documents", {
      json: { items: [{ ...summary, inForceOn: [{ server: "gw-seoul", revision: 3 }] }], nextCursor: null },
    })
    .on("GET /documents/Tunnel/seoul-busan", { json: document(EXAMPLE) });
  const { stdout } = await runCli(["tunnel", "list"], { url: api.url });
  expect(stdout).toMatch(/seoul-busan +4 +busan \(gw-busan\) – seoul \(gw-seoul\) +gw-seoul \(r3\)/);
});

const ACT = "POST /servers/gw-seoul/tunnels/seoul-busan/act";
const found = (severity: string, code: string) => ({ severity, code, path: "", message: `says ${code}`, remedy: "" });
const CUTS = found("warning", "vpn.act_cuts");
const OPENS = found("danger", "vpn.act_opens_clear_text");
const acted = (outcome: string, ...findings: readonly object[]) => ({ json: { id: "r", outcome, findings } });

test("an act shows what it cuts, asks, and acknowledges what was shown and nothing else", async () => {
  api.on(ACT, acted("possible", OPENS, CUTS), acted("done", OPENS, CUTS));
  const ran = await runCli(["tunnel", "terminate", "seoul-busan", "gw-seoul", "--of", "child"], {
    url: api.url,
    typed: ["gw-seoul"],
  });
  expect(ran.exitCode).toBe(0);
  expect(ran.stdout).toMatch(/DANGER says vpn\.act_opens_clear_text[^]*type the server name[^]*seoul-busan is ended/);
  expect(api.asked.map(({ body }) => body)).toEqual([
    { act: "terminate", of: "child", preview: true },
    { act: "terminate", of: "child", acknowledge: [OPENS.code] },
  ]);
});

test("nothing is done where nobody says yes, where a danger is met with --yes alone, and where nobody is there", async () => {
  api.on(ACT, acted("possible", OPENS, CUTS));
  const argv = ["tunnel", "terminate", "seoul-busan", "gw-seoul"];
  const no = await runCli(argv, { url: api.url, typed: ["yes"] });
  expect([no.exitCode, no.stderr]).toEqual([1, expect.stringContaining("cli.not_confirmed")]);
  const yes = await runCli([...argv, "--yes"], { url: api.url });
  expect([yes.exitCode, yes.stderr]).toEqual([1, expect.stringContaining("tunnel.danger_not_accepted")]);
  expect((await runCli(argv, { url: api.url })).exitCode).toBe(2);
  expect(api.asked.every(({ body }) => (body as { preview?: boolean }).preview === true)).toBe(true);
});

test("with --yes new keys are agreed without a question; what is refused or has nothing to do ends before anything is sent", async () => {
  api.on(ACT, acted("possible", CUTS), acted("done"), acted("nothing_to_do"), acted("refused", CUTS));
  const argv = ["tunnel", "rekey", "seoul-busan", "gw-seoul", "--yes", "--json"];
  expect(JSON.parse((await runCli(argv, { url: api.url })).stdout)).toMatchObject({ outcome: "done" });
  expect(api.asked[1]?.body).toEqual({ act: "rekey", acknowledge: [] });
  expect(JSON.parse((await runCli(argv, { url: api.url })).stdout)).toMatchObject({ outcome: "nothing_to_do" });
  const refused = await runCli(argv, { url: api.url });
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("tunnel.refused")]);
  expect(api.asked).toHaveLength(4);
});

test("an answer that was lost is said as that: exit 1, and what to do", async () => {
  const problem = {
    type: "about:blank",
    title: "The answer was lost",
    status: 503,
    code: "tunnel.outcome_unknown",
    detail: "Whether gw-seoul has done it is not known: cut.",
    remedy: "Look at the tunnel as it is now.",
    requestId: "r-1",
  };
  api.on(ACT, acted("possible", CUTS), { status: 503, json: problem });
  const ran = await runCli(["tunnel", "rekey", "seoul-busan", "gw-seoul", "--yes"], { url: api.url });
  expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining("Look at the tunnel as it is now")]);
});

const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----\nMII${"B".repeat(97)}\n-----END CERTIFICATE REQUEST-----\n`;

test("certify: the request goes, the certificate comes, and a draft of the tunnel names it in place of what let the person in before", async () => {
  const text = PEOPLE.replace("psk: each", "certificate: generated").replace(
    /psk: ("?(?:file|secret))/g,
    "password: $1",
  );
  expect(text).toContain("password:");
  const issued = { ...CERTIFIED, pem: PEM("c"), authorityPem: PEM("a"), notAfter: "2027-11-27T00:00:00.000Z" };
  api
    .on("GET /documents/Tunnel/remote-staff", { json: document(text, "remote-staff") })
    .on("POST /tunnel-certificates", { status: 201, json: issued })
    .on("POST /changes", {
      status: 422,
      json: { code: "change.invalid", title: "x", status: 422, detail: "d", remedy: "r" },
    });
  const folder = mkdtempSync(join(tmpdir(), "holdfast-certify-"));
  const file = join(folder, "alice.csr");
  writeFileSync(file, REQUEST);
  const asked = ["tunnel", "certify", "remote-staff", "alice", "--request", file];
  const says = { subject: "CN=laptop", names: ["email:a@example.com"], key: "RSA 1024", keyFingerprint: "ab" };
  const holder = { tunnel: "other", person: "bob", identity: "bob@example.com" };
  for (const [answer, words] of [
    [{ says, flaw: { kind: "short", message: "1024 bits are few" }, holder: null }, /RSA 1024[^]*refused: 1024 bits/],
    [{ says, flaw: null, holder }, /refused: its key is that of bob/],
    [{ says, flaw: null, holder: null }, /certified for alice@example.com[^]*Nothing was issued/],
  ] as const) {
    api.on("POST /tunnel-certificates/request", { json: answer });
    expect((await runCli([...asked, "--look"], { url: api.url })).stdout).toMatch(words);
  }
  expect(api.bodyOf("POST /tunnel-certificates/request")).toEqual({ server: "gw-seoul", request: REQUEST });
  expect(api.bodyOf("POST /tunnel-certificates")).toBeUndefined();
  await runCli(asked, { url: api.url });
  expect(api.bodyOf("POST /tunnel-certificates")).toEqual({
    server: "gw-seoul",
    tunnel: "remote-staff",
    person: "alice",
    identity: "alice@example.com",
    request: REQUEST,
  });
  const [written] = (api.bodyOf("POST /changes") as { documents: { text: string; baseRevision: number }[] }).documents;
  expect(written?.baseRevision).toBe(4);
  const [alice = "", bob = ""] = ["alice", "bob"].map(
    (name) => new RegExp(`^ {6}${name}:[^]*?(?=^ {6}[a-z]+:|^$)`, "m").exec(written?.text ?? "")?.[0],
  );
  expect(alice).toContain(`MI${"c".repeat(60)}`);
  expect(alice).not.toContain("password");
  expect(bob).toContain("password");

  const refused = async (...args: string[]) =>
    (await runCli(["tunnel", "certify", "remote-staff", ...args], { url: api.url })).stderr;
  expect(await refused("carol", "--request", file)).toContain("carol of remote-staff is revoked");
  expect(await refused("dave", "--request", file)).toContain("--identity dave@example.com");
  writeFileSync(file, REQUEST.replaceAll("CERTIFICATE REQUEST", "PRIVATE KEY"));
  const before = api.asked.length;
  const key = await refused("alice", "--request", file);
  expect(key).toMatch(/private key in this text[^]*Nothing was sent/);
  expect(key).not.toContain("BBBB");
  expect(api.asked.length).toBe(before);
  rmSync(folder, { recursive: true });
});
