import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Packet } from "@holdfast/core/api/packet-log.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let server: Server;
let url = "";
let asked = "";
let answer: (response: ServerResponse) => void = () => undefined;
beforeAll(async () => {
  server = createServer((request, response) => {
    asked = request.url ?? "";
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const PACKET: Packet = {
  number: 1,
  at: "2026-01-02T03:04:05.678Z",
  direction: "inbound",
  outcome: "dropped",
  rule: "default",
  foreignTable: null,
  inInterface: "eth0",
  outInterface: null,
  protocol: "tcp",
  source: "203.0.113.9",
  destination: "192.0.2.10",
  sourcePort: 40_000,
  destinationPort: 8080,
  icmpType: null,
  from: { document: "Policy/web", revision: 3, layer: "role", path: "firewall.inbound.default" },
  why: null,
};

const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const packets = (...list: readonly Packet[]): string => event("packets", { packets: list, missed: 0, sampled: false });

function streams(...parts: readonly string[]): void {
  answer = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of parts) response.write(part);
  };
}

test("packets are followed, filtered, and ended after so many", async () => {
  const allowed: Packet = {
    ...PACKET,
    number: 2,
    outcome: "allowed",
    rule: "web",
    destinationPort: 443,
    why: "the shop",
  };
  const text = packets(PACKET, allowed) + event("newer", { any: 1 }) + packets({ ...allowed, number: 3 });
  // Parts end where the wire likes.
  streams(text.slice(0, 77), text.slice(77));
  const ran = await runCli(["packets", "web-1", "--filter", "allowed 443", "--count", "2"], { url });
  expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
  expect(asked).toBe("/api/v1/servers/web-1/packets");
  expect(ran.stdout.split("\n")[0]?.replaceAll(/ +/g, " ")).toBe(
    "03:04:05.678 allowed inbound eth0 203.0.113.9 -> 192.0.2.10 tcp/443 web of Policy/web r3 (the shop)",
  );
  expect(ran.stdout.trim().split("\n")).toHaveLength(2);
});

test("for machines each packet is a line of JSON, and what is no packet goes to standard error", async () => {
  streams(
    event("lost", { why: "its session has ended" }),
    event("packets", { packets: [PACKET], missed: 7, sampled: true }),
  );
  const ran = await runCli(["packets", "web-1", "--json", "--count", "1"], { url });
  expect(JSON.parse(ran.stdout)).toEqual(PACKET);
  expect(ran.stderr).toContain("its session has ended");
  expect(ran.stderr).toContain("7 packets went by");
});

test("a stream that the control plane ends, or that is none, is a failure with a code", async () => {
  streams(event("ended", { code: "packets.too_long", message: "Half an hour is over." }));
  const over = await runCli(["packets", "web-1"], { url });
  expect([over.exitCode, over.stderr]).toEqual([1, expect.stringContaining("packets.too_long")]);
  streams("event: packets\ndata: {\n\n");
  const strange = await runCli(["packets", "web-1"], { url });
  expect([strange.exitCode, strange.stderr]).toEqual([4, expect.stringContaining("cli.answer_not_understood")]);
});

test("another firewall that dropped it is named, and text from outside moves no cursor", async () => {
  streams(packets({ ...PACKET, rule: "web", foreignTable: "ip \u001b[2Jdocker" }));
  const ran = await runCli(["packets", "web-1", "--count", "1"], { url });
  expect(ran.stdout).toContain("by another firewall, ip \\x1b[2Jdocker");
});
