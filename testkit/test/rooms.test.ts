import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY_ROOT, roomSources } from "../src/repository.ts";
import { printViolation, violationsIn } from "../src/room-violations.ts";
import { ROOM_NAMES, ROOMS, type Room, type RoomName } from "../src/rooms.ts";

/** Rooms without a package of their own. */
const PLAIN_FOLDERS: readonly RoomName[] = ["deploy", "docs"];
const PACKAGES = ROOM_NAMES.filter((name) => !PLAIN_FOLDERS.includes(name));

interface Manifest {
  readonly name?: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: unknown;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(REPOSITORY_ROOT, folder, "package.json"), "utf8")) as Manifest;
}

/** Every source is read and parsed: seconds alone, and many times that where the machine is busy. */
const EVERY_FILE_MS = 300_000;

test("S19: no file of any room breaks a rule", { timeout: EVERY_FILE_MS }, () => {
  const sources = roomSources(REPOSITORY_ROOT);
  expect(sources).toContain("testkit/src/rooms.ts");
  const broken = sources.flatMap((file) => violationsIn(file, readFileSync(join(REPOSITORY_ROOT, file), "utf8")));
  expect(broken.map(printViolation)).toEqual([]);
});

test("the map names the rooms that are there: no more and no fewer", () => {
  const packagesAtTheRoot = readdirSync(REPOSITORY_ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(REPOSITORY_ROOT, entry.name, "package.json")))
    .map((entry) => entry.name)
    .filter((name) => !name.startsWith(".") && name !== "node_modules");
  expect(packagesAtTheRoot.toSorted()).toEqual(PACKAGES.toSorted());
  expect(manifestOf(".").workspaces?.toSorted()).toEqual(PACKAGES.toSorted());
  for (const name of ROOM_NAMES) expect(existsSync(join(REPOSITORY_ROOT, name)), `${name}/ exists`).toBe(true);
});

test.each(PACKAGES)("%s depends on what the map allows it, and on no more", (name) => {
  const room: Room = ROOMS[name];
  const { name: packageName, dependencies = {}, devDependencies = {} } = manifestOf(name);
  expect(packageName).toBe(`@holdfast/${name}`);
  const ours = Object.keys(dependencies).filter((dependency) => dependency.startsWith("@holdfast/"));
  for (const dependency of ours) expect(room.rooms.map((allowed) => `@holdfast/${allowed}`)).toContain(dependency);
  if (room.npm === "declared") return;
  // What is built into a bundle is a devDependency; declarations of types are no code.
  const others = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (dependency) => !dependency.startsWith("@holdfast/") && !dependency.startsWith("@types/"),
  );
  expect(others.toSorted(), "the list of packages in testkit/src/rooms.ts").toEqual(Object.keys(room.npm).toSorted());
});

test("the whole house is in the solution that `npm run types` checks", () => {
  const solution = readFileSync(join(REPOSITORY_ROOT, "tsconfig.json"), "utf8");
  for (const name of PACKAGES) expect(solution).toContain(`"path": "${name}"`);
});

test.each([
  ["core/src/a.ts", `import { readFileSync } from "node:fs";`, "imports node:fs"],
  ["core/src/a.ts", `import { ok } from "@holdfast/domains/x.ts";`, "imports @holdfast/domains/x.ts"],
  ["core/src/a.ts", `import type { X } from "pg";`, "imports pg"],
  ["core/src/a.ts", `export const now = () => Date.now();`, "uses Date.now"],
  ["core/src/a.ts", `export const now = () => new Date();`, "uses new Date()"],
  ["domains/src/vpn/a.ts", `export const now = () => Date();`, "uses Date()"],
  ["domains/src/vpn/a.ts", `export const dice = Math.random;`, "uses Math.random"],
  ["domains/src/vpn/plan.ts", `export * from "../firewall/plan.ts";`, "imports ../firewall/plan.ts"],
  ["domains/src/vpn/plan.ts", `import { all } from "../registry.ts";`, "imports ../registry.ts"],
  ["domains/src/vpn/plan.ts", `import { a } from "../../../core/src/a.ts";`, "imports ../../../core/src/a.ts"],
  [
    "domains/src/vpn/plan.ts",
    `import { a } from "@holdfast/domains/domain.ts";`,
    "imports @holdfast/domains/domain.ts",
  ],
  ["proto/gen/a_pb.ts", `import { a } from "@holdfast/core/a.ts";`, "imports @holdfast/core/a.ts"],
  ["control/src/main.ts", `import { a } from "@holdfast/agent/a.ts";`, "imports @holdfast/agent/a.ts"],
  ["control/src/main.ts", `const a = await import("@holdfast/agent/a.ts");`, "imports @holdfast/agent/a.ts"],
  ["control/src/main.ts", `const a = await import(name);`, "imports a computed path"],
  ["control/src/main.test.ts", `import { a } from "@holdfast/agent/a.ts";`, "imports @holdfast/agent/a.ts"],
  ["control/src/main.ts", `import { a } from "@holdfast/testkit/a.ts";`, "imports @holdfast/testkit/a.ts"],
  ["control/src/main.ts", `import { test } from "vitest";`, "imports vitest"],
  ["control/src/main.ts", `import lodash from "lodash/fp";`, "imports lodash/fp"],
  ["control/src/api/changes.ts", `import { Client } from "pg";`, "imports pg"],
  ["control/src/api/changes.ts", `import { spawn } from "node:child_process";`, "imports node:child_process"],
  ["agent/src/ledger/ledger.ts", `import { a } from "@holdfast/control/a.ts";`, "imports @holdfast/control/a.ts"],
  ["agent/src/ledger/ledger.ts", `import { readFileSync, writeFileSync } from "node:fs";`, "imports node:fs"],
  ["agent/src/ledger/ledger.ts", `import * as fs from "node:fs/promises";`, "imports node:fs/promises"],
  ["agent/src/ledger/ledger.ts", `import fs from "node:fs";`, "imports node:fs"],
  ["agent/src/session/dial.ts", `import { execFile } from "node:child_process";`, "imports node:child_process"],
  ["console/src/a.tsx", `import { a } from "../../control/src/a.ts";`, "imports ../../control/src/a.ts"],
  ["console/src/a.tsx", `import { join } from "node:path";`, "imports node:path"],
  [
    "cli/src/a.ts",
    `import { plan } from "@holdfast/domains/firewall/plan.ts";`,
    "imports @holdfast/domains/firewall/plan.ts",
  ],
  ["cli/src/a.ts", `import { a } from "@holdfast/helpers/a.ts";`, "imports @holdfast/helpers/a.ts"],
  ["cli/src/a.ts", `// oxlint-disable-next-line no-console\nexport const a = 1;`, "silences a lint rule"],
  ["cli/src/a.ts", `export const = 1;`, "does not parse"],
])("the checker catches a planted fault: %s with %s", (file, source, expected) => {
  const found = violationsIn(file, source).map(printViolation);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${file} ${expected}`);
  expect(found[0]).toMatch(/: \S.{10,}/);
});

test.each([
  ["core/src/a.ts", `import { z } from "zod"; export const day = (ms: number) => new Date(ms);`],
  [
    "core/src/a.test.ts",
    `import { readFileSync } from "node:fs"; import fc from "fast-check"; import { t } from "vitest";`,
  ],
  ["core/test/golden.ts", `import { writeFileSync } from "node:fs"; Date.now();`],
  ["domains/src/vpn/plan.ts", `import { render } from "./render.ts"; import type { Domain } from "../domain.ts";`],
  [
    "domains/src/registry.ts",
    `import { firewall } from "./firewall/domain.ts"; import { vpn } from "./vpn/domain.ts";`,
  ],
  ["control/src/store/applies.ts", `import { Pool } from "pg";`],
  ["control/src/saga/store/lease.ts", `import type { QueryResult } from "pg";`],
  ["control/src/api/changes.ts", `import type { PoolClient } from "pg";`],
  ["control/src/postgres/supervise.ts", `import { spawn } from "node:child_process";`],
  ["control/src/api/a.test.ts", `import pg from "pg"; import { database } from "@holdfast/testkit/database.ts";`],
  ["agent/src/ledger/read.ts", `import { readFileSync, type WriteStream } from "node:fs";`],
  ["agent/src/os/files.ts", `import { writeFileSync } from "node:fs"; import { spawn } from "node:child_process";`],
  [
    "cli/src/a.ts",
    `import { model } from "@holdfast/domains/firewall/model.ts"; import { all } from "@holdfast/domains/registry.ts";`,
  ],
  ["cli/src/a.ts", `// oxlint-disable-next-line no-console -- this is the one place that prints\nexport const a = 1;`],
  ["proto/gen/a_pb.ts", `/* eslint-disable */ import type { Message } from "@bufbuild/protobuf";`],
  ["e2e/lock-out.e2e.test.ts", `import { a } from "@holdfast/agent/a.ts"; import { b } from "@holdfast/control/b.ts";`],
])("what is allowed is left alone: %s with %s", (file, source) => {
  expect(violationsIn(file, source).map(printViolation)).toEqual([]);
});
