import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { connectUnix } from "@holdfast/agent/os/sockets.ts";
import { clientOver } from "@holdfast/agent/rpc/http2-transport.ts";
import { ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Rule } from "./check.ts";
import { readModuleCase, type ModuleCase } from "./module-case.ts";
import { ModuleProcess } from "./module-process.ts";
import { CHECKS, reportInWords, runConformance, type CheckResult } from "./run-conformance.ts";
import type { Variant } from "./tiny-module/broken-variants.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "holdfast-conformance-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const place = (name: string): string => join(home, name);

function tinyCase(): ModuleCase {
  const live = place("state/live.conf");
  const others = `cat ${place("state/neighbour.conf")}; grep -v '^holdfast' ${live}; true`;
  const read = readModuleCase(
    JSON.stringify({
      configs: {
        a: { settings: { colour: "blue", depth: "3", shape: "round" } },
        b: { settings: { colour: "green", shape: "round", weight: "7 kg" } },
        invalid: [
          { config: { settings: { colour: 7 } }, field: "colour" },
          { config: { settings: {}, more: true }, field: "more" },
          { config: [], field: "settings" },
        ],
      },
      native: ["sh", "-c", `grep '^holdfast' ${live} 2>/dev/null; true`],
      tamper: ["sed", "-i", "s/=blue/=red/", live],
      foreign: {
        make: ["sh", "-c", `echo theirs=1 >>${live}; echo theirs=2 >${place("state/neighbour.conf")}`],
        read: ["sh", "-c", others],
        remove: ["sh", "-c", `sed -i '/^theirs/d' ${live}; rm -f ${place("state/neighbour.conf")}`],
      },
    }),
  );
  if (!read.ok) throw new Error(read.error);
  return read.value;
}

function tinyCommand(broken: Variant | ""): [string, ...string[]] {
  const main = join(import.meta.dirname, "tiny-module/tiny-module-main.ts");
  const places = ["socket", "state", "ledger", "snapshots"].flatMap((name) => [`--${name}`, place(name)]);
  return [
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    main,
    ...places,
    ...(broken === "" ? [] : ["--broken", broken]),
  ];
}

function runTiny(broken: Variant | "", rules: readonly Rule[]): Promise<readonly CheckResult[]> {
  return runConformance({
    domain: "system",
    moduleCase: tinyCase(),
    socket: place("socket"),
    ledger: place("ledger"),
    snapshots: place("snapshots"),
    start: tinyCommand(broken),
    only: ({ rule }) => rules.includes(rule),
  });
}

const brokenIn = (results: readonly CheckResult[]): readonly string[] =>
  results.filter(({ broken }) => broken !== null).map(({ name }) => name);

/** A dozen starts of a process among eight other test files. */
const PATIENCE_MS = 120_000;

test("a tiny module on another gRPC stack passes every check", { timeout: PATIENCE_MS }, async () => {
  const results = await runTiny("", ["contract", "M1", "M2", "M3", "M4", "M5", "M6", "M7"]);
  expect(results).toHaveLength(CHECKS.length);
  expect(reportInWords(results)).toContain(`\n${CHECKS.length} passed, 0 failed`);
});

/** Which promise each variant breaks, and the check that says so. */
const FOUND_OUT = {
  "lies-in-verify": ["M5", "Verify finds another config wanting"],
  "ignores-the-ledger": ["M2", "ApplyStep is refused once reverting is written"],
  "looks-before-it-locks": ["M2", "ApplyStep waits for the ledger's lock, and looks after it has it"],
  "plans-by-chance": ["M4", "two plans are equal byte for byte"],
  "tidies-up-after-others": ["M6", "Persist and Load leave foreign objects alone"],
  "forgets-after-a-crash": ["M7", "after a crash between two calls GetState says the same"],
} as const satisfies Record<Variant, readonly [Rule, string]>;

test.each(Object.entries(FOUND_OUT) as [Variant, readonly [Rule, string]][])(
  "a module that %s is found out",
  { timeout: PATIENCE_MS },
  async (variant, [rule, name]) => {
    const broken = brokenIn(await runTiny(variant, [rule]));
    expect(broken).toContain(name);
  },
);

test("the agent's own client speaks with a module on another gRPC stack", { timeout: PATIENCE_MS }, async () => {
  const module = new ModuleProcess(tinyCommand(""), place("socket"));
  try {
    await module.start();
    const socket = await connectUnix(place("socket"));
    if (socket === null) throw new Error("nobody listens");
    const connection = clientOver(socket);
    const client = createClient(ModuleService, connection.transport);
    expect(await client.describe({})).toMatchObject({ name: "tiny", available: true });
    const refused = client.applyStep({ requestId: "unknown", configJson: "null", confirmedJson: "null" });
    await expect(refused).rejects.toThrow("module.not_at_step_begin");
    connection.close();
  } finally {
    await module.kill();
  }
});

test("the kit writes into an empty ledger only: a full one may be that of a real server", async () => {
  const ledger = place("ledger");
  await runTiny("", []);
  await expect(runTiny("", [])).rejects.toThrow(`${ledger} is not empty`);
});

test("a case that is no case is refused by the name of its field", () => {
  expect(readModuleCase("{")).toMatchObject({ ok: false });
  const wrong = readModuleCase(JSON.stringify({ ...tinyCase(), tamper: [] }));
  expect(wrong).toMatchObject({ ok: false, error: expect.stringContaining("tamper") as string });
});
