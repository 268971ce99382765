import type { ApplySummary } from "@holdfast/core/api/apply.ts";

const HOUR_MS = 3_600_000;
const HOURS = 24;

/** Ended otherwise than asked: FAILED, or undone by the server. A rollback that an operator asked for is no failure. */
export function isFailure(apply: ApplySummary): boolean {
  return (
    apply.state === "FAILED" ||
    (apply.state === "ROLLED_BACK" && apply.code !== null && apply.code !== "apply.rolled_back_by_operator")
  );
}

export function failuresOfTheLastDay(applies: readonly ApplySummary[], nowMs: number): readonly ApplySummary[] {
  return applies.filter(
    (apply) => isFailure(apply) && apply.finishedAt !== null && nowMs - Date.parse(apply.finishedAt) < HOURS * HOUR_MS,
  );
}

export interface HourBar {
  /** 0 is the hour that ends now. */
  readonly hoursAgo: number;
  readonly applied: number;
  readonly undone: number;
  readonly failed: number;
}

/** From the oldest hour to the newest. */
export function barsOfTheLastDay(applies: readonly ApplySummary[], nowMs: number): readonly HourBar[] {
  return Array.from({ length: HOURS }, (_, index) => {
    const hoursAgo = HOURS - 1 - index;
    const inHour = applies.filter(
      ({ finishedAt }) => finishedAt !== null && Math.floor((nowMs - Date.parse(finishedAt)) / HOUR_MS) === hoursAgo,
    );
    const count = (state: ApplySummary["state"]): number => inHour.filter((apply) => apply.state === state).length;
    return { hoursAgo, applied: count("APPLIED"), undone: count("ROLLED_BACK"), failed: count("FAILED") };
  });
}
