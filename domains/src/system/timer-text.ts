import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemConfig } from "./model.ts";
import { everyDayAt } from "./time-of-day.ts";

/** When packages are installed by themselves: the system's own timer, with our lines beside its own. */
export const UPDATES_TIMER = "apt-daily-upgrade.timer";
export const UPDATES_TIMER_FOLDER = `/etc/systemd/system/${UPDATES_TIMER}.d`;
export const UPDATES_TIMER_FILE = `${UPDATES_TIMER_FOLDER}/95-holdfast.conf`;

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

/**
 * The first, empty time takes away those of the system's own file. Without Persistent=no a server that was off at that time would install
 * when it is started, outside of the window.
 */
export function updatesTimerText({
  from,
  within,
}: NonNullable<NonNullable<SystemConfig["updates"]>["window"]>): string {
  const times = ["OnCalendar=", `OnCalendar=${everyDayAt(from)}`];
  return `${[HEAD, "[Timer]", ...times, `RandomizedDelaySec=${within}`, "Persistent=no"].join("\n")}\n`;
}

const UPDATES_TIMER_TEXT = new RegExp(
  `^${HEAD}\\n\\[Timer\\]\\nOnCalendar=\\nOnCalendar=\\*-\\*-\\* (?:[01]\\d|2[0-3]):[0-5]\\d:00\\nRandomizedDelaySec=\\d{1,5}\\nPersistent=no\\n$`,
);

/** Whether a text could be ours for this path. Nothing in it names a program. */
export function parseTimerText(path: string, text: string): Result<null, string> {
  if (path !== UPDATES_TIMER_FILE) return err(`${path} is no timer of ours`);
  return UPDATES_TIMER_TEXT.test(text) ? ok(null) : err("this is no text of ours for a timer");
}

/** A text of ours on one line; one that somebody has changed is counted, the diff shows it. */
export function windowWords(text: string): string {
  const [, from, within] = /^OnCalendar=\*-\*-\* (\d\d:\d\d):00\nRandomizedDelaySec=(\d+)$/m.exec(text) ?? [];
  const isOurs = UPDATES_TIMER_TEXT.test(text) && from !== undefined;
  return isOurs ? `${from}, within ${Number(within) / 60} minutes` : `${text.split("\n").length - 1} lines`;
}

/** Where a file beside ours says when, by which the times of ours would be others. */
export function timerLines(
  path: string,
  text: string,
): readonly { readonly path: string; readonly line: number; readonly key: string }[] {
  if (path === UPDATES_TIMER_FILE) return [];
  return text.split("\n").flatMap((line, index) => {
    const [, key] = /^\s*(On[A-Z][A-Za-z]*Sec|OnCalendar|RandomizedDelaySec|Persistent)\s*=/.exec(line) ?? [];
    return key === undefined ? [] : [{ path, line: index + 1, key }];
  });
}

/** The times that a text of ours names, as systemd takes them. */
export function timesOf(text: string): readonly string[] {
  return [...text.matchAll(/^OnCalendar=(.+)$/gm)].flatMap(([, time]) => time ?? []);
}

/** A timer as systemd has it. */
export type ObservedTimer = {
  /** In systemd's own words. */
  readonly times: readonly string[];
  /** Seconds by which it is late at most, by chance. */
  readonly spread: number;
  /** What it starts. */
  readonly unit: string;
  /** When it is due next, in systemd's own words and UTC; empty: it does not run. */
  readonly next: string;
  /** When it was due last, in the same words; empty: not since the server started. */
  readonly last: string;
  /** Whether one that was missed is made up for. */
  readonly persistent: boolean;
  /** Files that change it, other than its own. */
  readonly dropIns: readonly string[];
};

/** From `systemctl show`; a span of time is in words there, and in microseconds only where it is none. */
export function parseTimers(text: string): Readonly<Record<string, ObservedTimer>> {
  return Object.fromEntries(
    text.split("\n\n").flatMap((block) => {
      const values = (key: string): readonly string[] =>
        block.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
      const [name = ""] = values("Id");
      if (name === "") return [];
      const times = values("TimersCalendar").flatMap((value) => /OnCalendar=(.*?) ;/.exec(value)?.[1] ?? []);
      const spread = secondsOf(values("RandomizedDelayUSec")[0] ?? "0");
      return [
        [
          name,
          {
            times,
            spread,
            unit: values("Unit")[0] ?? "",
            next: values("NextElapseUSecRealtime")[0] ?? "",
            last: values("LastTriggerUSec")[0] ?? "",
            persistent: values("Persistent")[0] === "yes",
            dropIns: (values("DropInPaths")[0] ?? "").split(" ").filter((path) => path !== ""),
          },
        ],
      ];
    }),
  );
}

const SECONDS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3_600, min: 60, s: 1 };

function secondsOf(span: string): number {
  return span
    .split(" ")
    .map((part) => /^(\d+)(w|d|h|min|s)$/.exec(part))
    .reduce((sum, part) => sum + Number(part?.[1] ?? 0) * (SECONDS[part?.[2] ?? ""] ?? 0), 0);
}
