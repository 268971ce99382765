import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { pcapFile } from "@holdfast/core/tool/pcap.ts";
import { type ToolRequest, ToolRequestSchema } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openLog } from "../log/log.ts";
import type { startTool, ToolListener } from "../os/tool-process.ts";
import { ToolRuns } from "./tool-runs.ts";
import { toolsHere } from "./tools-here.ts";

const ONE = "01900000-0000-7000-8000-000000000001";
const PING = { case: "ping", value: { host: "192.0.2.1", count: 4 } } as const;
const CAPTURE = { case: "capture", value: { interface: "eth0", count: 9, seconds: 10 } } as const;

interface Started {
  readonly program: string;
  readonly listener: ToolListener;
  ends: number;
  kills: number;
}
let started: Started[];
let nowMs: number;
let runs: ToolRuns;

const start: typeof startTool = (program, _operands, _needsRaw, listener) => {
  const one = { program, listener, ends: 0, kills: 0 };
  started.push(one);
  return { end: () => void (one.ends += 1), kill: () => void (one.kills += 1) };
};

beforeEach(() => {
  vi.useFakeTimers();
  started = [];
  nowMs = 1_000;
  runs = open();
});
afterEach(() => {
  runs.close();
  vi.useRealTimers();
});

function open(find: (paths: readonly string[]) => string | null = ([first = ""]) => first): ToolRuns {
  const log = openLog("tool-runs.test", 2);
  return new ToolRuns({ tools: ["ping", "trace", "capture"], most: 2, log, nowMs: () => nowMs, start, find });
}

function ask(part: MessageInitShape<typeof ToolRequestSchema>, of = runs) {
  const request: ToolRequest = create(ToolRequestSchema, { runId: ONE, ...part });
  const { output, ...rest } = of.ask(request);
  return { ...rest, text: Buffer.from(output ?? new Uint8Array()).toString() };
}

function pass(ms: number): void {
  nowMs += ms;
  vi.advanceTimersByTime(ms);
}

test("asked twice it is one run, and its output is given from where one is", () => {
  expect(ask({ begin: PING })).toMatchObject({ ended: false, text: "" });
  started[0]?.listener.onOutput(Buffer.from("one\n"));
  expect(ask({ begin: PING })).toMatchObject({ text: "one\n", next: 4n });
  started[0]?.listener.onOutput(Buffer.from("two\n"));
  expect(ask({ after: 4n })).toMatchObject({ text: "two\n", next: 8n, ended: false });
  started[0]?.listener.onEnd(1, "");
  expect(ask({ after: 8n })).toMatchObject({ ended: true, outcome: "no_answer" });
  expect(ask({ after: 999n }), "beyond the end").toMatchObject({ ended: true, next: 8n });
  expect(started).toHaveLength(1);
});

test("whoever goes away leaves nothing running, and a late question begins nothing", () => {
  ask({ begin: PING });
  pass(4_900);
  expect(started[0]?.kills).toBe(0);
  ask({ after: 0n });
  pass(4_900);
  expect(started[0]?.kills, "asking keeps it").toBe(0);
  pass(1_000);
  expect(started[0]?.kills).toBe(1);
  expect(runs.isBusy()).toBe(false);
  expect(ask({ after: 0n })).toMatchObject({ refusedCode: "tools.lost" });
  expect(ask({ begin: PING, stop: true }), "stopped before it began").toMatchObject({ refusedCode: "tools.lost" });
  expect(started).toHaveLength(1);
});

test("enough is enough: it is asked to end once, and its last words are given", () => {
  ask({ begin: PING });
  ask({ stop: true });
  ask({ stop: true });
  expect(started[0]).toMatchObject({ ends: 1, kills: 0 });
  started[0]?.listener.onOutput(Buffer.from("statistics\n"));
  started[0]?.listener.onEnd(0, "");
  expect(ask({})).toMatchObject({ text: "statistics\n", ended: true, outcome: "stopped" });
});

test("time is a bound, but the seconds of a capture are what was asked for", () => {
  ask({ begin: PING });
  ask({ runId: ONE.replace(/1$/, "2"), begin: CAPTURE });
  for (let second = 0; second < 22; second++) {
    pass(1_000);
    ask({});
    ask({ runId: ONE.replace(/1$/, "2") });
  }
  expect(started.map(({ ends }) => ends)).toEqual([1, 1]);
  for (const { listener } of started) listener.onEnd(null, "ended by SIGINT");
  expect(ask({})).toMatchObject({ outcome: "too_long" });
  expect(ask({ runId: ONE.replace(/1$/, "2") })).toMatchObject({ outcome: "done" });
});

test("a program that does not stop talking is ended, and given in parts", () => {
  ask({ begin: PING });
  started[0]?.listener.onOutput(Buffer.alloc(300 * 1024, "x"));
  started[0]?.listener.onEnd(null, "ended by SIGKILL");
  expect(started[0]?.kills).toBe(1);
  let after = 0n;
  for (let parts = 0; ; parts++) {
    const answer = ask({ after });
    after = answer.next as bigint;
    expect(answer.text.length).toBeLessThanOrEqual(64 * 1024);
    if (answer.ended !== true) continue;
    expect([parts, after, answer.outcome]).toEqual([3, 262_144n, "too_much"]);
    break;
  }
});

test("of a capture nothing but headers is kept, and what the program says of itself is no packet", () => {
  ask({ begin: CAPTURE });
  const headers = Buffer.alloc(42, 0);
  headers.writeUInt16BE(0x0800, 12);
  headers.set([0x45], 14);
  headers.set([17], 23);
  const packet = { seconds: 1, micros: 2, length: 50, headers: Buffer.concat([headers, Buffer.from("password")]) };
  const file = Buffer.from(pcapFile({ linkType: 1, packets: [packet] }));
  started[0]?.listener.onOutput(file.subarray(0, 30));
  started[0]?.listener.onOutput(file.subarray(30));
  started[0]?.listener.onError(Buffer.from("1 packet captured\n"));
  started[0]?.listener.onEnd(0, "");
  const answer = ask({});
  expect(answer).toMatchObject({ ended: true, outcome: "done", message: "1 packet captured", next: 82n });
  expect(answer.text).not.toContain("pass");
});

test("a capture that is no pcap is ended and said to have failed", () => {
  ask({ begin: CAPTURE });
  started[0]?.listener.onOutput(Buffer.from("this is no file of packets at all"));
  started[0]?.listener.onEnd(null, "ended by SIGKILL");
  expect(ask({})).toMatchObject({ outcome: "failed", text: "", message: "this is no pcap" });
});

test.each([
  [{ begin: { case: "ping", value: { host: "-f", count: 1 } } }, "tools.invalid"],
  [{ begin: { case: "ping", value: { host: "a", count: 99 } } }, "tools.invalid"],
  [{ begin: { case: "ping", value: { host: "a", count: 1, family: 5 } } }, "tools.invalid"],
  [{ begin: { case: "capture", value: { interface: "eth0", count: 1, seconds: 1, protocol: "x" } } }, "tools.invalid"],
  [{ begin: PING, runId: "../../etc" }, "tools.invalid"],
  [{ begin: { case: "resolve", value: { host: "a" } } }, "tools.unsupported"],
  [{}, "tools.lost"],
] as const)("%j is refused as %s", (part, code) => {
  expect(ask(part as MessageInitShape<typeof ToolRequestSchema>)).toMatchObject({ refusedCode: code });
  expect(started).toHaveLength(0);
});

test("more than a few at once, and a program that is not there, are refused", () => {
  ask({ begin: PING });
  ask({ runId: ONE.replace(/1$/, "2"), begin: PING });
  expect(ask({ runId: ONE.replace(/1$/, "3"), begin: PING })).toMatchObject({ refusedCode: "tools.busy" });
  started[0]?.listener.onEnd(0, "");
  expect(ask({ runId: ONE.replace(/1$/, "3"), begin: PING }), "one has ended").not.toHaveProperty("refusedCode");
  const bare = open(() => null);
  expect(ask({ begin: PING }, bare)).toMatchObject({
    refusedCode: "tools.missing_program",
    refusedMessage: "it has no /usr/bin/ping: install iputils-ping",
  });
});

test("which tools there are is said with the reason why not", () => {
  const codes = (noCapture: string | null, missing: string, isPingAllowed: boolean) =>
    toolsHere(
      noCapture,
      (paths) => (paths.some((path) => path.includes(missing)) ? null : (paths[0] ?? null)),
      () => isPingAllowed,
    ).map(({ reasonCode }) => reasonCode);
  expect(codes(null, "nothing", true)).toEqual(["", "", "", ""]);
  expect(codes("no unit", "tracepath", false)).toEqual([
    "tools.not_permitted",
    "tools.missing_program",
    "",
    "tools.unsupported",
  ]);
});
