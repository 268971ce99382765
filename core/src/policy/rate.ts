import { err, ok, type Result } from "../base/result.ts";

export const RATE_UNITS = ["second", "minute", "hour", "day"] as const;
export type RateUnit = (typeof RATE_UNITS)[number];

/** A type alias, so that it is plain JSON to the compiler too. */
export type Rate = { readonly count: number; readonly per: RateUnit };

/** Reads `10/minute`. */
export function parseRate(text: string): Result<Rate, string> {
  const [count = "", per, ...rest] = text.split("/");
  const unit = RATE_UNITS.find((known) => known === per);
  if (unit === undefined || rest.length > 0 || !/^[1-9][0-9]{0,8}$/.test(count)) {
    return err(`${JSON.stringify(text)} is not a rate; write a number per second, minute, hour or day, like 10/minute`);
  }
  return ok({ count: Number(count), per: unit });
}

export function formatRate(rate: Rate): string {
  return `${rate.count}/${rate.per}`;
}
