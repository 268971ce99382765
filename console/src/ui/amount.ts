import { type Language, useLanguage } from "../i18n/language.ts";

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Bytes as people read them, in thousands. */
export function bytesText(bytes: number, language: Language): string {
  const power = Math.min(BYTE_UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: BYTE_UNITS[power] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: power === 0 ? 0 : 1,
  }).format(bytes / 1000 ** power);
}

const TIME_UNITS = [
  { unit: "second", seconds: 1, below: 120 },
  { unit: "minute", seconds: 60, below: 7200 },
  { unit: "hour", seconds: 3600, below: 172_800 },
  { unit: "day", seconds: 86_400, below: Infinity },
] as const;

/** A length of time in its largest fitting unit. */
export function durationText(seconds: number, language: Language): string {
  const found = TIME_UNITS.find(({ below }) => seconds < below) ?? TIME_UNITS[3];
  return new Intl.NumberFormat(language, { style: "unit", unit: found.unit, unitDisplay: "short" }).format(
    Math.floor(seconds / found.seconds),
  );
}

export function useAmounts(): {
  readonly bytes: (bytes: number) => string;
  readonly duration: (seconds: number) => string;
  readonly count: (count: number) => string;
} {
  const language = useLanguage();
  return {
    bytes: (bytes) => bytesText(bytes, language),
    duration: (seconds) => durationText(seconds, language),
    count: (count) => new Intl.NumberFormat(language).format(count),
  };
}
