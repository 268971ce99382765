import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemObserved } from "./facts.ts";
import { fileOf } from "./file-value.ts";
import type { SystemConfig } from "./model.ts";
import type { PamLine } from "./pam-stack.ts";

/**
 * When an account is locked after failures: pam_faillock has one file and no folder, so the file is ours whole, with the lines of others that
 * say something else (faillock.conf(5)). A word in it cannot be taken back by a later one, so what a policy says is taken out of theirs.
 */
export const FAILLOCK_FILE = "/etc/security/faillock.conf";
export const FAILLOCK_MODULE = "pam_faillock.so";

const HEAD = "# The first lines are made by Holdfast from a policy; changes to this file are overwritten.";

export type LockoutConfig = NonNullable<NonNullable<SystemConfig["passwords"]>["lockout"]>;

export const FOR_GOOD = "never";
/** A slip or two of the fingers is no attack, and one connection of ssh may hold three of them. */
export const FEWEST_FAILURES = 3;
const MOST_FAILURES = 100;
/** Seconds. Shorter is no hindrance to a machine that tries; longer is for good. */
const [SHORTEST, LONGEST] = [30, 604_800] as const;

export function parseFailures(count: number): Result<number, string> {
  return Number.isInteger(count) && count >= FEWEST_FAILURES && count <= MOST_FAILURES
    ? ok(count)
    : err(`${count} is not between ${FEWEST_FAILURES} and ${MOST_FAILURES} failures`);
}

export function parseLockSeconds(seconds: number): Result<number, string> {
  return Number.isInteger(seconds) && seconds >= SHORTEST && seconds <= LONGEST
    ? ok(seconds)
    : err("it is not between 30s and 7d");
}

/** Which keys of the file belong to which setting. */
const KEYS = {
  after: ["deny"],
  within: ["fail_interval"],
  for: ["unlock_time", "root_unlock_time"],
  root: ["even_deny_root"],
} as const satisfies Record<keyof LockoutConfig, readonly string[]>;

function ownKeys(lockout: LockoutConfig): readonly string[] {
  return Object.entries(KEYS).flatMap(([setting, keys]): readonly string[] =>
    lockout[setting as keyof LockoutConfig] === undefined ? [] : keys,
  );
}

function keyOf(line: string): string {
  return /^[a-z_]+/.exec(line.replace(/#.*/, "").trim())?.[0] ?? "";
}

/** Only what the policy says is replaced: the other lines are those that were found. */
export function faillockText(lockout: LockoutConfig, observed: SystemObserved | null): string {
  const entry = observed?.entries[FAILLOCK_FILE];
  const found = fileOf(observed?.found[`file:${FAILLOCK_FILE}`] ?? null)?.text;
  const base = found ?? (entry?.type === "file" ? entry.text : "");
  const own = ownKeys(lockout);
  const others = base.split("\n").filter((line) => line !== HEAD && !own.includes(keyOf(line)));
  const lines = [
    ...(lockout.after === undefined ? [] : [`deny = ${lockout.after}`]),
    ...(lockout.within === undefined ? [] : [`fail_interval = ${lockout.within}`]),
    ...(lockout.for === undefined ? [] : [`unlock_time = ${lockout.for}`]),
    ...(lockout.root === true ? ["even_deny_root"] : []),
  ];
  return `${[HEAD, ...lines, ...others].join("\n").trimEnd()}\n`;
}

/** What the module would do by this text; its own defaults where it says nothing. Seconds; null: for good. */
export interface Lockout {
  readonly after: number;
  readonly unlock: number | null;
  readonly root: boolean;
  readonly rootUnlock: number | null;
}

const DEFAULTS = { deny: "3", unlock_time: "600" } as const;

export function readLockout(text: string): Lockout {
  const values = new Map<string, string>(Object.entries(DEFAULTS));
  for (const raw of text.split("\n")) {
    const [, key = "", value = ""] = /^([a-z_]+)\s*(?:=\s*)?(.*)$/.exec(raw.replace(/#.*/, "").trim()) ?? [];
    if (key !== "") values.set(key, value.trim());
  }
  const seconds = (text: string): number | null => (text === FOR_GOOD || Number(text) === 0 ? null : Number(text));
  const unlock = seconds(values.get("unlock_time") ?? "");
  const rootUnlock = values.get("root_unlock_time");
  return {
    after: Number(values.get("deny")),
    unlock,
    root: values.has("even_deny_root"),
    rootUnlock: rootUnlock === undefined ? unlock : seconds(rootUnlock),
  };
}

/** Why people could not be kept from being locked out for good, or by one slip; null: neither. */
export function lockoutProblem(text: string): string | null {
  const { after, root, rootUnlock } = readLockout(text);
  // 0 turns it off.
  if (!(after >= FEWEST_FAILURES || after === 0)) return `an account is locked after ${after} failures`;
  return root && rootUnlock === null ? "root is locked for good, and nobody could open it again" : null;
}

/** All that pam_faillock knows (faillock.conf(5)). */
const WORDS = new Set([
  "admin_group",
  "audit",
  "deny",
  "dir",
  "even_deny_root",
  "fail_interval",
  "local_users_only",
  "no_log_info",
  "nodelay",
  "root_unlock_time",
  "silent",
  "unlock_time",
]);

/** Whether a text could be ours, or what stood there before: with our head it keeps nobody out. */
export function parseFaillockText(text: string): Result<null, string> {
  const wrong = text.split("\n").find((line) => !/^\s*(#|$)/.test(line) && !WORDS.has(keyOf(line)));
  if (wrong !== undefined) return err(`${JSON.stringify(wrong.slice(0, 80))} is no line of pam_faillock`);
  const problem = text.startsWith(`${HEAD}\n`) ? lockoutProblem(text) : null;
  return problem === null ? ok(null) : err(problem);
}

/** Whether failures at a way in are counted and asked about, and nothing there says another number or another file. */
export function countsFailures(stack: readonly PamLine[]): boolean {
  const words = stack.filter(({ module }) => module === FAILLOCK_MODULE).flatMap(({ args }) => args);
  return words.includes("authfail") && (words.includes("preauth") || words.includes("authsucc"));
}

/** Words behind the module that come before what the file says. */
export function otherLockoutWords(
  lockout: LockoutConfig,
  stack: readonly PamLine[],
): readonly { readonly path: string; readonly line: number; readonly word: string }[] {
  const own = [...ownKeys(lockout), "conf"];
  return stack
    .filter(({ module }) => module === FAILLOCK_MODULE)
    .flatMap(({ path, line, args }) =>
      args.filter((word) => own.includes(keyOf(word))).map((word) => ({ path, line, word })),
    );
}
