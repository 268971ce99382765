import type { Brand } from "../base/brand.ts";
import { err, ok, type Result } from "../base/result.ts";

/** Seconds since 1970-01-01T00:00Z. */
export type EpochSeconds = Brand<number, "EpochSeconds">;

const FORM = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** Reads a moment with its offset, `2026-12-05T18:00+09:00`: without one, nobody knows whose 18 o'clock it is. */
export function parseExpires(text: string): Result<EpochSeconds, string> {
  const found = FORM.exec(text);
  const example = 'write it like "2026-12-05T18:00+09:00"';
  if (found === null) {
    const why = /^\d{4}-\d{2}-\d{2}T[0-9:]+$/.test(text) ? "has no offset from UTC" : "is not a time";
    return err(`${JSON.stringify(text)} ${why}; ${example}`);
  }
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((group) => Number(found[group] ?? "0"));
  const utc = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  // Date.UTC carries what is too large into the next field; a calendar date gives itself back.
  const sign = found[7] === "-" ? 1 : -1;
  const [offsetHours, offsetMinutes] = [Number(found[8] ?? "0"), Number(found[9] ?? "0")];
  const back = new Date(utc).toISOString().slice(0, 19);
  if (back !== `${text.slice(0, 16)}:${found[6] ?? "00"}` || offsetHours > 14 || offsetMinutes > 59) {
    return err(`${JSON.stringify(text)} is not a time that exists; ${example}`);
  }
  return ok((utc / 1000 + sign * (offsetHours * 3600 + offsetMinutes * 60)) as EpochSeconds);
}
