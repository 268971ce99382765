/**
 * Whether applies fail more often in this hour than they usually do here. A house that applies twice a day and one that applies a thousand
 * times an hour are both judged by their own past: what would chance alone make of it?
 */
import type { HourFact } from "./facts.ts";

/** A week has each weekday once. */
export const BASELINE_HOURS = 7 * 24;
/** Fewer failures than this are looked at one by one, by their own alerts and on the console's first page. */
const FAILED_LEAST = 3;
/** Chance alone would say so about once in a thousand hours that have applies at all. */
const CHANCE_MOST = 0.001;
/**
 * What is assumed of a house without a past: one in twenty fails, as if twenty had been seen. It weighs less with every apply of its own;
 * without it the first three failures of a new house would be "infinitely more than usual".
 */
const ASSUMED_ENDED = 20;
const ASSUMED_FAILED = 1;

export interface FailureRate {
  readonly ended: number;
  readonly failed: number;
  /** The share that usually fails. */
  readonly usual: number;
  /** How often chance alone would bring at least so many. */
  readonly chance: number;
  readonly isSpike: boolean;
}

export function failureRate(hours: readonly HourFact[]): FailureRate {
  let [ended, failed, endedBefore, failedBefore] = [0, 0, 0, 0];
  for (const hour of hours) {
    if (hour.hoursAgo === 0) {
      ended += hour.ended;
      failed += hour.failed;
    } else if (hour.hoursAgo <= BASELINE_HOURS) {
      endedBefore += hour.ended;
      failedBefore += hour.failed;
    }
  }
  const usual = (failedBefore + ASSUMED_FAILED) / (endedBefore + ASSUMED_ENDED);
  const chance = atLeast(failed, ended, usual);
  return { ended, failed, usual, chance, isSpike: failed >= FAILED_LEAST && chance < CHANCE_MOST };
}

/** P(X ≥ k) for n tries that each fail with p: the upper tail of the binomial, summed in logarithms so that large n do not underflow. */
function atLeast(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  let logChoose = 0;
  for (let i = 1; i <= k; i++) logChoose += Math.log(n - k + i) - Math.log(i);
  let logTerm = logChoose + k * Math.log(p) + (n - k) * Math.log1p(-p);
  let sum = 0;
  for (let x = k; x <= n; x++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log(n - x) - Math.log(x + 1) + Math.log(p) - Math.log1p(-p);
  }
  return Math.min(1, sum);
}
