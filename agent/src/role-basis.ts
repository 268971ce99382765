import { ok, type Result } from "@holdfast/core/base/result.ts";
import { openLog, type Log } from "./log/log.ts";
import { systemClock, type Clock } from "./os/clock.ts";
import { agentPaths, type AgentPaths } from "./paths.ts";
import { readSettings, type Settings } from "./settings.ts";

/** What every role starts with, also the one that knows nothing of domains. */
export interface RoleBasis {
  readonly paths: AgentPaths;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
}

/** `forPeople`: standard output is for what a person asked; log lines go to standard error. */
export function openBasis(root: string, name: string, forPeople: boolean): Result<RoleBasis, string> {
  const paths = agentPaths(root);
  const settings = readSettings(paths);
  if (!settings.ok) return settings;
  return ok({ paths, settings: settings.value, clock: systemClock, log: openLog(name, forPeople ? 2 : 1) });
}
