import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemConfig } from "./model.ts";

/**
 * How long a password lives that is given to a new account: single lines of /etc/login.defs, which holds much else. useradd(8) copies them
 * into /etc/shadow when it makes an account, and nothing reads them afterwards: accounts that are there keep what they have.
 */
export const LOGIN_DEFS = "/etc/login.defs";

export type AgeConfig = NonNullable<NonNullable<SystemConfig["passwords"]>["age"]>;

export const AGE_KEYS = {
  most: "PASS_MAX_DAYS",
  least: "PASS_MIN_DAYS",
  warn: "PASS_WARN_AGE",
} as const satisfies Record<keyof AgeConfig, string>;
export type LoginKey = (typeof AGE_KEYS)[keyof AgeConfig];
export const LOGIN_KEYS: readonly LoginKey[] = Object.values(AGE_KEYS);

/** Days. Less, and people are kept busy with it; more is never, which is 99999 to Debian. */
export const AGE_DAYS = {
  most: { least: 7, most: 99_999 },
  least: { least: 0, most: 365 },
  warn: { least: 0, most: 365 },
} as const satisfies Record<keyof AgeConfig, { readonly least: number; readonly most: number }>;

export function loginLine(key: LoginKey, days: number): string {
  return `${key}\t${days}`;
}

/** The lines that say it, as they stand there. */
export function loginLines(text: string, key: LoginKey): readonly string[] {
  return text.split("\n").filter((line) => keyOf(line) === key);
}

function keyOf(line: string): string {
  return line.trim().split(/\s+/)[0] ?? "";
}

export function daysOf(line: string): number {
  return Number(line.trim().split(/\s+/)[1]);
}

/** In its place, or at the head where there is none: there it can be taken away again byte for byte. */
export function withLoginLine(text: string, key: LoginKey, line: string | null): string {
  const lines = text.split("\n");
  const at = lines.findIndex((one) => keyOf(one) === key);
  if (at === -1) return line === null ? text : `${line}\n${text}`;
  return [...lines.slice(0, at), ...(line === null ? [] : [line]), ...lines.slice(at + 1)].join("\n");
}

/** Whether this is one line of that setting and nothing else. What goes back when a policy is gone is in somebody else's spelling. */
export function parseLoginLine(key: string, line: string): Result<null, string> {
  if (!LOGIN_KEYS.some((known) => known === key)) return err(`${key} is no setting of ours in ${LOGIN_DEFS}`);
  return keyOf(line) === key && /^[\t\x20-\x7e]{1,200}$/.test(line)
    ? ok(null)
    : err(`${JSON.stringify(line.slice(0, 80))} is not one line of ${key}`);
}
