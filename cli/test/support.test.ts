import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { redactor } from "../src/support/redact.ts";
import { tar } from "../src/support/tar.ts";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";
import { apply } from "./specimens.ts";

let api: ApiDouble;
let folder: string;
beforeEach(async () => {
  api = await ApiDouble.start();
  folder = mkdtempSync(path.join(tmpdir(), "holdfast-support-"));
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

const page = (...items: unknown[]) => ({ json: { items, nextCursor: null } });

test("the bundle holds what a maintainer needs and nothing that names the house", async () => {
  const failed = apply({
    state: "FAILED",
    effect: "restore_failed",
    code: "firewall.x",
    message: "web-1 at 203.0.113.7 said no",
  });
  api
    .on("GET /doctor", { json: { rows: [{ id: "agents", holds: false, evidence: "away: web-1, web-10" }] } })
    .on("GET /servers", page({ id: "s1", name: "web-1", labels: { customer: "acme" } }, { id: "s2", name: "web-10" }))
    .on("GET /documents", page({ kind: "Policy", name: "acme-web" }))
    .on("GET /changes", page({ id: "c", title: "for acme", author: "kim" }))
    .on("GET /rollouts", page())
    .on("GET /applies", page(failed))
    .on(`GET /applies/${failed.id}`, {
      json: { ...failed, message: "web-1 at 203.0.113.7 and 2001:db8::7: no", secretThing: "x" },
    })
    .on("GET /alerts", page({ kind: "drift", message: "web-10 drifted from aa:bb:cc:dd:ee:ff" }))
    .on("GET /deliveries", page())
    .on("GET /audit", {
      status: 403,
      json: {
        type: "t",
        title: "t",
        status: 403,
        code: "access.permission_missing",
        detail: "d",
        remedy: "",
        requestId: "r",
      },
    })
    .on("GET /audit/verify", { json: { intact: true } });
  const file = path.join(folder, "b.tar.gz");
  const ran = await runCli(["support", "bundle", "--out", file], { url: api.url });
  expect(ran.stderr).toBe("");
  expect(ran.exitCode).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // The system's own tar reads it.
  const names = execFileSync("tar", ["-tzf", file], { encoding: "utf8" }).trimEnd().split("\n");
  expect(names).toEqual(expect.arrayContaining(["about.json", "doctor.json", "stories.json", "audit.json"]));
  const all = execFileSync("tar", ["-xzOf", file], { encoding: "utf8" });
  for (const word of ["web-1", "web-10", "acme", "kim", "203.0.113.7", "2001:db8::7", "aa:bb:cc"])
    expect(all).not.toContain(word);
  const read = (name: string): unknown => JSON.parse(execFileSync("tar", ["-xzOf", file, name], { encoding: "utf8" }));
  expect(read("stories.json")).toMatchObject([
    {
      state: "FAILED",
      code: "firewall.x",
      message: "server-1 at address-1 and address-2: no",
      secretThing: "[left out]",
    },
  ]);
  expect(read("doctor.json")).toMatchObject({ rows: [{ evidence: "away: server-1, server-2" }] });
  expect(read("audit.json")).toEqual({ notAnswered: "access.permission_missing" });
  // A file that is there is not written over.
  expect((await runCli(["support", "bundle", "--out", file], { url: api.url })).exitCode).toBe(1);
});

test("no address leaves, wherever it stands and however it is written", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV4(), fc.ipV6()),
      fc.constantFrom("", "on ", "tcp:", "(", "to="),
      fc.constantFrom("", ".", ", then", "/24", ")"),
      (address, before, after) => {
        const [hidden] = [redactor().redact({ message: `${before}${address}${after}` }) as { message: string }];
        if (["127.0.0.1", "0.0.0.0", "::1", "::"].includes(address)) return;
        expect(hidden.message).not.toContain(address);
      },
    ),
    { numRuns: 500 },
  );
});

test("times, ids and codes stay as they are", () => {
  const value = {
    at: "2026-01-02T03:04:05.678Z",
    id: "0199a000-0000-7000-8000-000000000001",
    code: "apply.probe_failed",
    actor: "system/saga",
    serverIs: "as_before",
    count: 7,
    nothing: null,
  };
  expect(redactor().redact(value)).toEqual(value);
});

test("an archive of files of any length is read by tar", () => {
  const files = [0, 1, 511, 512, 513, 5_000].map((size) => ({ name: `f${size}`, text: "x".repeat(size) }));
  const listed = execFileSync("tar", ["-tvf", "-"], { input: tar(files, 1_700_000_000), encoding: "utf8" });
  expect(
    listed
      .trimEnd()
      .split("\n")
      .map((line) => Number(/\s(\d+)\s/.exec(line)?.[1])),
  ).toEqual([0, 1, 511, 512, 513, 5_000]);
});
