/**
 * How long to wait before dialling again. Doubling spares a control plane that comes up again from all its agents at once, and the random
 * half spreads them; the first tries are quick because a trial gives only some seconds to come back.
 */
const FIRST_MS = 200;
/** Longer would let a server look lost after a short outage; shorter is noise while the control plane is down for hours. */
const LONGEST_MS = 15_000;

/** `random` is in [0, 1). */
export function pauseBeforeDial(failures: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  return Math.round(full / 2 + (full / 2) * random);
}
