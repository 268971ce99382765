import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** Hour and minute by the server's own clock and time zone, with both digits of both. */
export function parseTimeOfDay(text: string): Result<string, string> {
  return /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 20))} is no time of the day; write it in quotes, like "03:30"`);
}

/** As systemd writes a time of every day (systemd.time(7)); `systemd-analyze calendar` gives it back unchanged. */
export function everyDayAt(time: string): string {
  return `*-*-* ${time}:00`;
}
