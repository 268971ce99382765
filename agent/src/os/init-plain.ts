import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import type { AgentPaths } from "../paths.ts";
import type { Init } from "./init.ts";
import {
  forgetProcess,
  killGroup,
  rememberedProcess,
  rememberProcess,
  startDetached,
  type SelfCommand,
} from "./processes.ts";

/** Milliseconds for one of our own processes to say that it is ready. Too small: a busy machine cannot apply at all. */
const READY_TIMEOUT_MS = 20_000;
/** Milliseconds for a killed process to be gone; longer means that the kernel holds it in a call that cannot be interrupted. */
const KILL_TIMEOUT_MS = 10_000;

/**
 * Without an init system: a detached process in a session of its own waits for the deadline, and modules are processes that are remembered
 * by number and start time. It survives the death of every other process of ours, and not a reboot; the boot role settles that.
 */
export function plainInit(paths: AgentPaths, self: SelfCommand, output: "inherit" | "ignore"): Init {
  const start = (role: readonly string[]) =>
    startDetached(self, [...role, "--root", paths.root], READY_TIMEOUT_MS, output);

  const disarm = async (requestId: string): Promise<void> => {
    const path = paths.deadlineProcess(requestId);
    const waiting = rememberedProcess(path);
    if (waiting === null) return;
    // The one that waited may be the one that undoes now.
    if (waiting.pid !== process.pid) await killGroup(waiting, KILL_TIMEOUT_MS);
    forgetProcess(path);
  };

  return {
    kind: "plain",

    arm: async (requestId, afterMs) => {
      await disarm(requestId);
      const waiting = await start(["revert", requestId, "--after-ms", String(Math.max(0, Math.ceil(afterMs)))]);
      if (waiting === null) return err("the process that waits for the deadline did not start");
      rememberProcess(paths.deadlineProcess(requestId), waiting);
      return ok(null);
    },

    disarm,

    startRevert: async (requestId) =>
      (await start(["revert", requestId])) === null ? err("the undo did not start") : ok(null),

    stopModules: async (domains) => {
      for (const domain of domains) {
        const path = paths.moduleProcess(domain);
        const running = rememberedProcess(path);
        if (running === null) continue;
        if (!(await killGroup(running, KILL_TIMEOUT_MS)))
          return err(`the ${domain} module (process ${running.pid}) cannot be killed`);
        forgetProcess(path);
      }
      return ok(null);
    },

    resumeModules: () => Promise.resolve(),

    startModule: async (domain: DomainName): Promise<Result<null, string>> => {
      const running = await start(["module", domain]);
      return running === null ? err(`the ${domain} module did not start`) : ok(null);
    },
  };
}
