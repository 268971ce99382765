import { createServer, type AddressInfo, type Server } from "node:net";
import type { Probe } from "@holdfast/core/plan/probe.ts";
import { afterEach, expect, test } from "vitest";
import type { AgentClient } from "../gateway/agent-client.ts";
import { isLoopback } from "./own-address.ts";
import { probeRound } from "./probe-round.ts";
import { tcpConnect } from "./tcp-connect.ts";
import { type ProbedServer, vantageOf } from "./vantage.ts";

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
});

async function listening(): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** An agent that says this of every target, and keeps what it was asked. */
function probed(
  serverId: string,
  result: string,
  over: Partial<ProbedServer> = {},
): ProbedServer & { readonly asked: string[] } {
  const asked: string[] = [];
  const client: Pick<AgentClient, "probe"> = {
    probe: async (request) => {
      const targets = request.targets ?? [];
      asked.push(...targets.map((target) => `${target.protocol ?? ""} ${target.address ?? ""}:${target.port ?? 0}`));
      return {
        $typeName: "holdfast.v1.ProbeResponse",
        outcomes: targets.map((target) => ({
          $typeName: "holdfast.v1.ProbeOutcome",
          id: target.id ?? "",
          result,
          detail: "",
        })),
      };
    },
  };
  const factsJson = JSON.stringify({
    interfaces: [
      { name: "lo", addresses: ["127.0.0.1/8", "fe80::1/64"] },
      { name: "eth0", addresses: ["192.0.2.7/24"] },
    ],
  });
  return { serverId, remoteAddress: "127.0.0.1", factsJson, client: client as AgentClient, asked, ...over };
}

test("a new connection is open or closed; a closed port refuses at once", async () => {
  const port = await listening();
  expect(await tcpConnect("127.0.0.1", port, 1_000)).toBe("open");
  const server = servers.pop();
  await new Promise<void>((resolve) => server?.close(() => resolve()));
  expect(await tcpConnect("127.0.0.1", port, 1_000)).toBe("closed");
});

test("silence is closed", async () => {
  // TEST-NET-1: nobody is there. A machine without any route says so, and then it is blind.
  expect(["closed", "unreachable_vantage"]).toContain(await tcpConnect("192.0.2.1", 9, 100));
});

test("loopback is never evidence: a peer looks at an address of the server's own, or nobody does", async () => {
  const server = probed("a", "open");
  const peer = probed("b", "closed");
  expect(await vantageOf(() => [peer])(server, "self", 22, 100)).toBe("closed");
  expect(peer.asked).toEqual(["tcp 192.0.2.7:22"]);
  // An address that is named is the one that is dialled.
  expect(await vantageOf(() => [peer])(server, "::1", 22, 100)).toBe("closed");
  expect(peer.asked.at(-1)).toBe("tcp ::1:22");
  expect(await vantageOf(() => [])(server, "self", 22, 100)).toBe("unreachable_vantage");
  expect(await vantageOf(() => [probed("b", "who knows")])(server, "self", 22, 100)).toBe("unreachable_vantage");
  expect(await vantageOf(() => [peer])(probed("a", "open", { factsJson: "{" }), "self", 22, 100)).toBe(
    "unreachable_vantage",
  );
});

test.each([
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["localhost", true],
  ["192.0.2.1", false],
  ["2001:db8::1", false],
])("%s is loopback: %s", (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

test("a round asks the server for what goes out, looks itself at what comes in, and guesses nothing", async () => {
  const server = probed("a", "open");
  const base = { address: "self", expected: "open", origin: "floor" } as const;
  const probes: readonly Probe[] = [
    { ...base, id: "ssh", direction: "inbound", protocol: "tcp", port: 22 },
    { ...base, id: "ike", direction: "inbound", protocol: "udp", port: 500 },
    { ...base, id: "ping", direction: "inbound", protocol: "icmp" },
    { ...base, id: "dns", direction: "outbound", protocol: "udp", address: "192.0.2.53", port: 53 },
  ];
  expect(
    await probeRound(probes, server, async (_server, address, port) =>
      address === "self" && port === 22 ? "open" : "closed",
    ),
  ).toEqual({
    ssh: "open",
    ike: "unreachable_vantage",
    ping: "unreachable_vantage",
    dns: "open",
  });
  expect(server.asked).toEqual(["udp 192.0.2.53:53"]);
});

test("a probe of full size is asked for by a word of its own, which an agent from before it does not know", async () => {
  const probe: Probe = {
    id: "size",
    direction: "outbound",
    protocol: "icmp",
    address: "192.0.2.9",
    fullSize: true,
    expected: "open",
    origin: "floor",
  };
  const server = probed("s1", "closed");
  expect(await probeRound([probe], server, async () => "open")).toEqual({ size: "closed" });
  expect(server.asked).toEqual(["full_size 192.0.2.9:0"]);
});
