import { normalSysctlValue } from "./sysctl-key.ts";

/** One line of a file that sets kernel settings at boot. Type alias, so that it is plain JSON to the compiler too. */
export type SysctlLine = {
  readonly path: string;
  readonly line: number;
  /** As written, dots for slashes; it may hold `*`. */
  readonly key: string;
  readonly value: string;
};

export function linesOfFile(path: string, text: string): readonly SysctlLine[] {
  return text.split("\n").flatMap((raw, index) => {
    const trimmed = raw.trim();
    if (trimmed === "" || /^[#;]/.test(trimmed)) return [];
    const equals = trimmed.indexOf("=");
    // A line that begins with `-` and has no value only keeps a pattern from holding.
    if (equals === -1) return [];
    const key = trimmed.slice(0, equals).trim().replace(/^-/, "");
    return [{ path, line: index + 1, key: dotted(key), value: normalSysctlValue(trimmed.slice(equals + 1)) }];
  });
}

/** The first separator of a key decides which one it uses (sysctl.d(5)). */
function dotted(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  if (first !== "/") return key;
  return key.replace(/[./]/g, (separator) => (separator === "/" ? "." : "/"));
}

export function setsKey(line: SysctlLine, key: string): boolean {
  if (!line.key.includes("*")) return line.key === key;
  const parts = line.key.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^.]*")}$`).test(key);
}

/** What stands in the boot file. */
export function sysctlFileText(settings: Readonly<Record<string, string>>): string | null {
  const keys = Object.keys(settings).toSorted();
  if (keys.length === 0) return null;
  const head = "# Written by Holdfast when this was confirmed; changes are overwritten.";
  // `-`: a setting that this kernel does not have yet (a module, an interface) must not fail the rest.
  return `${[head, ...keys.map((key) => `-${key} = ${settings[key] ?? ""}`)].join("\n")}\n`;
}
