import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { LOAD_FILE, parseLoadText } from "@holdfast/domains/system/kernel-module.ts";
import { makeFolder, readTextIfThere, removeFileDurably, writeFileDurably } from "./files.ts";
import { MACHINES_OWN } from "./sysctl.ts";
import { actOnUnit } from "./unit.ts";

const LOADED = "/sys/module";
const LOADER = "systemd-modules-load.service";
const MODE = 0o644;

/** What the kernel has, loaded or built in. Names of files have `-` where the kernel has `_`. */
export function kernelModules(root: string, folder: string): readonly string[] {
  const path = join(root, folder);
  const loaded = existsSync(path) ? readdirSync(path) : [];
  return [...new Set([...loaded, ...namesIn(root, "modules.builtin")])].toSorted();
}

/** Every line begins with the path of a module below the folder of the kernel's release. */
function namesIn(root: string, list: "modules.builtin" | "modules.dep"): readonly string[] {
  return (readTextIfThere(join(root, "/lib/modules", release(), list)) ?? "").split("\n").flatMap((line) => {
    const found = /([^/:\s]+)\.ko(?:\.\w+)?(?::|$)/.exec(line)?.[1];
    return found === undefined ? [] : [found.replaceAll("-", "_")];
  });
}

/** Whether each module is there already, or could be loaded by this server at all. */
export function rehearseModules(root: string, text: string | null): Result<null, string> {
  const names = text === null ? ok([]) : parseLoadText(text);
  if (!names.ok) return names;
  const have = new Set(kernelModules(root, LOADED));
  const missing = names.value.filter((name) => !have.has(name));
  if (missing.length === 0) return ok(null);
  const list = missing.join(", ");
  if (readlinkSync("/proc/self/ns/pid") !== MACHINES_OWN)
    return err(`this server is a container, and ${list} could only be loaded by the machine that it runs on`);
  if (readTextIfThere(join(root, "/proc/sys/kernel/modules_disabled"))?.trim() === "1")
    return err(`the kernel of this server loads no modules any more, and does not have ${list}`);
  const known = new Set(namesIn(root, "modules.dep"));
  const unknown = missing.filter((name) => !known.has(name));
  return unknown.length === 0 ? ok(null) : err(`the kernel of this server has no module ${unknown.join(", ")}`);
}

/** Writes our list. PID 1 loads what is missing; nothing that the kernel has already is unloaded, here or in an undo. */
export async function changeModules(
  root: string,
  text: string | null,
  timeoutMs: number,
): Promise<Result<null, string>> {
  const names = text === null ? ok([]) : parseLoadText(text);
  // What is put back may be a list that somebody had changed by hand: it is written as it stood, and what it names is PID 1's matter.
  const checked = names.ok ? rehearseModules(root, text) : ok(null);
  if (!checked.ok) return checked;
  const path = join(root, LOAD_FILE);
  try {
    if (text === null) {
      if (existsSync(dirname(path))) removeFileDurably(path);
      return ok(null);
    }
    if (!existsSync(dirname(path))) makeFolder(dirname(path), 0o755);
    writeFileDurably(path, text, MODE);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  const have = new Set(kernelModules(root, LOADED));
  if (!names.ok || names.value.every((name) => have.has(name))) return ok(null);
  const loaded = await actOnUnit(LOADER, "restart", timeoutMs);
  const now = new Set(kernelModules(root, LOADED));
  const missing = names.value.filter((name) => !now.has(name));
  if (missing.length === 0) return ok(null);
  return err(`the kernel did not load ${missing.join(", ")}${loaded.ok ? "" : `: ${loaded.error}`}`);
}
