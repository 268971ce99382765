import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import { text as readText } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

/** The program itself, as a shell starts it. */
function start(argv: readonly string[], stdout: number | "pipe"): ChildProcess {
  const stdio: StdioOptions = ["ignore", stdout, "pipe"];
  return spawn(process.execPath, [path.join(import.meta.dirname, "../src/main.ts"), ...argv], {
    stdio,
    env: { PATH: process.env["PATH"], HOLDFAST_URL: api.url, HOLDFAST_TOKEN: "t", HOME: "/nonexistent" },
  });
}

async function ended(child: ChildProcess): Promise<{ readonly code: unknown; readonly stderr: string }> {
  const { stderr } = child;
  const [[code], said] = await Promise.all([once(child, "exit"), stderr === null ? "" : readText(stderr)]);
  return { code, stderr: said };
}

test("a reader that leaves ends nothing and is no bug: the exit code is the command's own", async () => {
  api.on("GET /doctor", { json: { rows: [{ id: "a", asks: "x", holds: true, evidence: "", remedy: "" }] } });
  const child = start(["doctor"], "pipe");
  child.stdout?.destroy();
  expect(await ended(child)).toEqual({ code: 0, stderr: "" });
});

test("a disk that is full is told, and ends 1: a secret that is shown once may be lost", async () => {
  api.on("GET /roles", { json: { items: [] } });
  const full = openSync("/dev/full", "w");
  try {
    const { code, stderr } = await ended(start(["role", "list"], full));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Standard output takes no more: ENOSPC.* not all there\.$/m),
    ]);
  } finally {
    closeSync(full);
  }
});

test("a pipeline that is traced finds what it asked for in its own trace; whatever else the variable holds is not sent", async () => {
  api.on("GET /roles", { json: { items: [] } });
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await runCli(["role", "list"], { url: api.url, env: { TRACEPARENT: trace } });
  await runCli(["role", "list"], { url: api.url, env: { TRACEPARENT: "canary" } });
  expect(api.asked.map(({ headers }) => headers["traceparent"])).toEqual([trace, undefined]);
});
