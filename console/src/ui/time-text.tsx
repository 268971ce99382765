import type { ReactNode } from "react";
import { type Language, useLanguage } from "../i18n/language.ts";
import { useNowMs } from "./now.ts";

const UNITS = [
  { unit: "second", ms: 1000, below: 60_000 },
  { unit: "minute", ms: 60_000, below: 3_600_000 },
  { unit: "hour", ms: 3_600_000, below: 86_400_000 },
  { unit: "day", ms: 86_400_000, below: 30 * 86_400_000 },
  { unit: "month", ms: 30 * 86_400_000, below: Infinity },
] as const;

export function relativeTime(at: string, nowMs: number, language: Language): string {
  const past = Math.max(0, nowMs - Date.parse(at));
  const { unit, ms } = UNITS.find(({ below }) => past < below) ?? UNITS[4];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }).format(
    -Math.floor(past / ms),
    unit,
  );
}

/** In the operator's own zone, which is named. */
export function exactTime(at: string, language: Language): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" }).format(new Date(at));
}

export function clockTime(at: string, language: Language): string {
  return new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(at));
}

/** How long ago; the exact time on hover. */
export function TimeText({ at }: { readonly at: string }): ReactNode {
  const language = useLanguage();
  const now = useNowMs(5000);
  return (
    <time dateTime={at} title={exactTime(at, language)} className="hf-nowrap">
      {relativeTime(at, now, language)}
    </time>
  );
}
