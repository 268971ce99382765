/** `3 min ago`, `in 12 s`: for people beside the exact time in --json. */
export function relative(iso: string | null, nowMs: number): string {
  if (iso === null) return "never";
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1000);
  const size = Math.abs(seconds);
  const words =
    size < 60
      ? `${size} s`
      : size < 3600
        ? `${Math.round(size / 60)} min`
        : size < 86_400
          ? `${Math.round(size / 3600)} h`
          : `${Math.round(size / 86_400)} d`;
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

/** Whole seconds left until a time; never negative. */
export function secondsLeft(iso: string, nowMs: number): number {
  return Math.max(0, Math.ceil((Date.parse(iso) - nowMs) / 1000));
}
