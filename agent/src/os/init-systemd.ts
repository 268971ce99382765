import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import { exec, type ExecResult } from "./exec.ts";
import type { Init } from "./init.ts";

/** Milliseconds. PID 1 answers in ten; a busy one during a daemon-reload storm takes seconds. */
const CONTROL_TIMEOUT_MS = 20_000;

/** What a deadline may be late. systemd's own default is a minute. */
const TIMER_ACCURACY = "100ms";

/**
 * PID 1 owns the deadline. The timer is set to an absolute time since systemd's own start (`--on-startup`): a relative one is postponed by
 * every daemon-reload, and `--on-boot` counts differently in a container.
 */
export function systemdInit(): Init {
  return {
    kind: "systemd",

    arm: async (requestId, afterMs) => {
      const startedAt = await managerStartMicroseconds();
      if (!startedAt.ok) return startedAt;
      const sinceStartMs = Math.max(0, (Number(process.hrtime.bigint() / 1000n) - startedAt.value) / 1000 + afterMs);
      const command = [
        "systemd-run",
        "--quiet",
        `--unit=${revertUnit(requestId)}.service`,
        `--on-startup=${Math.round(sinceStartMs)}ms`,
        `--timer-property=AccuracySec=${TIMER_ACCURACY}`,
        "--timer-property=RemainAfterElapse=no",
      ] as const;
      const first = await exec(command, { timeoutMs: CONTROL_TIMEOUT_MS });
      if (first.status === 0) return ok(null);
      // Armed before, by a guard that died between arming and writing it down: that timer is replaced.
      await systemctl("stop", `${revertUnit(requestId)}.timer`);
      return outcome(await exec(command, { timeoutMs: CONTROL_TIMEOUT_MS }));
    },

    disarm: async (requestId) => {
      await systemctl("stop", `${revertUnit(requestId)}.timer`);
    },

    startRevert: async (requestId) =>
      outcome(await systemctl("start", "--no-block", `${revertUnit(requestId)}.service`)),

    stopModules: async (domains) => {
      if (domains.length === 0) return ok(null);
      // The socket first: a client that waits would start the module again.
      const sockets = await systemctl("stop", ...domains.map((domain) => `${moduleUnit(domain)}.socket`));
      const services = domains.map((domain) => `${moduleUnit(domain)}.service`);
      // Killing a unit without processes is an error to systemd and none to us; the stop below decides.
      await systemctl("kill", "--kill-who=all", "--signal=SIGKILL", ...services);
      const stopped = await systemctl("stop", ...services);
      return sockets.status === 0 ? outcome(stopped) : outcome(sockets);
    },

    resumeModules: async (domains) => {
      if (domains.length > 0) await systemctl("start", ...domains.map((domain) => `${moduleUnit(domain)}.socket`));
    },

    startModule: async (domain) => outcome(await systemctl("start", `${moduleUnit(domain)}.socket`)),
  };
}

function systemctl(...words: readonly string[]): Promise<ExecResult> {
  return exec(["systemctl", ...words], { timeoutMs: CONTROL_TIMEOUT_MS });
}

function outcome(result: ExecResult): Result<null, string> {
  return result.status === 0 ? ok(null) : err(result.stderr.trim() || "systemd refused");
}

function revertUnit(requestId: string): string {
  return `holdfast-revert@${requestId}`;
}

function moduleUnit(domain: DomainName): string {
  return `holdfast-module@${domain}`;
}

let knownStart: number | null = null;

/** CLOCK_MONOTONIC at which this systemd started, the zero of its `OnStartupSec=`. It does not change while systemd lives. */
async function managerStartMicroseconds(): Promise<Result<number, string>> {
  if (knownStart !== null) return ok(knownStart);
  const shown = await systemctl("show", "--property=UserspaceTimestampMonotonic", "--value");
  const value = Number(shown.stdout.trim());
  if (shown.status !== 0 || !Number.isSafeInteger(value) || value < 0)
    return err(shown.stderr.trim() || "systemd does not say when it started");
  knownStart = value;
  return ok(value);
}
