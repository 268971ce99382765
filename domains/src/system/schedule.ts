import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { everyDayAt, parseTimeOfDay } from "./time-of-day.ts";

/** When something starts, in words; all of them by the server's own clock and time zone. */
const FORMS = 'write "daily at 03:30", "weekly on sun at 04:00", "monthly on 1 at 05:00" (or on last), or "every 15m"';

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** Those that go into an hour, and into a day, without a rest: each hour and each day is like the one before. */
const MINUTES: readonly number[] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30];
const HOURS: readonly number[] = [1, 2, 3, 4, 6, 8, 12];

/** Not every month has a day after it. */
const LAST_DAY_OF_ALL = 28;

/** As systemd writes a calendar (systemd.time(7)), in the very form in which `systemctl show` gives it back. */
export function parseSchedule(text: string): Result<string, string> {
  const shown = JSON.stringify(text.slice(0, 60));
  const every = /^every (\d{1,2})([mh])$/.exec(text);
  if (every !== null) return spanOf(Number(every[1]), every[2] === "h");
  const [, when = "", at = ""] = /^(daily|weekly on .{1,40}|monthly on .{1,10}) at (.{1,10})$/.exec(text) ?? [];
  if (when === "") return err(`${shown} is no time that is known here; ${FORMS}`);
  const time = parseTimeOfDay(at);
  // The whole stands in quotes already.
  if (!time.ok) return err(`${shown}: ${at} is no time of the day; write hour and minute with both digits, like 03:30`);
  const [kind, , ...on] = when.split(" ");
  if (kind === "weekly") {
    const days = daysOf(on.join(" "));
    return days.ok ? ok(`${days.value} ${everyDayAt(at)}`) : err(`${shown}: ${days.error}`);
  }
  if (kind === "monthly") {
    const day = dayOf(on.join(" "));
    return day.ok ? ok(`*-*${day.value} ${at}:00`) : err(`${shown}: ${day.error}`);
  }
  return ok(everyDayAt(at));
}

function spanOf(count: number, isHours: boolean): Result<string, string> {
  const known = isHours ? HOURS : MINUTES;
  const unit = isHours ? "h" : "m";
  if (!known.includes(count))
    return err(`every ${count}${unit} does not come out even; write one of ${known.join(", ")} ${unit}`);
  if (isHours) return ok(count === 1 ? "*-*-* *:00:00" : `*-*-* 00/${count}:00:00`);
  return ok(count === 1 ? "*-*-* *:*:00" : `*-*-* *:00/${count}:00`);
}

/** Runs of three and more are written by their ends, as systemd does. */
function daysOf(text: string): Result<string, string> {
  const said = text.split(/, ?| /);
  const unknown = said.find((day) => !DAYS.some((known) => known === day));
  if (unknown !== undefined) return err(`${JSON.stringify(unknown)} is no day; the days are ${DAYS.join(", ")}`);
  const on = DAYS.map((day) => said.includes(day));
  if (on.every(Boolean)) return err("that is every day; write daily");
  const runs: string[][] = [];
  for (const [index, day] of DAYS.entries()) {
    if (!(on[index] ?? false)) continue;
    const name = `${day.slice(0, 1).toUpperCase()}${day.slice(1)}`;
    const run = runs.at(-1);
    if (index > 0 && (on[index - 1] ?? false) && run !== undefined) run.push(name);
    else runs.push([name]);
  }
  return ok(runs.map((run) => (run.length > 2 ? `${run[0] ?? ""}..${run.at(-1) ?? ""}` : run.join(","))).join(","));
}

function dayOf(text: string): Result<string, string> {
  if (text === "last") return ok("~01");
  const day = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  return day >= 1 && day <= LAST_DAY_OF_ALL
    ? ok(`-${String(day).padStart(2, "0")}`)
    : err(`${JSON.stringify(text)} is no day of every month; write 1 to ${LAST_DAY_OF_ALL}, or last`);
}

/** The grammar of what comes out above, for whoever takes such a time from elsewhere. */
export const CALENDAR =
  /^(?:(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:,|\.\.|(?= )))+ )?\*-\*(?:-\*|-\d\d|~01) (?:\d\d:\d\d:00|\*:(?:\*|00|00\/\d{1,2}):00|00\/\d{1,2}:00:00)$/;
