import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemConfig } from "./model.ts";
import type { PamLine } from "./pam-stack.ts";

/**
 * What a new password must be: our file for pam_pwquality. It reads its folder by name, then its main file, and then the words behind the
 * module in /etc/pam.d; whoever comes last wins (pwquality.conf(5), tried with 1.4.5).
 */
export const QUALITY_FOLDER = "/etc/security/pwquality.conf.d";
export const QUALITY_FILE = `${QUALITY_FOLDER}/95-holdfast.conf`;
export const QUALITY_MAIN = "/etc/security/pwquality.conf";
export const QUALITY_MODULE = "pam_pwquality.so";

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

export type QualityConfig = NonNullable<NonNullable<SystemConfig["passwords"]>["quality"]>;

/** Numbers that a policy may say, each with its ends. libpwquality itself takes no length below 6. */
export const QUALITY_NUMBERS = {
  length: { least: 6, most: 128 },
  classes: { least: 0, most: 4 },
  digits: { least: 0, most: 32 },
  upper: { least: 0, most: 32 },
  lower: { least: 0, most: 32 },
  others: { least: 0, most: 32 },
  differ: { least: 0, most: 32 },
  repeat: { least: 0, most: 32 },
} as const satisfies Partial<Record<keyof QualityConfig, { readonly least: number; readonly most: number }>>;

const ROOT_TOO = "enforce_for_root";
/** A number above zero here makes a shorter password long enough. */
const COUNTS = { digits: "dcredit", upper: "ucredit", lower: "lcredit", others: "ocredit" } as const;
const PLAIN = { length: "minlen", classes: "minclass", differ: "difok", repeat: "maxrepeat" } as const;
const CHECKS = { dictionary: "dictcheck", name: "usercheck" } as const;

/** What libpwquality must make of all files, by its own names: a number, or whether a word is there. */
export type QualityWish = Readonly<Record<string, number | boolean>>;

export function qualityWish(quality: QualityConfig): QualityWish {
  const wish: Record<string, number | boolean> = {};
  for (const [word, key] of Object.entries(PLAIN)) {
    const value = quality[word as keyof typeof PLAIN];
    if (value !== undefined) wish[key] = value;
  }
  for (const [word, key] of Object.entries(COUNTS)) {
    const least = quality[word as keyof typeof COUNTS];
    // A length is the length, and nothing is counted twice.
    if (least !== undefined) wish[key] = least === 0 ? 0 : -least;
    else if (quality.length !== undefined) wish[key] = 0;
  }
  for (const [word, key] of Object.entries(CHECKS)) {
    const isOn = quality[word as keyof typeof CHECKS];
    if (isOn !== undefined) wish[key] = isOn ? 1 : 0;
  }
  if (quality.root !== undefined) wish[ROOT_TOO] = quality.root;
  // Otherwise a password is only frowned at.
  return { ...wish, enforcing: 1 };
}

export function qualityText(quality: QualityConfig): string {
  const lines = Object.entries(qualityWish(quality)).flatMap(([key, value]) => {
    if (typeof value === "number") return [`${key} = ${value}`];
    return value ? [key] : [];
  });
  return `${[HEAD, ...lines].join("\n")}\n`;
}

const KEYS: readonly string[] = [
  ...Object.values(PLAIN),
  ...Object.values(COUNTS),
  ...Object.values(CHECKS),
  "enforcing",
];

/** Whether a text could be ours: words by which a password is judged, and none that names a file. */
export function parseQualityText(text: string): Result<null, string> {
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "" || lines.length === 0) return err("this is no text of ours for passwords");
  const wrong = lines.find((line) => {
    const [, key = ""] = /^([a-z]+) = (?:-?\d{1,3})$/.exec(line) ?? [];
    return line !== ROOT_TOO && !KEYS.includes(key);
  });
  return wrong === undefined ? ok(null) : err(`${JSON.stringify(wrong.slice(0, 80))} is no line of ours for passwords`);
}

/** A line of a file that judges passwords. Type alias, so that it is plain JSON to the compiler too. */
export type QualityLine = {
  readonly path: string;
  readonly line: number;
  readonly key: string;
  readonly value: string;
};

export function qualityLines(path: string, text: string): readonly QualityLine[] {
  return text.split("\n").flatMap((raw, index) => {
    const [, key = "", value = ""] = /^([a-z_]+)\s*(?:=?\s*(.*))?$/.exec(raw.replace(/#.*/, "").trim()) ?? [];
    return key === "" ? [] : [{ path, line: index + 1, key, value }];
  });
}

/** The words behind the module, which come after all files. */
function argumentLines(stack: readonly PamLine[]): readonly QualityLine[] {
  return stack
    .filter(({ module }) => module === QUALITY_MODULE)
    .flatMap(({ path, line, args }) =>
      args.map((arg) => {
        const at = arg.indexOf("=");
        return at === -1
          ? { path, line, key: arg, value: "" }
          : { path, line, key: arg.slice(0, at), value: arg.slice(at + 1) };
      }),
    );
}

/** What of others comes after our file and says something else. A word that is there cannot be taken back by a later one, so it counts anywhere. */
export function otherQualityLines(
  wish: QualityWish,
  files: readonly QualityLine[],
  stack: readonly PamLine[],
): readonly QualityLine[] {
  return [...files, ...argumentLines(stack)].filter(({ path, key, value }) => {
    const wanted = wish[key];
    if (wanted === undefined || path === QUALITY_FILE) return false;
    if (typeof wanted === "boolean") return !wanted;
    const isLater = !path.startsWith(`${QUALITY_FOLDER}/`) || path > QUALITY_FILE;
    return isLater && Number(value) !== wanted;
  });
}

/** What of a wish is not so, by all files and words together; null: all of it is. */
export function qualityProblem(
  wish: QualityWish,
  files: readonly QualityLine[],
  stack: readonly PamLine[],
): string | null {
  const lines = [...files, ...argumentLines(stack)];
  for (const [key, wanted] of Object.entries(wish)) {
    const last = lines.findLast((line) => line.key === key);
    if (typeof wanted === "boolean") {
      if ((last !== undefined) !== wanted) return `${key} is ${wanted ? "not set" : `set by ${last?.path ?? ""}`}`;
    } else if (last === undefined || Number(last.value) !== wanted)
      return `${key} is ${last === undefined ? "not set" : `${last.value} by ${last.path}`}`;
  }
  return null;
}
