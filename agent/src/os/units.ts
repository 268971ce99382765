import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { exec } from "./exec.ts";

/** Milliseconds; the units' processes start meanwhile. */
const TIMEOUT_MS = 60_000;

/** Starts what an enrolled server runs, now and on every boot. */
export async function enableUnits(domains: readonly string[]): Promise<Result<null, string>> {
  const units = [
    "holdfast-guard.socket",
    "holdfast-capture.socket",
    ...domains.map((domain) => `holdfast-module@${domain}.socket`),
    "holdfast-boot.service",
    "holdfast-recover.service",
    "holdfast-tend.timer",
    "holdfast-agent.service",
  ];
  for (const verb of ["enable", "start"] as const) {
    // The boot role settles what a boot left; there is no boot to settle now.
    const now = verb === "start" ? units.filter((unit) => unit !== "holdfast-boot.service") : units;
    const done = await exec(["systemctl", verb, ...now], { timeoutMs: TIMEOUT_MS });
    if (done.status !== 0) return err(done.stderr.trim());
  }
  return ok(null);
}
