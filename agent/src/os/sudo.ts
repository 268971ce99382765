import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { SUDO_FILE } from "@holdfast/domains/system/sudo-text.ts";
import { exec } from "./exec.ts";
import { makeFolder, readTextIfThere, removeFileDurably, removeFolder, writeFileDurably } from "./files.ts";

const CHECKER = "/usr/sbin/visudo";
/** sudo takes no file that others could write (sudoers(5)). */
const MODE = 0o440;
const TIMEOUT_MS = 5_000;

/** Asks sudo about all of its files as they are, then about ours. What was broken before must not look like our doing. */
export async function rehearseSudo(root: string, text: string | null): Promise<Result<null, string>> {
  if (text === null) return ok(null);
  if (!existsSync(join(root, CHECKER))) return err("sudo is not installed on this server");
  const main = readTextIfThere(join(root, "/etc/sudoers")) ?? "";
  if (!/^\s*[@#]includedir\s+\/etc\/sudoers\.d\s*$/m.test(main))
    return err("/etc/sudoers does not include /etc/sudoers.d, so nothing that is written there holds");
  const current = await check([]);
  if (!current.ok) return err(`sudo does not take its files as they are now, before any change: ${current.error}`);
  const scratch = join(root, "run/holdfast/sudo-check");
  try {
    removeFolder(scratch);
    makeFolder(scratch, 0o700);
    writeFileDurably(join(scratch, "sudoers"), text, MODE);
    const next = await check(["--file", join(scratch, "sudoers")]);
    return next.ok ? next : err(`sudo would not take this: ${next.error}`);
  } catch (error) {
    return err(`sudo could not be asked: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    removeFolder(scratch);
  }
}

/** A file that sudo does not take would shut everybody out of it, so it goes again at once. */
export async function changeSudo(root: string, text: string | null, isChecked: boolean): Promise<Result<null, string>> {
  if (isChecked) {
    const checked = await rehearseSudo(root, text);
    if (!checked.ok) return checked;
  }
  const path = join(root, SUDO_FILE);
  try {
    if (!existsSync(dirname(path))) {
      if (text === null) return ok(null);
      return err(`there is no folder ${dirname(SUDO_FILE)}`);
    }
    const before = readTextIfThere(path);
    put(path, text);
    if (!isChecked || text === null) return ok(null);
    const whole = await check([]);
    if (!whole.ok) put(path, before);
    return whole.ok ? whole : err(`sudo does not take its files with this: ${whole.error}`);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function put(path: string, text: string | null): void {
  if (text === null) removeFileDurably(path);
  else writeFileDurably(path, text, MODE);
}

async function check(operands: readonly string[]): Promise<Result<null, string>> {
  const asked = await exec([CHECKER, "--check", "--quiet", ...operands], { timeoutMs: TIMEOUT_MS });
  if (asked.status === 0) return ok(null);
  return err((asked.stderr.trim() || asked.stdout.trim() || "it says no").split("\n").join("; "));
}
