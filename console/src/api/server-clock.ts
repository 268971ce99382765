/**
 * How far this browser's clock is from the control plane's. A countdown to a deadline that the server set must not depend on whether the
 * operator's laptop keeps time. Each answer carries a `Date` of whole seconds, so it narrows the possible difference to an interval.
 */
export interface Skew {
  /** Control plane minus browser, in milliseconds: at least and at most. */
  readonly least: number;
  readonly most: number;
}

export const UNKNOWN_SKEW: Skew = { least: -Infinity, most: Infinity };

/** @param dateMs the `Date` header, which is cut to the second; the request left at sentMs and the answer came at receivedMs */
export function narrowSkew(skew: Skew, dateMs: number, sentMs: number, receivedMs: number): Skew {
  const seen = { least: dateMs - receivedMs, most: dateMs + 1000 - sentMs };
  const least = Math.max(skew.least, seen.least);
  const most = Math.min(skew.most, seen.most);
  // A clock was set meanwhile: what was known before is worth nothing.
  return least <= most ? { least, most } : seen;
}

/** The smallest difference that fits what was seen: none where the two clocks agree. */
export function likelySkewMs(skew: Skew): number {
  return Math.min(Math.max(0, skew.least), skew.most);
}

/** Whole seconds that are left, never below zero. Rounded up: "0" means that it is over. */
export function secondsLeft(deadlineAt: string, nowMs: number): number {
  return Math.max(0, Math.ceil((Date.parse(deadlineAt) - nowMs) / 1000));
}

let known = UNKNOWN_SKEW;

export function learnServerTime(dateHeader: string | null, sentMs: number, receivedMs: number): void {
  const dateMs = Date.parse(dateHeader ?? "");
  if (Number.isFinite(dateMs)) known = narrowSkew(known, dateMs, sentMs, receivedMs);
}

/** The control plane's time as far as this browser can know it. */
export function serverNowMs(): number {
  return Date.now() + likelySkewMs(known);
}
