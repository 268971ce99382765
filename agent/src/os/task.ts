import { existsSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Action } from "@holdfast/core/plan/step.ts";
import { parseTaskText, taskPath, taskTimer } from "@holdfast/domains/system/task-text.ts";
import { TASK_UNIT_PROPERTIES, taskUnitProblem } from "@holdfast/domains/system/task-unit.ts";
import { exec } from "./exec.ts";
import { removeFileDurably, writeFileDurably } from "./files.ts";
import { rehearseTimer } from "./timer.ts";

type TaskAction = Extract<Action, { kind: "task" }>;

const MODE = 0o644;
const ASK_TIMEOUT_MS = 5_000;

/** Asks systemd what it makes of the time, and what the unit would do to the server: what must never run by itself is refused here. */
export async function rehearseTask({ name, text, check }: TaskAction): Promise<Result<null, string>> {
  if (text === null || !check) return ok(null);
  const said = parseTaskText(name, text);
  if (!said.ok) return said;
  const { unit } = said.value;
  const properties = `--property=${TASK_UNIT_PROPERTIES.join(",")}`;
  const shown = await exec(["systemctl", "show", properties, "--", unit], { timeoutMs: ASK_TIMEOUT_MS });
  if (shown.status !== 0) return err(`systemd says nothing of ${unit}: ${firstLine(shown.stderr)}`);
  const problem = taskUnitProblem(unit, shown.stdout);
  return problem === null ? rehearseTimer(text) : err(problem);
}

/**
 * The timer is stopped, written anew and started. One that makes up for what was missed forgets before that what it knew: else it would hold
 * the new time against the last start, and start at once what was never meant for now.
 */
export async function changeTask(root: string, action: TaskAction, timeoutMs: number): Promise<Result<null, string>> {
  const checked = await rehearseTask(action);
  if (!checked.ok) return checked;
  const [path, timer] = [join(root, taskPath(action.name)), taskTimer(action.name)];
  // During the boot jobs wait for what waits for this here. What is undone then was not started yet, and so has nothing to forget.
  const ask = await exec(["systemctl", "is-system-running"], { timeoutMs: ASK_TIMEOUT_MS });
  const isBooting = /^(?:initializing|starting)/.test(ask.stdout);
  const wait = isBooting ? ["--no-block"] : [];
  const forget = isBooting ? [] : [() => forgetLast(timer, timeoutMs)];
  const run = async (...words: readonly string[]): Promise<Result<null, string>> => {
    const done = await exec(["systemctl", "--no-ask-password", "--quiet", ...words], { timeoutMs });
    return done.status === 0 ? ok(null) : err(`systemctl ${words.join(" ")}: ${firstLine(done.stderr)}`);
  };
  const inTurn = async (acts: readonly (() => Promise<Result<null, string>>)[]): Promise<Result<null, string>> => {
    for (const act of acts) {
      const done = await act();
      if (!done.ok) return done;
    }
    return ok(null);
  };
  const reload = () => run("daemon-reload");
  const disable = () => run("disable", "--", timer);
  const stop = async () => {
    await run("stop", ...wait, "--", timer);
    return ok(null);
  };
  const { text } = action;
  if (text === null)
    return inTurn([
      // Half gone is gone: what is not there any more is neither stopped nor disabled.
      stop,
      ...forget,
      ...(existsSync(path) ? [disable] : []),
      () => attempt(() => removeFileDurably(path)),
      reload,
    ]);
  return inTurn([
    stop,
    ...forget,
    () => attempt(() => writeFileDurably(path, text, MODE)),
    reload,
    // Of one of this name that is long gone.
    ...forget,
    ...(action.runs ? [() => run("enable", "--", timer), () => run("start", ...wait, "--", timer)] : [disable]),
  ]);
}

/** When it ran last, which systemd keeps for timers that make up for what was missed; where there is none to forget, it says no. */
async function forgetLast(timer: string, timeoutMs: number): Promise<Result<null, string>> {
  await exec(["systemctl", "--no-ask-password", "--quiet", "clean", "--what=state", "--", timer], { timeoutMs });
  return ok(null);
}

async function attempt(act: () => void): Promise<Result<null, string>> {
  try {
    act();
    return ok(null);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
