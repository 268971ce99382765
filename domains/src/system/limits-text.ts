import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemConfig } from "./model.ts";

/** What a session may take: our file among those of pam_limits, which reads them in the order of their names (pam_limits(8)). */
export const LIMITS_FOLDER = "/etc/security/limits.d";
export const LIMITS_FILE = `${LIMITS_FOLDER}/95-holdfast.conf`;
/** Read before all of them. */
export const LIMITS_MAIN = "/etc/security/limits.conf";

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

/** Those by which nobody is kept out as long as they are not too small. */
export const LIMITS = ["nofile", "nproc", "memlock", "core"] as const;
export type LimitName = (typeof LIMITS)[number];
export type Limit = number | "unlimited";
export type LimitsConfig = NonNullable<SystemConfig["limits"]>;

export const NO_LIMIT = "unlimited";

/** A login and what its shell starts need this much; a limit below would be a way to lock people out. */
export const LEAST: Readonly<Record<LimitName, number>> = { nofile: 256, nproc: 256, memlock: 0, core: 0 };

/** The kernel's own end of it is 2^30 at most (fs/file.c of Linux); processes and KiB have the room of an int. */
const MOST = 2_147_483_647;

export function parseLimit(name: LimitName, value: Limit): Result<Limit, string> {
  if (value === NO_LIMIT)
    return name === "nofile"
      ? err("the kernel has an end of open files (fs.nr_open), and more than that is set for nobody; write a number")
      : ok(value);
  if (!Number.isInteger(value) || value > MOST) return err(`${value} is more than ${MOST}`);
  return value >= LEAST[name] ? ok(value) : err(`${value} is too small; a login needs ${LEAST[name]} at least`);
}

const WHO = /^(everyone|(user|group) ([a-z_][a-z0-9_.-]{0,31}))$/;

/** Whom a limit is for: everyone, a user or a group. */
export function parseLimited(text: string): Result<string, string> {
  return WHO.test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 50))} is nobody; write everyone, "user kim" or "group ops"`);
}

/** As the file says it: a star, a name, or a name behind an @. */
export function domainOf(who: string): string {
  const [, all, kind, name = ""] = WHO.exec(who) ?? [];
  if (all === "everyone") return "*";
  return kind === "group" ? `@${name}` : name;
}

/** Null: nothing is limited for anybody. */
export function limitsText(limits: LimitsConfig): string | null {
  const lines = Object.keys(limits)
    .toSorted()
    .flatMap((who) =>
      LIMITS.flatMap((name) => {
        const limit = limits[who]?.[name];
        if (limit === undefined) return [];
        const [soft, hard] = [`soft ${name} ${limit.soft}`, `hard ${name} ${limit.hard}`];
        return [`${domainOf(who)} ${soft}`, `${domainOf(who)} ${hard}`];
      }),
    );
  return lines.length === 0 ? null : `${[HEAD, ...lines].join("\n")}\n`;
}

/** Whether a text could be ours: our head, and limits with which people still get in. */
export function parseLimitsText(text: string): Result<null, string> {
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "" || lines.length === 0) return err("this is no text of ours for limits");
  for (const line of lines) {
    const [, item = "", value = ""] =
      /^(?:\*|@?[a-z_][a-z0-9_.-]{0,31}) (?:soft|hard) (nofile|nproc|memlock|core) (unlimited|\d{1,10})$/.exec(line) ??
      [];
    const name = LIMITS.find((known) => known === item);
    if (name === undefined) return err(`${JSON.stringify(line.slice(0, 80))} is no line of ours for limits`);
    const checked = parseLimit(name, value === NO_LIMIT ? NO_LIMIT : Number(value));
    if (!checked.ok) return checked;
  }
  return ok(null);
}

/** A line of another file that limits the same. Type alias, so that it is plain JSON to the compiler too. */
export type LimitLine = {
  readonly path: string;
  readonly line: number;
  readonly domain: string;
  readonly item: string;
  readonly value: string;
};

/** Of those items that could be ours; pam_limits takes `-` for both sides, and `-1` and `infinity` for no limit. */
export function limitLines(path: string, text: string): readonly LimitLine[] {
  return text.split("\n").flatMap((raw, index) => {
    const [domain = "", , item = "", value = ""] = raw.replace(/#.*/, "").trim().split(/\s+/);
    return LIMITS.some((known) => known === item) ? [{ path, line: index + 1, domain, item, value }] : [];
  });
}

/** What of others is read after ours and says the same of the same people. */
export function laterLimitLines(
  limits: LimitsConfig,
  lines: readonly LimitLine[],
): readonly (LimitLine & { who: string })[] {
  return Object.entries(limits).flatMap(([who, stated]) =>
    lines
      .filter(
        ({ path, domain, item }) =>
          path !== LIMITS_MAIN &&
          path > LIMITS_FILE &&
          domain === domainOf(who) &&
          LIMITS.some((name) => name === item && stated[name] !== undefined),
      )
      .map((line) => ({ ...line, who })),
  );
}
