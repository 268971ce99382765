import type { Brand } from "../base/brand.ts";
import { err, ok, type Result } from "../base/result.ts";

export type Seconds = Brand<number, "Seconds">;

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
type Unit = keyof typeof UNIT_SECONDS;

/** Reads a duration with its unit: `15s`, `5m`, `12h`, `90d`. One number and one unit, so that there is one way to write each. */
export function parseDuration(text: string): Result<Seconds, string> {
  const found = /^(0|[1-9][0-9]{0,8})([smhd])$/.exec(text);
  if (found === null) {
    const bare = /^[0-9]+$/.test(text) ? `; a bare number has no unit, write ${text}s for seconds` : "";
    return err(`${JSON.stringify(text)} is not a duration; write a number and a unit, like 15s, 5m, 12h or 90d${bare}`);
  }
  return ok((Number(found[1]) * UNIT_SECONDS[found[2] as Unit]) as Seconds);
}

/** In the largest unit that holds it exactly. */
export function formatDuration(seconds: number): string {
  for (const unit of ["d", "h", "m"] as const) {
    if (seconds > 0 && seconds % UNIT_SECONDS[unit] === 0) return `${seconds / UNIT_SECONDS[unit]}${unit}`;
  }
  return `${seconds}s`;
}
