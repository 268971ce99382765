import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/**
 * The made-up part of a server that the tiny module looks after: a folder with settings, one `key=value` a line. The keys that begin with
 * `holdfast.` are the module's own, everything else in the folder belongs to others. `live.conf` is in force, `boot.conf` would be at boot.
 */
export type Settings = Readonly<Record<string, string>>;

export const STATE_FILES = { live: "live.conf", boot: "boot.conf" } as const;
export type StateFile = keyof typeof STATE_FILES;

const OWN = "holdfast.";

export function readSettings(folder: string, file: StateFile): Settings {
  return Object.fromEntries(
    linesOf(folder, file).flatMap((line) => {
      const at = line.indexOf("=");
      return isOwn(line) && at > 0 ? [[line.slice(OWN.length, at), line.slice(at + 1)] as const] : [];
    }),
  );
}

/** Makes these the module's own settings; lines of others stay where they are. Writes nothing where nothing differs. */
export function writeSettings(folder: string, file: StateFile, settings: Settings): void {
  const before = linesOf(folder, file);
  const own = Object.keys(settings)
    .toSorted()
    .map((key) => `${OWN}${key}=${settings[key] ?? ""}`);
  const after = [...before.filter((line) => !isOwn(line)), ...own];
  if (after.join("\n") === before.join("\n")) return;
  replaceFile(join(folder, STATE_FILES[file]), after.map((line) => `${line}\n`).join(""));
}

function linesOf(folder: string, file: StateFile): readonly string[] {
  const path = join(folder, STATE_FILES[file]);
  return existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
}

function isOwn(line: string): boolean {
  return line.startsWith(OWN);
}

/** The old file or the new one, whenever the module is killed. */
function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  writeFileSync(temporary, text);
  syncPath(temporary);
  renameSync(temporary, path);
  syncPath(dirname(path));
}

function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
