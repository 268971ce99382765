import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** Days as /etc/shadow counts them, from the first of January 1970, and as people write them. */
const MS_OF_DAY = 86_400_000;
const LAST_DAY = 99_999;

export function parseDay(text: string): Result<number, string> {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  const shown = JSON.stringify(text.slice(0, 20));
  if (year === undefined || month === undefined || day === undefined)
    return err(`${shown} is not a day; write it like "2026-12-31"`);
  const days = Date.UTC(Number(year), Number(month) - 1, Number(day)) / MS_OF_DAY;
  // A month that has no such day would quietly become a day of the next one.
  if (dayText(days) !== text || days < 1 || days > LAST_DAY)
    return err(`${shown} is no day of the calendar after 1970`);
  return ok(days);
}

export function dayText(days: number): string {
  return new Date(days * MS_OF_DAY).toISOString().slice(0, 10);
}
