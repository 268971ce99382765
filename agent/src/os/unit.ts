import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { UnitVerb } from "@holdfast/core/plan/step.ts";
import { exec } from "./exec.ts";

/** One act of PID 1 on a unit. Both words were checked before: the unit cannot be an option, the verb is one of ours. */
export async function actOnUnit(
  unit: string,
  verb: UnitVerb | "reload-or-restart",
  timeoutMs: number,
): Promise<Result<null, string>> {
  const done = await exec(["systemctl", "--no-ask-password", "--quiet", verb, "--", unit], { timeoutMs });
  return done.status === 0 ? ok(null) : err(`systemctl ${verb} ${unit}: ${firstLine(done.stderr)}`);
}

export async function isUnitActive(unit: string, timeoutMs: number): Promise<boolean> {
  return (await exec(["systemctl", "--quiet", "is-active", "--", unit], { timeoutMs })).status === 0;
}

export async function isUnitFailed(unit: string, timeoutMs: number): Promise<boolean> {
  return (await exec(["systemctl", "--quiet", "is-failed", "--", unit], { timeoutMs })).status === 0;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
