import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Action } from "@holdfast/core/plan/step.ts";
import { timesOf } from "@holdfast/domains/system/timer-text.ts";
import { exec } from "./exec.ts";
import { makeFolder, removeFileDurably, removeFolder, writeFileDurably } from "./files.ts";

const MODE = 0o644;
const FOLDER_MODE = 0o755;
const ASK_TIMEOUT_MS = 5_000;

/** Asks systemd what it makes of the times: one that it does not know would leave a timer that is never due. */
export async function rehearseTimer(text: string | null): Promise<Result<null, string>> {
  if (text === null) return ok(null);
  for (const time of timesOf(text)) {
    const asked = await exec(["systemd-analyze", "calendar", "--", time], { timeoutMs: ASK_TIMEOUT_MS });
    if (asked.status !== 0) return err(`systemd would not take this time: ${asked.stderr.trim() || "it says no"}`);
  }
  return ok(null);
}

/** A timer that runs already takes its new times with the reading; it needs no restart. */
export async function changeTimer(
  root: string,
  action: Extract<Action, { kind: "timer" }>,
  timeoutMs: number,
): Promise<Result<null, string>> {
  if (action.check) {
    const checked = await rehearseTimer(action.text);
    if (!checked.ok) return checked;
  }
  const path = join(root, action.path);
  try {
    if (action.text === null) takeAway(path);
    else {
      if (!existsSync(dirname(path))) makeFolder(dirname(path), FOLDER_MODE);
      writeFileDurably(path, action.text, MODE);
    }
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  const read = await exec(["systemctl", "--no-ask-password", "--quiet", "daemon-reload"], { timeoutMs });
  return read.status === 0 ? ok(null) : err(`systemctl daemon-reload: ${read.stderr.trim().split("\n")[0] ?? ""}`);
}

/** With the folder that was made for it. */
function takeAway(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) return;
  removeFileDurably(path);
  if (folder.endsWith(".timer.d") && readdirSync(folder).length === 0) removeFolder(folder);
}
