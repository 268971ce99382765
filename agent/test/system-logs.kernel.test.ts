import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import { SystemdAgent } from "./systemd-agent.ts";

/** Logs that leave a server over TLS, by its own rsyslog to a log server that asks for a certificate. */
let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;
let folder: string;

/** The certificate of a log server or of a server, by the authority of the house. */
function certificate(file: string, name: string): void {
  const openssl = (...argv: string[]) => execFileSync("openssl", argv, { cwd: folder, stdio: "ignore" });
  writeFileSync(join(folder, `${file}.ext`), `subjectAltName=DNS:${name}\n`);
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", `/CN=${name}`, "-keyout", `${file}.key`, "-out", "csr");
  const by = ["-CA", "house.pem", "-CAkey", "house.key", "-CAcreateserial", "-days", "30"];
  openssl("x509", "-req", "-in", "csr", ...by, "-extfile", `${file}.ext`, "-out", `${file}.pem`);
}

function authority(file: string): void {
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", `/CN=${file} of the test`];
  const files = ["-keyout", `${file}.key`, "-out", `${file}.pem`];
  const extension = ["-addext", "basicConstraints=critical,CA:TRUE"];
  execFileSync("openssl", [...request, ...extension, ...files], { cwd: folder, stdio: "ignore" });
}

const pem = (file: string): string => readFileSync(join(folder, `${file}.pem`), "utf8");

/** Takes only who shows a certificate of the house, and writes down what it is sent. */
const RECEIVER = `
const { createServer } = require("node:tls");
const { appendFileSync, readFileSync } = require("node:fs");
const read = (name) => readFileSync("/run/log-server/" + name);
const options = { key: read("logs.key"), cert: read("logs.pem"), ca: read("house.pem"), requestCert: true };
createServer({ ...options, rejectUnauthorized: true }, (socket) => {
  socket.on("data", (data) => appendFileSync("/run/received", data));
  socket.on("error", () => {});
}).listen(6514, "127.0.0.1");
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-logs-"));
  for (const name of ["house", "stranger"]) authority(name);
  certificate("logs", "logs.internal");
  certificate("web", "web.internal");
  lab = Lab.open({ prefix: `hfl-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: ["rsyslog"], attachments: [] });
  await server.start();
  for (const file of ["logs.key", "logs.pem", "house.pem"])
    await server.writeFile(`/run/log-server/${file}`, readFileSync(join(folder, file)));
  await server.writeFile("/run/log-server/main.cjs", RECEIVER);
  await server.writeFile("/etc/ssl/certs/web.pem", pem("web"));
  await server.writeFile("/etc/ssl/private/web.key", readFileSync(join(folder, "web.key")), 0o600);
  await server.writeFile("/etc/ssl/private/other.key", readFileSync(join(folder, "logs.key")), 0o600);
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
  rmSync(folder, { recursive: true });
});

const startReceiver = () =>
  server.must(["systemd-run", "--collect", "--unit=log-server", server.nodeBinary, "/run/log-server/main.cjs"]);
const stopReceiver = () => server.must(["systemctl", "stop", "log-server"]);

const OWN = { certificate: "/etc/ssl/certs/web.pem", key: "/etc/ssl/private/web.key" };

function logs(change: { vouches?: string; name?: string; own?: Json } = {}): Json {
  const { vouches = "house", name = "logs.internal", own = OWN } = change;
  const tls = { authority: pem(vouches), ...(own as object) };
  return { logs: { to: [{ host: "127.0.0.1", port: 6514, by: "tls", name }], tls } };
}

function words(transaction: { code: string; message: string }): string {
  return `${transaction.code}: ${transaction.message}`;
}

async function prepared(system: Json): Promise<string> {
  const id = makeRequestId();
  const answer = await agent.prepareDomains(id, { system }, { windowSeconds: 90, reconnectSeconds: 90 });
  expect(answer, words(answer)).toMatchObject({ phase: TransactionPhase.PREPARED, code: "" });
  return id;
}

async function onTrial(system: Json): Promise<{ id: string; nonce: string }> {
  const [id, nonce] = [await prepared(system), makeNonce()];
  const executed = await agent.execute(id, nonce);
  expect(executed, words(executed)).toMatchObject({ phase: TransactionPhase.ON_TRIAL, code: "" });
  return { id, nonce };
}

/** Its own files, its own word on them, and whether it runs. */
const look = async (): Promise<string> =>
  (await server.exec(["sh", "-c", "ls -A /etc/rsyslog.d; cat /etc/rsyslog.d/*; systemctl is-active rsyslog"])).stdout;

const has = async (path: string, line: string): Promise<boolean> =>
  (await server.exec(["grep", "-q", "--", line, path])).code === 0;
const arrives = (line: string) => until(`${line} to arrive`, () => has("/run/received", line), 60_000);

test("lines arrive at a log server that asks for a certificate; the undo sends nothing more and leaves nothing", async () => {
  await startReceiver();
  const before = await look();
  const { id } = await onTrial(logs());
  await server.must(["logger", "holdfast-by-tls"]);
  await arrives("holdfast-by-tls");
  const undone = await agent.abort(id);
  expect(undone, words(undone)).toMatchObject({ phase: TransactionPhase.REVERTED, serverIs: "as_before" });
  expect(await look()).toBe(before);
  await server.must(["logger", "holdfast-after-undo"]);
  await until("the line to be in the server's own log", () => has("/var/log/syslog", "holdfast-after-undo"), 30_000);
  expect(await has("/run/received", "holdfast-after-undo")).toBe(false);
  await stopReceiver();
});

test("a log server that another vouches for, or that is for another name, is told of in rsyslog's words, and the server is as before", async () => {
  await startReceiver();
  const before = await look();
  for (const [change, said] of [
    [{ vouches: "stranger" }, /certificate/i],
    [{ name: "other.internal" }, /peer ?name/i],
  ] as const) {
    const executed = await agent.execute(await prepared(logs(change)), makeNonce());
    expect(executed, words(executed)).toMatchObject({ phase: TransactionPhase.REVERTED, serverIs: "as_before" });
    expect(words(executed)).toMatch(/rsyslog does not trust the log server among 127\.0\.0\.1:6514/);
    expect(words(executed)).toMatch(said);
    expect(await look()).toBe(before);
  }
  await stopReceiver();
});

test("a key of another certificate, none at all, and an authority that is none are refused before anything changes", async () => {
  const before = await look();
  const refused = async (system: Json): Promise<string> => {
    const answer = await agent.prepareDomains(makeRequestId(), { system }, { windowSeconds: 90, reconnectSeconds: 90 });
    expect(answer.phase).toBe(TransactionPhase.REFUSED);
    return words(answer);
  };
  expect(await refused(logs({ own: { ...OWN, key: "/etc/ssl/private/other.key" } }))).toContain("is not that of");
  expect(await refused(logs({ own: { ...OWN, key: "/etc/ssl/private/no.key" } }))).toContain("no such file");
  expect(await refused(logs({ vouches: "web" }))).toContain("is no certificate authority");
  expect(await look()).toBe(before);
});

test("a log server that is away holds nothing up: what is logged meanwhile is kept over a restart and arrives when it is back", async () => {
  const { id, nonce } = await onTrial(logs());
  const confirmed = await agent.confirm(id, nonce);
  expect(confirmed, words(confirmed)).toMatchObject({ phase: TransactionPhase.FINALIZED });
  await server.must(["sh", "-c", "for i in $(seq 200); do echo holdfast-kept-$i-; done | logger"]);
  await until(
    "the last line to be in the server's own log",
    () => has("/var/log/syslog", "holdfast-kept-200-"),
    30_000,
  );
  await server.must(["systemctl", "restart", "rsyslog"]);
  await startReceiver();
  await server.must(["logger", "holdfast-is-back"]);
  await arrives("holdfast-is-back");
  await arrives("holdfast-kept-200-");
  const received = await server.must(["cat", "/run/received"]);
  const missing = Array.from({ length: 200 }, (_, index) => `holdfast-kept-${String(index + 1)}-`).filter(
    (line) => !received.includes(line),
  );
  expect(missing).toEqual([]);
  await stopReceiver();
});
