/**
 * How long a sign-in has to wait after wrong passwords.
 *   L1. Counted by account and source together: whoever guesses from elsewhere slows down themselves, not the owner.
 *   L2. Guessing one account from many places is slowed down too, and never stopped: the longest wait is a minute, so that nobody can lock
 *       the last administrator out for ever by typing wrong passwords.
 *   L3. Waiting is not prolonged by trying while one waits.
 */
export interface WrongPasswords {
  /** From this source since its last success, in the last hour. */
  readonly here: number;
  readonly lastHereMs: number | null;
  /** From anywhere since the account's last success, in the last hour. */
  readonly anywhere: number;
  readonly lastAnywhereMs: number | null;
}

/** Typing slips are free. */
const FREE_HERE = 5;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_HERE_MS = 15 * 60_000;
/** More than one person mistypes in an hour. */
const FREE_ANYWHERE = 50;
const LONGEST_WAIT_ANYWHERE_MS = 60_000;

/** Milliseconds until the next try counts; 0: now. */
export function waitBeforeSignIn(wrong: WrongPasswords, nowMs: number): number {
  const here = remaining(wrong.here - FREE_HERE, wrong.lastHereMs, LONGEST_WAIT_HERE_MS, nowMs);
  const anywhere = remaining(wrong.anywhere - FREE_ANYWHERE, wrong.lastAnywhereMs, LONGEST_WAIT_ANYWHERE_MS, nowMs);
  return Math.max(here, anywhere);
}

function remaining(beyond: number, lastMs: number | null, longestMs: number, nowMs: number): number {
  if (beyond < 0 || lastMs === null) return 0;
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** Math.min(beyond, 20), longestMs);
  return Math.max(0, lastMs + waitMs - nowMs);
}
