import { LOG_FIELDS } from "./fields.ts";

/**
 * What every line of every process has, under these names: one JSON object a line, the time in ISO 8601 and UTC, the level as a word, the
 * sentence, which process wrote it. What it is about stands beside it under the names of LOG_FIELDS.
 */
export const LOG_LINE = { time: "time", level: "level", message: "message", process: "process" } as const;

/** How pino is told so; the time and who writes are the process's own. */
export const LINE_FORMAT = {
  messageKey: LOG_LINE.message,
  formatters: { level: (label: string) => ({ [LOG_LINE.level]: label }) },
} as const;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** syslog's numbers, by what follows: `error` and worse call somebody, `warn` is looked at, `info` is the story. */
export const SYSLOG_PRIORITY = { trace: 7, debug: 7, info: 6, warn: 4, error: 3, fatal: 2 } as const satisfies Record<
  LogLevel,
  number
>;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What is wrong with a line, in words; null when it is as it should be. */
export function whyNotALine(text: string): string | null {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  if (typeof line !== "object" || line === null || Array.isArray(line)) return "it is no object";
  const members = line as Readonly<Record<string, unknown>>;
  const { time, level, message, process } = members;
  if (typeof time !== "string" || !TIME.test(time)) return "its time is not ISO 8601 with milliseconds, in UTC";
  if (!LOG_LEVELS.some((known) => known === level)) return "its level is none of the words";
  if (typeof message !== "string" || message === "") return "it has no message";
  if (typeof process !== "string" || process === "") return "it does not say which process wrote it";
  for (const name of Object.values(LOG_FIELDS))
    if (name in members && typeof members[name] !== "string") return `${name} is no text`;
  const camel = Object.keys(LOG_FIELDS).find((name) => name in members && name !== "domain" && name !== "actor");
  return camel === undefined ? null : `${camel} has a name of its own, ${LOG_FIELDS[camel as keyof typeof LOG_FIELDS]}`;
}

/** The fields under which journald finds a line: upper case, as its own are. */
export function journalFields(line: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const name of Object.values(LOG_FIELDS)) {
    const value = line[name];
    // A line break would begin another field.
    if (typeof value === "string" && value !== "" && !value.includes("\n")) fields[name.toUpperCase()] = value;
  }
  return fields;
}
