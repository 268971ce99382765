import { readFileSync } from "node:fs";

/**
 * The clocks of this machine. Decisions use boot time (it counts suspend and nobody can set it) together with the boot id; the wall clock
 * is for people.
 */
export interface Clock {
  /** Milliseconds of CLOCK_BOOTTIME. The kernel shows it to 10 ms. */
  boottimeMs(): number;
  /** Nanoseconds of CLOCK_MONOTONIC: orders events of several processes of one boot. */
  monotonicNs(): bigint;
  bootId(): string;
  wallMs(): number;
}

export const systemClock: Clock = {
  boottimeMs: () => Math.round(Number(readFileSync("/proc/uptime", "ascii").split(" ", 1)[0]) * 1000),
  monotonicNs: () => process.hrtime.bigint(),
  bootId: () => readFileSync("/proc/sys/kernel/random/boot_id", "ascii").trim(),
  wallMs: () => Date.now(),
};
