import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Action } from "@holdfast/core/plan/step.ts";
import {
  effectiveProblem,
  parseEffective,
  SSHD_DROP_IN,
  withIncludesFrom,
} from "@holdfast/domains/system/sshd-text.ts";
import { readFolder } from "./entry.ts";
import { exec } from "./exec.ts";
import { makeFolder, readTextIfThere, removeFileDurably, removeFolder, writeFileDurably } from "./files.ts";
import { actOnUnit, isUnitActive } from "./unit.ts";

export type SshdAction = Extract<Action, { kind: "sshd" }>;

const MAIN = "/etc/ssh/sshd_config";
const DROP_IN_MODE = 0o600;
/** sshd answers in 20 ms; on a busy machine a hundred times that. */
const CHECK_TIMEOUT_MS = 5_000;
/** A daemon that is about to die of what it just read does so within this time. */
const SETTLE_MS = 250;
const POLL_MS = 100;

/**
 * Asks sshd about a copy with the change in it. What is there now is asked about first: a file that was broken before must not look like our
 * doing, and a good change must not hide it.
 */
export async function rehearseSshd(root: string, action: SshdAction): Promise<Result<null, string>> {
  if (!action.check) return ok(null);
  const main = readTextIfThere(join(root, MAIN));
  if (main === null) return err(`there is no ${MAIN}: is sshd installed here?`);
  const current = await effectiveOf(join(root, MAIN));
  if (!current.ok) return err(`sshd does not take its configuration as it is now, before any change: ${current.error}`);
  const scratch = join(root, "run/holdfast/sshd-check");
  const folder = dirname(SSHD_DROP_IN);
  const included = withIncludesFrom(main, folder, join(scratch, "conf.d"));
  if (included === null && action.text !== null)
    return err(`${MAIN} does not include ${folder}/*.conf, so nothing that is written there holds`);
  try {
    removeFolder(scratch);
    makeFolder(join(scratch, "conf.d"), 0o700);
    const files: Record<string, string> = { ...readFolder(join(root, folder), ".conf") };
    const own = SSHD_DROP_IN.slice(folder.length + 1);
    delete files[own];
    if (action.text !== null) files[own] = action.text;
    for (const [name, text] of Object.entries(files))
      writeFileDurably(join(scratch, "conf.d", name), text, DROP_IN_MODE);
    writeFileDurably(join(scratch, "sshd_config"), included ?? main, DROP_IN_MODE);
    const next = await effectiveOf(join(scratch, "sshd_config"));
    if (!next.ok) return err(`sshd would not take this: ${next.error.replaceAll(`${scratch}/conf.d`, folder)}`);
    const problem = effectiveProblem(action.effective, next.value);
    return problem === null ? ok(null) : err(problem);
  } catch (error) {
    return err(`sshd could not be asked: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    removeFolder(scratch);
  }
}

export async function changeSshd(root: string, action: SshdAction, budgetMs: number): Promise<Result<null, string>> {
  const begun = performance.now();
  const checked = await rehearseSshd(root, action);
  if (!checked.ok) return checked;
  const path = join(root, SSHD_DROP_IN);
  try {
    if (action.text !== null) {
      if (!existsSync(dirname(path))) makeFolder(dirname(path), 0o755);
      writeFileDurably(path, action.text, DROP_IN_MODE);
    } else if (existsSync(dirname(path))) removeFileDurably(path);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  if (action.reload === null) return ok(null);
  // Reloading keeps open sessions. A daemon that died of the change is started again.
  const reloaded = await actOnUnit(action.reload, "reload-or-restart", budgetMs);
  return reloaded.ok ? untilServing(action.reload, action.listens, begun + budgetMs) : reloaded;
}

async function effectiveOf(path: string): Promise<Result<Readonly<Record<string, readonly string[]>>, string>> {
  const asked = await exec(["/usr/sbin/sshd", "-T", "-f", path], { timeoutMs: CHECK_TIMEOUT_MS });
  return asked.status === 0 ? ok(parseEffective(asked.stdout)) : err(asked.stderr.trim().replaceAll("\n", "; "));
}

/** `sshd -t` passes what the daemon then dies of (a port that is taken): only a daemon that listens is evidence. */
async function untilServing(unit: string, ports: readonly number[], until: number): Promise<Result<null, string>> {
  await sleep(SETTLE_MS);
  for (;;) {
    const listening = listeningPorts();
    const missing = ports.filter((port) => !listening.has(port));
    const active = await isUnitActive(unit, CHECK_TIMEOUT_MS);
    if (active && missing.length === 0) return ok(null);
    if (performance.now() > until)
      return err(active ? `${unit} does not listen on port ${missing.join(", ")}` : `${unit} ended after the change`);
    await sleep(POLL_MS);
  }
}

/** State of a listening socket in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = "0A";

function listeningPorts(): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const path of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    if (!existsSync(path)) continue;
    for (const line of readFileSync(path, "utf8").split("\n").slice(1)) {
      const [, local = "", , state] = line.trim().split(/\s+/);
      if (state === LISTEN) ports.add(Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16));
    }
  }
  return ports;
}
