import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseLogText, RSYSLOG_FILE, withFolder } from "@holdfast/domains/system/log-text.ts";
import { readFolder } from "./entry.ts";
import { exec } from "./exec.ts";
import { makeFolder, readTextIfThere, removeFileDurably, removeFolder, writeFileDurably } from "./files.ts";
import { checkSecureLogs, heardOfLogServers } from "./log-server.ts";
import { actOnUnit, isUnitActive, isUnitFailed } from "./unit.ts";

const DAEMON = "/usr/sbin/rsyslogd";
const MAIN = "/etc/rsyslog.conf";
const UNIT = "rsyslog.service";
const MODE = 0o644;
const CHECK_TIMEOUT_MS = 10_000;

/** Asks rsyslog about its files as they are, and then about a copy of all of them with the change. */
export async function rehearseRsyslog(root: string, text: string | null): Promise<Result<null, string>> {
  if (text === null) return ok(null);
  if (!existsSync(join(root, DAEMON))) return err("rsyslog is not installed on this server");
  const said = parseLogText(text);
  if (!said.ok) return said;
  const secure = checkSecureLogs(root, said.value);
  if (!secure.ok) return secure;
  const main = readTextIfThere(join(root, MAIN));
  if (main === null) return err(`there is no ${MAIN}`);
  const folder = dirname(RSYSLOG_FILE);
  const scratch = join(root, "run/holdfast/rsyslog-check");
  const copied = withFolder(main, folder, join(scratch, "conf.d"));
  if (copied === null) return err(`${MAIN} does not include ${folder}/*.conf, so nothing that is written there holds`);
  const current = await check(join(root, MAIN));
  if (!current.ok) return err(`rsyslog does not take its files as they are now, before any change: ${current.error}`);
  try {
    removeFolder(scratch);
    makeFolder(join(scratch, "conf.d"), 0o700);
    const name = RSYSLOG_FILE.slice(folder.length + 1);
    // It names itself, for the authority stands in it.
    const itself = text.replaceAll(RSYSLOG_FILE, join(scratch, "conf.d", name));
    const files = { ...readFolder(join(root, folder), ".conf"), [name]: itself };
    for (const [name, content] of Object.entries(files)) writeFileDurably(join(scratch, "conf.d", name), content, MODE);
    writeFileDurably(join(scratch, "rsyslog.conf"), copied, MODE);
    const next = await check(join(scratch, "rsyslog.conf"));
    return next.ok ? next : err(`rsyslog would not take this: ${next.error}`);
  } catch (error) {
    return err(`rsyslog could not be asked: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    removeFolder(scratch);
  }
}

export async function changeRsyslog(
  root: string,
  text: string | null,
  isChecked: boolean,
  timeoutMs: number,
): Promise<Result<null, string>> {
  if (isChecked) {
    const checked = await rehearseRsyslog(root, text);
    if (!checked.ok) return checked;
  }
  const path = join(root, RSYSLOG_FILE);
  try {
    if (existsSync(dirname(path))) {
      if (text === null) removeFileDurably(path);
      else writeFileDurably(path, text, MODE);
    }
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  // One that does not run reads its files when it starts; one that died of ours is started again by an undo.
  const isMeant = await isUnitActive(UNIT, CHECK_TIMEOUT_MS);
  const isDead = !isChecked && (await isUnitFailed(UNIT, CHECK_TIMEOUT_MS));
  if (!isMeant && !isDead) return ok(null);
  const sinceMs = Date.now();
  const restarted = await actOnUnit(UNIT, "restart", timeoutMs);
  const said = text === null || !isChecked ? null : parseLogText(text);
  return restarted.ok && said?.ok === true && said.value.targets.length > 0
    ? heardOfLogServers(root, said.value, sinceMs)
    : restarted;
}

async function check(main: string): Promise<Result<null, string>> {
  const asked = await exec([DAEMON, "-N1", "-f", main], { timeoutMs: CHECK_TIMEOUT_MS });
  if (asked.status === 0) return ok(null);
  const complaints = asked.stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !/version|End of config validation/.test(line));
  return err(complaints.join("; ") || "it says no");
}
