import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pcapReader } from "@holdfast/core/tool/pcap.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let server: Server;
let url = "";
let folder: string;
let asked: { url: string; method: string; body: unknown };
let answer: (response: ServerResponse) => void = () => undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-tool-"));
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      asked = { url: request.url ?? "", method: request.method ?? "", body: JSON.parse(body === "" ? "null" : body) };
      answer(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const ended = (outcome: string, message = ""): string => event("ended", { outcome, message });

function streams(...parts: readonly string[]): void {
  answer = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of parts) response.write(part);
    response.end();
  };
}

/** UDP from 192.0.2.1:32768 to 192.0.2.2:53 over Ethernet. */
const HEADERS = Buffer.from(
  "0200000000010200000000020800450000401234000040110000c0000201c00002028000003500100000",
  "hex",
);
const PACKET = { seconds: 1_700_000_000, micros: 42, length: 80, headers: HEADERS.toString("base64") };
const packets = event("packets", { linkType: 1, packets: [PACKET, PACKET] });

test("a ping is asked for as typed, and printed as it comes", async () => {
  const text = "64 bytes from 192.0.2.1\n";
  const all =
    event("begun", { id: "i", tool: "ping" }) + event("newer", {}) + event("output", { text }) + ended("done");
  streams(": still\n\n", all.slice(0, 41), all.slice(41));
  const ran = await runCli(["tool", "ping", "web-1", "192.0.2.1", "--family", "4", "--count", "2"], { url });
  expect(ran).toEqual({ exitCode: 0, stdout: text, stderr: "" });
  expect(asked).toEqual({
    url: "/api/v1/servers/web-1/tools",
    method: "POST",
    body: { tool: "ping", host: "192.0.2.1", family: 4, count: 2 },
  });
});

test("what came of it is the exit code, and a stream that breaks off is no success", async () => {
  streams(event("output", { text: "silence\n" }), ended("no_answer"));
  const silent = await runCli(["tool", "ping", "web-1", "a"], { url });
  expect([silent.exitCode, silent.stdout, silent.stderr]).toEqual([
    1,
    "silence\n",
    expect.stringContaining("tools.no_answer"),
  ]);
  streams(ended("lost", "its session has ended"));
  expect((await runCli(["tool", "trace", "web-1", "a"], { url })).exitCode).toBe(4);
  streams(event("output", { text: "half" }));
  const cut = await runCli(["tool", "resolve", "web-1", "a"], { url });
  expect([cut.exitCode, cut.stderr]).toEqual([4, expect.stringContaining("cli.cut_off")]);
  streams("event: ended\ndata: {}\n\n");
  expect((await runCli(["tool", "resolve", "web-1", "a"], { url })).exitCode).toBe(4);
});

test("for machines it is one document, and text from outside moves no cursor", async () => {
  streams(event("output", { text: "a\u001b[2J\n" }), ended("done", "m"));
  const machine = await runCli(["tool", "resolve", "web-1", "a", "--json"], { url });
  expect(JSON.parse(machine.stdout)).toEqual({
    tool: "resolve",
    server: "web-1",
    outcome: "done",
    message: "m",
    text: "a\u001b[2J\n",
  });
  expect((await runCli(["tool", "resolve", "web-1", "a"], { url })).stdout).toBe("a\\x1b[2J\n");
});

test("a capture is read by people, by machines and by other programs", async () => {
  streams(packets, ended("done", "2 packets captured"));
  const file = join(folder, "one.pcap");
  const ran = await runCli(
    ["tool", "capture", "web-1", "--protocol", "udp", "--port", "53", "--seconds", "5", "--out", file],
    { url },
  );
  expect([ran.exitCode, ran.stderr]).toEqual([0, `2 packets in ${file}\n2 packets captured\n`]);
  expect(ran.stdout.split("\n")[0]?.replaceAll(/ +/g, " ")).toBe(
    "22:13:20.000042 udp/53 192.0.2.1:32768 -> 192.0.2.2:53 80 bytes",
  );
  expect(asked.body).toEqual({ tool: "capture", interface: "any", protocol: "udp", port: 53, seconds: 5 });
  const read = pcapReader()(readFileSync(file));
  expect(read).toMatchObject({ ok: true, value: { linkType: 1, packets: [{ length: 80, micros: 42 }, {}] } });
  const machine = await runCli(["tool", "capture", "web-1", "--json"], { url });
  expect(
    machine.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object),
  ).toMatchObject([{ what: "udp/53" }, { source: "192.0.2.1:32768" }]);
});

test("a file that is there stays, and is seen before anything is begun", async () => {
  const file = join(folder, "mine.pcap");
  writeFileSync(file, "mine");
  asked = { url: "nothing", method: "", body: null };
  const ran = await runCli(["tool", "capture", "web-1", "--out", file], { url });
  expect([ran.exitCode, readFileSync(file, "utf8"), asked.url]).toEqual([1, "mine", "nothing"]);
});

test("which tools there are is a table with the reasons", async () => {
  answer = (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        tools: [
          { tool: "ping", available: true, code: null, reason: null },
          { tool: "capture", available: false, code: "tools.missing_program", reason: "it has no tcpdump" },
        ],
      }),
    );
  };
  const ran = await runCli(["tool", "list", "web-1"], { url });
  expect(ran.stdout).toMatch(/ping +there\ncapture +not there +tools.missing_program: it has no tcpdump/);
});
