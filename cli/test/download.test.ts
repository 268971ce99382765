import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runCli } from "./run-cli.ts";

let server: Server;
let url: string;
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((_, response) => answer(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  // A deadline over all of it would be seen too.
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    const ended = new AbortController();
    setTimeout(() => ended.abort(new Error("the time is over")), ms);
    return ended.signal;
  });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** Lets time pass, ten seconds at a time, until the command has ended. */
async function whileTimePasses<T>(running: Promise<T>): Promise<T> {
  const state = { ended: false };
  void running.finally(() => {
    state.ended = true;
  });
  while (!state.ended) {
    vi.advanceTimersByTime(10_000);
    await turn();
  }
  return running;
}

test("a file that takes many minutes comes whole: only silence ends it", async () => {
  const parts = ["1\n", "2\n", "3\n", "4\n", "5\n"];
  let response: ServerResponse | null = null;
  const next = (): void => {
    const part = parts.shift();
    if (part === undefined) response?.end();
    else response?.write(part);
  };
  answer = (opened) => {
    response = opened;
    next();
  };
  const take = async (): Promise<void> => {
    await turn();
    vi.advanceTimersByTime(50_000);
    next();
  };
  const ran = await runCli(["audit", "export"], { url, take });
  expect([ran.stderr, ran.exitCode, ran.stdout]).toEqual(["", 0, "1\n2\n3\n4\n5\n"]);
});

test("a control plane that falls silent in the middle, or says nothing at all, ends it with its word", async () => {
  answer = (response) => {
    response.write("1\n");
  };
  const cut = await whileTimePasses(runCli(["audit", "export"], { url }));
  expect([cut.exitCode, cut.stderr]).toEqual([4, expect.stringContaining("cli.cut_off")]);

  answer = () => {
    // Never a header.
  };
  const silent = await whileTimePasses(runCli(["audit", "export"], { url }));
  expect([silent.exitCode, silent.stdout, silent.stderr]).toEqual([4, "", expect.stringContaining("no word for 60 s")]);
});

test("nothing is read ahead of a reader that is slow", async () => {
  const part = "x".repeat(1_000);
  answer = (response) => {
    void (async () => {
      for (let count = 0; count < 20; count++) {
        response.write(part);
        await turn();
      }
      response.end();
    })();
  };
  const waited: number[] = [];
  const ran = await runCli(["audit", "export"], {
    url,
    take: async (taken, waiting) => {
      for (let count = 0; count < 20; count++) await turn();
      waited.push(waiting - taken.length);
    },
  });
  expect([ran.exitCode, ran.stdout.length]).toEqual([0, 20_000]);
  expect(new Set(waited)).toEqual(new Set([0]));
});

test("a file stands under its name when it is whole, and not before; one that is there stays", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "holdfast-export-"));
  const file = path.join(folder, "audit.jsonl");
  try {
    answer = (response) => {
      response.write("1\n");
      setImmediate(() => response.destroy());
    };
    const cut = await runCli(["audit", "export", "--out", file], { url });
    expect([cut.exitCode, cut.stderr, readdirSync(folder)]).toEqual([4, expect.stringContaining("cli.cut_off"), []]);

    answer = (response) => response.end("1\n2\n");
    const whole = await runCli(["audit", "export", "--out", file], { url });
    expect([whole.stderr, whole.exitCode, readdirSync(folder)]).toEqual(["", 0, ["audit.jsonl"]]);
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["1\n2\n", 0o600]);

    answer = (response) => response.end("3\n");
    const again = await runCli(["audit", "export", "--out", file], { url });
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("cli.file_not_written")]);
    expect([readFileSync(file, "utf8"), readdirSync(folder)]).toEqual(["1\n2\n", ["audit.jsonl"]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an answer that is cut off in the middle is told with what is known: nothing, where something was to be done", async () => {
  answer = (response) => {
    response.write('{"items":');
    setImmediate(() => response.destroy());
  };
  const read = await runCli(["user", "list"], { url });
  expect([read.exitCode, read.stderr]).toEqual([4, expect.stringMatching(/^cli.cut_off: .* try again\.\s*$/)]);
  const sent = await runCli(["user", "disable", "kim"], { url });
  expect([sent.exitCode, sent.stderr]).toEqual([
    4,
    expect.stringMatching(/^cli.cut_off: .* is not known: look before/),
  ]);
  answer = (response) => response.destroy();
  expect((await runCli(["user", "disable", "kim"], { url })).stderr).toContain("is not known: look before");
  expect((await runCli(["user", "list"], { url })).stderr).not.toContain("is not known");
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const nobody = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
  closed.close();
  await once(closed, "close");
  const refused = await runCli(["user", "disable", "kim"], { url: nobody });
  expect([refused.exitCode, refused.stderr]).toEqual([4, expect.not.stringContaining("is not known")]);
});

test.each(["", "localhost:7080", "holdfast.example", "ftp://holdfast.example", "http://a/?b"])(
  "%j is no address of a control plane: usage, with how one is written",
  async (wrong) => {
    const ran = await runCli(["user", "list"], { url: wrong });
    expect([ran.exitCode, ran.stderr]).toEqual([2, expect.stringContaining("HOLDFAST_URL")]);
  },
);
