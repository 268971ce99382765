/**
 * Reads one source file and says which rules of rooms.ts it breaks, in words: file, what it does, why that is wrong.
 * Pure: text in, violations out; walking the tree is room-files.ts.
 */
import { posix } from "node:path";
import { type ParseResult, parseSync } from "oxc-parser";
import { impureUses } from "./impure-uses.ts";
import {
  DOMAIN_FILES_FOR_FACES,
  DOMAIN_NAMES,
  FOR_TESTS,
  PLACES,
  ROOM_NAMES,
  ROOMS,
  type Room,
  type RoomName,
  WORKSHOP_ROOMS,
} from "./rooms.ts";

export interface Violation {
  /** Path from the repository's root. */
  readonly file: string;
  readonly what: string;
  readonly reason: string;
}

export function printViolation({ file, what, reason }: Violation): string {
  return `${file} ${what}: ${reason}`;
}

/** Written by a generator, which says so at its top. */
const GENERATED = /^proto\/gen\//;

function isTestFile(file: string): boolean {
  return /\.test\.tsx?$/.test(file) || /^[a-z0-9]+\/test\//.test(file);
}

function roomOf(file: string): RoomName | undefined {
  const first = file.split("/")[0];
  return ROOM_NAMES.find((name) => name === first);
}

/** One import of a module, however it is written. `names`: what is taken of it; undefined: all of it. */
interface Import {
  readonly specifier: string;
  readonly names: readonly string[] | undefined;
  readonly typeOnly: boolean;
}

export function violationsIn(file: string, source: string): Violation[] {
  const room = roomOf(file);
  if (room === undefined) return [];
  const parsed = parseSync(file, source);
  const firstError = parsed.errors[0];
  if (firstError !== undefined) {
    return [
      { file, what: `does not parse (${firstError.message})`, reason: "a file that cannot be read cannot be checked" },
    ];
  }
  const broken: Violation[] = [];
  const say = (what: string, reason: string): void => void broken.push({ file, what, reason });

  for (const imported of importsOf(parsed, source)) {
    if (imported === "computed") {
      if (!WORKSHOP_ROOMS.includes(room) && !isTestFile(file)) {
        say("imports a computed path", "what a file imports must be readable in its text");
      }
      continue;
    }
    const reason = importFault(file, room, imported);
    if (reason !== undefined) say(`imports ${imported.specifier}`, reason);
  }
  if (ROOMS[room].pure && !isTestFile(file)) {
    for (const use of impureUses(parsed.program))
      say(`uses ${use}`, "time and randomness are arguments in a pure room");
  }
  for (const comment of GENERATED.test(file) ? [] : parsed.comments) {
    if (/\b(oxlint|eslint)-disable/.test(comment.value) && !/ -- \S/.test(comment.value)) {
      say(`silences a lint rule (${comment.value.trim()})`, "write why after ` -- `, or follow the rule");
    }
  }
  return broken;
}

function importsOf(parsed: ParseResult, source: string): (Import | "computed")[] {
  const { staticImports, staticExports, dynamicImports } = parsed.module;
  const found: (Import | "computed")[] = staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    names: onlyNames(entries.filter(({ isType }) => !isType).map(({ importName }) => importName.name)),
    typeOnly: entries.length > 0 && entries.every(({ isType }) => isType),
  }));
  for (const { entries } of staticExports) {
    for (const { moduleRequest, importName, isType } of entries) {
      if (moduleRequest === null) continue;
      found.push({ specifier: moduleRequest.value, names: onlyNames([importName.name]), typeOnly: isType });
    }
  }
  for (const { moduleRequest } of dynamicImports) {
    const text = source.slice(moduleRequest.start, moduleRequest.end);
    const specifier = /^(["'`])([^"'`$]+)\1$/.exec(text)?.[2];
    found.push(specifier === undefined ? "computed" : { specifier, names: undefined, typeOnly: false });
  }
  return found;
}

/** The default export and the whole namespace come without a name: they give everything. */
function onlyNames(names: readonly (string | null)[]): readonly string[] | undefined {
  return names.every((name) => name !== null) ? names : undefined;
}

/** Why this import is wrong here, or undefined. */
function importFault(file: string, room: RoomName, imported: Import): string | undefined {
  const { specifier } = imported;
  const fault = specifier.startsWith(".")
    ? relativeFault(file, room, specifier)
    : specifier.startsWith("@holdfast/")
      ? crossRoomFault(file, room, specifier)
      : packageFault(file, room, specifier);
  return fault ?? placeFault(file, room, imported);
}

function relativeFault(file: string, room: RoomName, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(file), specifier);
  if (roomOf(target) !== room) return `no relative path leaves a room: write @holdfast/<room>/<file>.ts`;
  if (room !== "domains" || isTestFile(file)) return undefined;
  const from = domainOf(file);
  const to = domainOf(target);
  if (from === undefined) return undefined;
  if (to !== undefined && to !== from) return "a domain never imports another domain: what both need belongs in core";
  if (target === "domains/src/registry.ts") return "the registry imports the domains, not the other way round";
  return undefined;
}

function domainOf(file: string): string | undefined {
  return DOMAIN_NAMES.find((name) => file.startsWith(`domains/src/${name}/`));
}

function crossRoomFault(file: string, room: RoomName, specifier: string): string | undefined {
  const [, name = "", ...rest] = specifier.split("/");
  const path = rest.join("/");
  const target = ROOM_NAMES.find((known) => known === name);
  if (target === undefined) return `there is no room "${name}"`;
  if (target === room) return "inside a room imports are relative";
  const row: Room = ROOMS[room];
  const allowed = isTestFile(file) ? [...row.rooms, ...FOR_TESTS.rooms] : row.rooms;
  if (!allowed.includes(target)) {
    return WORKSHOP_ROOMS.includes(target) ? `production never imports ${target}` : row.reason;
  }
  const { faces, files, reason } = DOMAIN_FILES_FOR_FACES;
  if (target === "domains" && faces.some((face) => face === room) && !files.test(path)) return reason;
  return undefined;
}

function packageFault(file: string, room: RoomName, specifier: string): string | undefined {
  const row: Room = ROOMS[room];
  const test = isTestFile(file);
  if (specifier.startsWith("node:")) {
    if (row.node || test) return undefined;
    return row.pure
      ? `${room} is pure: files, clocks and networks are given to it as arguments`
      : `${room} runs in a browser too`;
  }
  if (row.npm === "declared") return undefined;
  const name = specifier.startsWith("@") ? specifier.split("/").slice(0, 2).join("/") : (specifier.split("/")[0] ?? "");
  if (Object.hasOwn(row.npm, name) || (test && Object.hasOwn(FOR_TESTS.npm, name))) return undefined;
  return `the package ${name} is not in this room's list (testkit/src/rooms.ts), where each has its purpose`;
}

function placeFault(file: string, room: RoomName, { specifier, names, typeOnly }: Import): string | undefined {
  if (typeOnly || isTestFile(file)) return undefined;
  for (const place of PLACES) {
    if (!place.rooms.includes(room) || !place.imports.test(specifier)) continue;
    if (place.allowed.some((allowed) => allowed.test(file))) continue;
    const { harmless } = place;
    if (harmless !== undefined && names !== undefined && names.every((name) => harmless.has(name))) continue;
    return place.reason;
  }
  return undefined;
}
