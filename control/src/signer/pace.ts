/** How much is signed at once, whatever is asked. Pure: the clock is the caller's. */
export interface Pace {
  /** Takes one; false when it is too many. */
  take(nowMs: number): boolean;
}

/** A bucket of `burst`, filled again by `perSecond`. */
export function pace(burst: number, perSecond: number): Pace {
  let left = burst;
  let atMs: number | null = null;
  return {
    take(nowMs) {
      // A clock that goes back fills nothing.
      const passedMs = atMs === null ? 0 : Math.max(0, nowMs - atMs);
      atMs = atMs === null ? nowMs : Math.max(atMs, nowMs);
      left = Math.min(burst, left + (passedMs / 1_000) * perSecond);
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
