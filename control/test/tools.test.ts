/** Tools of a server, from the agent to whoever asked: who may, what they see, what is written down, and what a bad agent or client can do. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Permission } from "@holdfast/core/api/account.ts";
import { eventReader, type StreamEvent } from "@holdfast/core/api/event-text.ts";
import { pcapFile } from "@holdfast/core/tool/pcap.ts";
import type { ToolRequest, ToolResponseSchema } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import type { SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { expect, test } from "vitest";
import { sql } from "../src/store/sql.ts";
import { type ApiHouse, withApi } from "./api-house.ts";

const PATIENT = 120_000;
const OPERATOR: readonly Permission[] = ["view", "edit", "apply", "admin", "audit"];
const PING = { tool: "ping", host: "192.0.2.1" } as const;

type Answer = MessageInitShape<typeof ToolResponseSchema>;
type Send = (token: string, body: object, signal?: AbortSignal) => Promise<Response>;

async function withTools(
  body: (api: ApiHouse, agent: SimulatedAgent, send: Send, operator: string) => Promise<void>,
): Promise<void> {
  await withApi(async (api) => {
    const operator = await api.account("olga", OPERATOR);
    const agent = await api.server(operator, "web-1", { role: "web" });
    const address = await api.app.listen({ host: "127.0.0.1", port: 0 });
    const send: Send = (token, ask, signal) =>
      fetch(`${address}/api/v1/servers/web-1/tools`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(ask),
        ...(signal === undefined ? {} : { signal }),
      });
    await body(api, agent, send, operator);
  });
}

/** An agent whose run says these bytes, part by part, and then ends. */
function saying(agent: SimulatedAgent, parts: readonly Uint8Array[], end: Answer): ToolRequest[] {
  const asked: ToolRequest[] = [];
  agent.onTool = (request) => {
    asked.push(request);
    const whole = Buffer.concat(parts.slice(0, asked.length));
    const output = Uint8Array.from(whole.subarray(Number(request.after)));
    return { output, ...(asked.length >= parts.length ? { ended: true, ...end } : {}) };
  };
  return asked;
}

async function heard(response: Response): Promise<readonly { readonly event: string; readonly data: unknown }[]> {
  const read = eventReader();
  const events: StreamEvent[] = [];
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) events.push(...read(part));
  return events.map(({ event, data }) => ({ event, data: JSON.parse(data) as unknown }));
}

async function audited(api: ApiHouse): Promise<readonly unknown[]> {
  return api.test.app.rows(
    sql`select action, result_code, new from audit_log where action like 'server.tool%' order by id`,
  );
}

test(
  "what a tool says comes as it comes; what was asked and how it ended is written down",
  () =>
    withTools(async (api, agent, send) => {
      // The second part ends in the middle of a character.
      const text = Buffer.from("64 bytes from 192.0.2.1\n한국어\u001b[2J\n");
      const asked = saying(agent, [text.subarray(0, 10), text.subarray(10, 26), text.subarray(26)], {
        outcome: "done",
        message: "as ever",
      });
      const response = await send(await api.account("pia", ["probe"]), { ...PING, count: 2 });
      expect(response.headers.get("content-type")).toContain("text/event-stream");
      const events = await heard(response);
      const said = events.filter(({ event }) => event === "output").map(({ data }) => (data as { text: string }).text);
      expect(said.join("")).toBe("64 bytes from 192.0.2.1\n한국어?[2J\n");
      expect(events.at(-1)).toEqual({ event: "ended", data: { outcome: "done", message: "as ever" } });
      expect(asked[0]?.begin).toMatchObject({ case: "ping", value: { host: "192.0.2.1", family: 0, count: 2 } });
      expect(asked.slice(1).every(({ begin, stop }) => begin.case === undefined && !stop)).toBe(true);
      const id = (events[0]?.data as { readonly id: string } | undefined)?.id;
      expect(asked.every(({ runId }) => runId === id)).toBe(true);
      await expect
        .poll(() => audited(api), { timeout: 10_000 })
        .toEqual([
          {
            action: "server.tool_begun",
            result_code: "ok",
            new: { tool: "ping", host: "192.0.2.1", family: null, count: 2 },
          },
          {
            action: "server.tool_ended",
            result_code: "ok",
            new: { tool: "ping", outcome: "done", bytes: text.length, seconds: expect.any(Number) as number },
          },
        ]);
      const [row] = await api.test.app.rows(sql`select request_id from audit_log where action = 'server.tool_begun'`);
      expect(row).toEqual({ request_id: id });
    }),
  PATIENT,
);

test(
  "only whoever holds probe on this server uses tools, and captures only whoever may look at its packets too",
  () =>
    withTools(async (api, agent, send, operator) => {
      saying(agent, [Buffer.from("x")], { outcome: "done" });
      const capture = { tool: "capture", interface: "eth0" };
      const may = async (token: string, ask: object = PING): Promise<number> => {
        const response = await send(token, ask);
        await response.text();
        return response.status;
      };
      const view = { permission: "view" as const, scope: { all: true as const }, domains: null };
      const probe = (scope: Record<string, string>) => ({ permission: "probe" as const, scope, domains: null });
      const watch = (domains: string[] | null) => ({ permission: "watch" as const, scope: { role: "web" }, domains });
      const everythingElse = await api.account("e", [...OPERATOR, "approve", "watch"]);
      expect([await may(operator), await may(everythingElse)]).toEqual([403, 403]);
      expect(await may(await api.account("a", [view, probe({ role: "db" })]))).toBe(403);
      expect(await may(await api.account("b", [probe({ role: "db" })]))).toBe(404);
      const ping = await api.account("c", [probe({ role: "web" })]);
      expect([await may(ping), await may(ping, capture)]).toEqual([200, 403]);
      const elsewhere = await api.account("d", [probe({ role: "web" }), watch(["system"])]);
      expect(await may(elsewhere, capture)).toBe(403);
      expect(await may(await api.account("f", [probe({ role: "web" }), watch(["firewall"])]), capture)).not.toBe(403);
      const { items } = await api.done(operator, "listAudit", { query: { action: "api.useTool" } });
      expect(items.map(({ resultCode }) => resultCode)).toContain("access.out_of_scope");
    }),
  PATIENT,
);

test(
  "what is no ask of ours never comes to a server",
  () =>
    withTools(async (api, agent, send) => {
      const asked = saying(agent, [], {});
      const token = await api.account("pia", ["probe", "watch"]);
      const bad = [
        { tool: "ping", host: "-f" },
        { tool: "ping", host: "a;b" },
        { tool: "ping", host: "a", count: 21 },
        { tool: "ping", host: "a", options: "-f" },
        { tool: "capture", interface: "eth0", filter: "host a" },
        { tool: "capture", interface: "-w" },
        { tool: "capture", address: "a.example" },
        { tool: "capture", protocol: "icmp", port: 1 },
        { tool: "shell", host: "a" },
        {},
      ];
      for (const ask of bad) expect((await send(token, ask)).status, JSON.stringify(ask)).toBe(400);
      expect(asked).toHaveLength(0);
    }),
  PATIENT,
);

test(
  "why a server does not do it is said before the stream begins, and before anything is pressed",
  () =>
    withTools(async (api, agent, send) => {
      const token = await api.account("pia", ["probe"]);
      const refusal = async (): Promise<unknown> => (await send(token, PING)).json();
      const offers = async () =>
        (await api.done(token, "listTools", { params: { name: "web-1" } })).tools.map(({ tool, code }) => [tool, code]);
      expect(await refusal()).toMatchObject({ status: 409, code: "tools.agent_too_old" });
      expect(await offers()).toEqual(
        ["ping", "trace", "resolve", "capture"].map((tool) => [tool, "tools.agent_too_old"]),
      );
      agent.onDescribeTools = () => ({
        tools: [
          { tool: "ping", available: true },
          { tool: "trace", reasonCode: "tools.missing_program", reason: "install it" },
          { tool: "resolve", reasonCode: "access.nonsense", reason: "x".repeat(5_000) },
          { tool: "shell", available: true },
        ],
      });
      expect(await offers()).toEqual([
        ["ping", null],
        ["trace", "tools.missing_program"],
        ["resolve", "tools.unavailable"],
        ["capture", "tools.unsupported"],
      ]);
      agent.onTool = () => ({ refusedCode: "tools.missing_program", refusedMessage: "it has no ping" });
      expect(await refusal()).toMatchObject({ status: 409, code: "tools.missing_program" });
      agent.onTool = () => ({ refusedCode: "<script>", refusedMessage: "x".repeat(100_000) });
      const long = (await refusal()) as { code: string; detail: string };
      expect([long.code, long.detail.length < 400]).toEqual(["tools.unavailable", true]);
      agent.stop();
      await expect.poll(refusal, { timeout: 40_000 }).toMatchObject({ status: 503, code: "server.unreachable" });
      const codes = (await audited(api)) as readonly { action: string; result_code: string }[];
      expect(
        new Set(codes.filter(({ action }) => action === "server.tool_ended").map((one) => one.result_code)),
      ).toEqual(new Set(["tools.agent_too_old", "tools.missing_program", "tools.unavailable", "server.unreachable"]));
    }),
  PATIENT,
);

test(
  "whoever leaves ends it on the server, and nobody has more than a few",
  () =>
    withTools(async (api, agent, send) => {
      const asked: ToolRequest[] = [];
      agent.onTool = (request) => {
        asked.push(request);
        return request.stop ? { ended: true, outcome: "stopped" } : {};
      };
      const token = await api.account("pia", ["probe"]);
      const leave = new AbortController();
      for (let at = 0; at < 3; at++) expect((await send(token, PING, leave.signal)).status).toBe(200);
      expect(await (await send(token, PING)).json()).toMatchObject({ status: 429, code: "tools.too_many" });
      leave.abort();
      await expect.poll(() => asked.filter(({ stop }) => stop).length, { timeout: 10_000 }).toBe(3);
      await expect
        .poll(async () => ((await audited(api)) as readonly { result_code: string }[]).at(-1)?.result_code)
        .toBe("tools.stopped");
      expect((await send(token, PING, AbortSignal.timeout(5_000))).status, "their places are free again").toBe(200);
    }),
  PATIENT,
);

test(
  "a run ends with the permission",
  () =>
    withTools(async (api, agent, send) => {
      const asked: ToolRequest[] = [];
      agent.onTool = (request) => {
        asked.push(request);
        return {};
      };
      const response = await send(await api.account("pia", ["probe"]), PING);
      await api.test.owner.run(sql`delete from grants where permission = 'probe'`);
      expect((await heard(response)).at(-1)).toMatchObject({ event: "ended", data: { outcome: "stopped" } });
      expect(asked.at(-1)?.stop).toBe(true);
    }),
  PATIENT,
);

test(
  "of a server that goes away it is said that the end is not known; one that lies hands on headers and nothing else",
  () =>
    withTools(async (api, agent, send) => {
      const token = await api.account("pia", ["probe", "watch"]);
      const capture = { tool: "capture", interface: "eth0" };
      const headers = Buffer.alloc(42, 0);
      headers.set([0x08, 0x00, 0x45], 12);
      headers.set([17], 23);
      const packet = { seconds: 1, micros: 2, length: 50, headers: Buffer.concat([headers, Buffer.from("password")]) };
      saying(agent, [pcapFile({ linkType: 1, packets: [packet] })], { outcome: "<b>", message: "a\nb" });
      const events = await heard(await send(token, capture));
      expect(events.slice(1)).toEqual([
        {
          event: "packets",
          data: {
            linkType: 1,
            packets: [{ seconds: 1, micros: 2, length: 50, headers: headers.toString("base64") }],
          },
        },
        { event: "ended", data: { outcome: "failed", message: "a?b" } },
      ]);
      saying(agent, [Buffer.from("event: ended\ndata: {}\n\n and no packets")], { outcome: "done" });
      expect((await heard(await send(token, capture))).at(-1)).toMatchObject({ data: { outcome: "failed" } });
      const endless = saying(agent, Array<Buffer>(50).fill(Buffer.alloc(60_000, "x")), { outcome: "done" });
      expect((await heard(await send(token, PING))).at(-1)).toMatchObject({ data: { outcome: "too_much" } });
      expect(endless.at(-1)?.stop).toBe(true);
      agent.onTool = ({ begin }) => (begin.case === undefined ? { refusedCode: "tools.lost" } : {});
      expect((await heard(await send(token, PING))).at(-1)).toMatchObject({ data: { outcome: "lost" } });
    }),
  PATIENT,
);
