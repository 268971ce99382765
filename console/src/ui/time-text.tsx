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
  return awayFrom(Math.min(0, Date.parse(at) - nowMs), language);
}

/** Of an end that may be ahead. */
function untilTime(at: string, nowMs: number, language: Language): string {
  return awayFrom(Date.parse(at) - nowMs, language);
}

function awayFrom(distanceMs: number, language: Language): string {
  const { unit, ms } = UNITS.find(({ below }) => Math.abs(distanceMs) < below) ?? UNITS[4];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }).format(
    Math.trunc(distanceMs / ms),
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

/** How long ago; the exact time on hover. What has happened is never ahead, whatever two clocks say; an end may be. */
export function TimeText({ at, isEnd = false }: { readonly at: string; readonly isEnd?: boolean }): ReactNode {
  const language = useLanguage();
  const now = useNowMs(5000);
  return (
    <time dateTime={at} title={exactTime(at, language)} className="hf-nowrap">
      {(isEnd ? untilTime : relativeTime)(at, now, language)}
    </time>
  );
}
