import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { REPOSITORY_ROOT } from "../src/repository.ts";

/**
 * Compiles one source with a room's own settings, as if it stood in that room, and returns what the compiler says.
 * (`.mts`: in a folder without a package.json a `.ts` file would be CommonJS.)
 */
function compileAsIn(room: "core" | "domains", source: string): string {
  const folder = mkdtempSync(join(tmpdir(), "pure-room-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "planted.mts"), source);
  const settings = {
    extends: join(REPOSITORY_ROOT, room, "tsconfig.json"),
    compilerOptions: { incremental: false, tsBuildInfoFile: null },
    files: ["planted.mts"],
    include: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const tsc = join(REPOSITORY_ROOT, "node_modules/typescript/bin/tsc");
  return spawnSync(process.execPath, [tsc, "--project", folder, "--pretty", "false"], { encoding: "utf8" }).stdout;
}

test.each(["core", "domains"] as const)(
  "%s: the compiler itself refuses files, timers, the network and the process",
  (room) => {
    const output = compileAsIn(
      room,
      `import { readFileSync } from "node:fs";
export const powers = [readFileSync, setTimeout, fetch, process, console, crypto, performance];
enum State { Draft }
`,
    );
    for (const name of ["node:fs", "setTimeout", "fetch", "process", "console", "crypto", "performance"]) {
      expect(output).toContain(`Cannot find name '${name}'`);
    }
    expect(output).toContain("TS1294"); // enum: types must be strippable
  },
);

test("core: what is pure compiles", () => {
  const output = compileAsIn(
    "core",
    `export const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);\n`,
  );
  expect(output).toBe("");
});
