import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemConfig } from "./model.ts";
import { CALENDAR, parseSchedule } from "./schedule.ts";
import { parseTaskUnit } from "./task-unit.ts";

/** A task is a timer of ours, and of systemd's own kind: it starts a service that is on the server already. */
export const TASKS_FOLDER = "/etc/systemd/system";
const PREFIX = "holdfast-task-";
const SUFFIX = ".timer";

export type TaskConfig = NonNullable<SystemConfig["tasks"]>[string];

/** Seconds; above it the moment is no more the one that is written. */
const LONGEST_JITTER = 43_200;

export function parseTaskName(text: string): Result<string, string> {
  return /^[a-z0-9][a-z0-9-]{0,39}$/.test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 60))} is no name of a task; write small letters, digits and -, at most 40`);
}

export function taskTimer(name: string): string {
  return `${PREFIX}${name}${SUFFIX}`;
}

export function taskPath(name: string): string {
  return `${TASKS_FOLDER}/${taskTimer(name)}`;
}

/** The name of the task whose timer this is; null: it is none of ours. */
export function taskOf(timer: string): string | null {
  const name = timer.startsWith(PREFIX) && timer.endsWith(SUFFIX) ? timer.slice(PREFIX.length, -SUFFIX.length) : "";
  return parseTaskName(name).ok ? name : null;
}

/** `After=`: where a server lost its power during a trial, what is undone at boot is gone before it could be due. */
export function taskText(name: string, { unit, at, jitter, persistent }: TaskConfig): string {
  const calendar = parseSchedule(at);
  if (!calendar.ok) throw new Error(`a task that was not checked: ${calendar.error}`);
  const lines = [
    "# Made by Holdfast from a policy; changes here are overwritten.",
    "[Unit]",
    `Description=Holdfast: the task ${name}`,
    "After=holdfast-boot.service",
    "[Timer]",
    `Unit=${unit}`,
    `OnCalendar=${calendar.value}`,
    `RandomizedDelaySec=${jitter ?? 0}`,
    `Persistent=${persistent === true ? "yes" : "no"}`,
    "[Install]",
    "WantedBy=timers.target",
  ];
  return `${lines.join("\n")}\n`;
}

/** What a text of ours says. */
export interface TaskSaid {
  readonly unit: string;
  readonly calendar: string;
  /** Seconds. */
  readonly jitter: number;
  readonly persistent: boolean;
}

const TEXT =
  /^# Made by Holdfast from a policy; changes here are overwritten\.\n\[Unit\]\nDescription=Holdfast: the task ([a-z0-9-]+)\nAfter=holdfast-boot\.service\n\[Timer\]\nUnit=(\S+)\nOnCalendar=([^\n]+)\nRandomizedDelaySec=(\d{1,5})\nPersistent=(yes|no)\n\[Install\]\nWantedBy=timers\.target\n$/;

/** Whether a text could be ours for the task of this name. Nothing in it names a program. */
export function parseTaskText(name: string, text: string): Result<TaskSaid, string> {
  const [, named, unit = "", calendar = "", jitter = "", persistent] = TEXT.exec(text) ?? [];
  if (named !== name) return err("this is no text of ours for a task");
  const checked = parseTaskUnit(unit);
  if (!checked.ok) return checked;
  if (!CALENDAR.test(calendar)) return err(`${calendar} is no time that we write`);
  if (Number(jitter) > LONGEST_JITTER) return err(`a spread of ${jitter} s is more than 12h`);
  return ok({ unit, calendar, jitter: Number(jitter), persistent: persistent === "yes" });
}

/** A text of ours on one line. */
export function taskWords(name: string, text: string): string {
  const said = parseTaskText(name, text);
  if (!said.ok) return `${text.split("\n").length - 1} lines`;
  const { unit, calendar, jitter, persistent } = said.value;
  return [
    `${unit} at ${calendar}`,
    ...(jitter === 0 ? [] : [`within ${jitter} s`]),
    ...(persistent ? ["made up for where it was missed"] : []),
  ].join(", ");
}
