/** Tools on a real server through the whole house: what they say, how they end, and that nothing of them is left by whichever way it went. */
import { auditEntrySchema } from "@holdfast/core/api/account.ts";
import { eventReader } from "@holdfast/core/api/event-text.ts";
import { TOOL_EVENTS, toolsSchema } from "@holdfast/core/api/tool.ts";
import { capturedLine } from "@holdfast/core/tool/captured-words.ts";
import { TOOLS } from "@holdfast/core/tool/tool.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";

let house: House;
let server: HouseServer;
let close: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  house = await House.open({ servers: [{ name: "web-1", kind: "systemd" }] });
  close = () => house.close();
  server = house.server("web-1");
}, 240_000);
afterAll(() => close(), 60_000);
/** Whatever a test did: no program of a tool outlives it by more than the five seconds in which nobody asks. */
afterEach(async () => {
  await expect.poll(programs, { timeout: 20_000, interval: 500 }).toBe("");
});

async function programs(): Promise<string> {
  const { stdout } = await server.machine.exec(["pgrep", "-x", "ping|tracepath|getent|tcpdump|setpriv"]);
  return stdout.trim();
}

interface Followed {
  readonly text: string;
  readonly lines: {
    readonly what: string;
    readonly source: string;
    readonly headers: number;
    readonly length: number;
  }[];
  readonly ended: z.infer<typeof TOOL_EVENTS.ended> | null;
  readonly over: Promise<void>;
  leave(): void;
}

function use(ask: object): Followed {
  const stop = new AbortController();
  const read = eventReader();
  const followed = { text: "", lines: [] as Followed["lines"], ended: null as Followed["ended"] };
  const follow = async (): Promise<void> => {
    const response = await fetch(`${house.operator.url}/api/v1/servers/web-1/tools`, {
      method: "POST",
      headers: { authorization: `Bearer ${house.operator.token}`, "content-type": "application/json" },
      body: JSON.stringify(ask),
      signal: stop.signal,
    });
    if (!response.ok || response.body === null) throw new Error(`${response.status} ${await response.text()}`);
    for await (const part of response.body.pipeThrough(new TextDecoderStream()))
      for (const { event, data } of read(part)) take(event, JSON.parse(data));
  };
  const take = (event: string, value: unknown): void => {
    if (event === "output") followed.text += TOOL_EVENTS.output.parse(value).text;
    if (event === "ended") followed.ended = TOOL_EVENTS.ended.parse(value);
    if (event !== "packets") return;
    const { linkType, packets } = TOOL_EVENTS.packets.parse(value);
    for (const { headers: text, ...packet } of packets) {
      const headers = Uint8Array.from(Buffer.from(text, "base64"));
      const { what, source, length } = capturedLine(linkType, { ...packet, headers });
      followed.lines.push({ what, source, length, headers: headers.length });
    }
  };
  const over = follow().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return Object.assign(followed, { over, leave: () => stop.abort() });
}

async function whole(ask: object): Promise<Followed> {
  const followed = use(ask);
  await followed.over;
  return followed;
}

/** Of a port that nobody uses: without it the agent's own connection would soon be all that was asked for, and the capture done. */
const QUIET_CAPTURE = { tool: "capture", seconds: 60, port: 9 };

/** As many programs as runs; one that ended before is told with what it said. */
async function atWork(runs: readonly Followed[]): Promise<void> {
  await expect
    .poll(
      async () => {
        const over = runs.find(({ ended }) => ended !== null);
        return over === undefined ? (await programs()).split("\n").filter(Boolean).length : JSON.stringify(over);
      },
      { timeout: 20_000 },
    )
    .toBe(runs.length);
}

const visitorPings = (count: number) =>
  house.networks.visitor.exec(["ping", "-n", "-i", "0.2", "-c", String(count), server.address], { timeoutMs: 20_000 });

test("each tool says what is so, as far as it was asked", async () => {
  const { tools } = await house.operator.call("listTools", { params: { name: "web-1" }, answer: toolsSchema });
  expect(tools).toEqual(TOOLS.map((tool) => ({ tool, available: true, code: null, reason: null })));
  const { machine } = server;
  const gateway = /via (\S+)/.exec(await machine.must(["ip", "-4", "route", "show", "default"]))?.[1] ?? "";
  const [ping, trace, name] = await Promise.all([
    whole({ tool: "ping", host: gateway, count: 2 }),
    whole({ tool: "trace", host: gateway, hops: 3 }),
    whole({ tool: "resolve", host: "localhost" }),
  ]);
  expect(ping.ended, ping.text).toMatchObject({ outcome: "done" });
  expect(ping.text).toContain("2 received");
  expect(trace.ended, trace.text).toMatchObject({ outcome: "done" });
  expect(trace.text).toContain("reached");
  expect(name).toMatchObject({ ended: { outcome: "done" } });
  expect(name.text).toMatch(/^(127\.0\.0\.1|::1) /);
  const silent = await whole({ tool: "ping", host: "192.0.2.250", count: 1 });
  expect(silent.ended?.outcome, silent.text).toMatch(/^(no_answer|failed)$/);
}, 120_000);

test("a capture ends where it was asked to end, and what packets carry stays on the server", async () => {
  const counted = use({ tool: "capture", interface: "eth0", protocol: "icmp", count: 4, seconds: 30 });
  await atWork([counted]);
  await Promise.all([visitorPings(8), counted.over]);
  expect(counted.ended, JSON.stringify(counted)).toMatchObject({ outcome: "done" });
  expect(counted.lines).toHaveLength(4);
  for (const line of counted.lines) {
    expect(line.what).toMatch(/^icmp\/echo/);
    // Ethernet, IPv4, ICMP, of 98 bytes on the wire.
    expect(line).toMatchObject({ headers: 42, length: 98 });
  }
  const nothing = await whole({ tool: "capture", interface: "any", address: "192.0.2.251", seconds: 2 });
  expect(nothing).toMatchObject({ ended: { outcome: "done" }, lines: [] });
  const nowhere = await whole({ tool: "capture", interface: "eth9", seconds: 2 });
  expect(nowhere.ended).toMatchObject({ outcome: "failed", message: expect.stringContaining("eth9") as string });
  // What listens has that right and no other, and is nobody's account.
  const pid = (await server.machine.must(["pgrep", "-f", "holdfast-agent.mjs capture"])).trim().split("\n").at(-1);
  const status = await server.machine.must(["cat", `/proc/${pid ?? ""}/status`]);
  expect(/^CapEff:\s*(\S+)/m.exec(status)?.[1]).toBe("0000000000002000");
  expect(/^Uid:\s*(\d+)/m.exec(status)?.[1]).not.toBe("0");
}, 120_000);

test("whoever leaves ends it at once, and it is written down how it ended", async () => {
  const left = [use({ tool: "ping", host: "127.0.0.1", count: 20 }), use(QUIET_CAPTURE)];
  await atWork(left);
  for (const one of left) one.leave();
  await expect.poll(programs, { timeout: 20_000, interval: 250 }).toBe("");
  const audited = async () => {
    const { items } = await house.operator.call("listAudit", {
      query: { action: "server.tool" },
      answer: z.object({ items: z.array(auditEntrySchema) }),
    });
    return items;
  };
  await expect
    .poll(async () => (await audited()).filter(({ resultCode }) => resultCode === "tools.stopped").length)
    .toBe(2);
  const asked = (await audited()).find(
    (one) => one.action === "server.tool_begun" && JSON.stringify(one.new).includes("127.0.0.1"),
  );
  expect(asked).toMatchObject({ actor: "admin", server: "web-1", new: { tool: "ping", count: 20 } });
}, 120_000);

test("a wire that is cut, and a session that is killed, leave nothing running", async () => {
  const cut = [use({ tool: "ping", host: "127.0.0.1", count: 20 }), use(QUIET_CAPTURE)];
  await atWork(cut);
  await house.wire.set({ dialling: "silent", toControl: "held", toAgent: "held" });
  await expect.poll(programs, { timeout: 30_000, interval: 500 }).toBe("");
  await house.wire.heal();
  await house.wire.cut();
  await Promise.all(cut.map(({ over }) => over));
  for (const { ended } of cut) expect(ended).toMatchObject({ outcome: "lost" });
  await house.operator.waitConnected(["web-1"]);

  const [ping, capture] = [use({ tool: "ping", host: "127.0.0.1", count: 20 }), use(QUIET_CAPTURE)];
  await atWork([ping, capture]);
  expect(server.kill("session")).toBeGreaterThan(0);
  await ping.over;
  expect(ping.ended).toMatchObject({ outcome: "lost" });
  // A capture is another process's: it goes on over the next session when that comes soon enough, for as long as somebody asks.
  capture.leave();
  await expect.poll(programs, { timeout: 20_000, interval: 500 }).toBe("");
}, 180_000);
