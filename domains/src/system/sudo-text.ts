import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemConfig } from "./model.ts";

/** Our file among those of sudo. Its name has no dot: sudo passes over those that have one (sudoers(5)). */
export const SUDO_FILE = "/etc/sudoers.d/95-holdfast";

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";
const RIGHTS = { password: "ALL=(ALL:ALL) ALL", free: "ALL=(ALL:ALL) NOPASSWD: ALL" } as const;

/** Undefined: no user says anything of sudo; null: all of them say none. */
export function sudoText(users: NonNullable<SystemConfig["users"]>): string | null | undefined {
  const stated = Object.entries(users).flatMap(([name, user]) =>
    user.state === "present" && user.sudo !== undefined ? [{ name, sudo: user.sudo }] : [],
  );
  if (stated.length === 0) return undefined;
  const lines = stated
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, sudo }) => (sudo === "none" ? [] : [`${name} ${RIGHTS[sudo]}`]));
  return lines.length === 0 ? null : `${[HEAD, ...lines].join("\n")}\n`;
}

/** Who may do what by a text of ours. */
export function sudoRights(text: string): ReadonlyMap<string, "password" | "free"> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, name, free] = /^(\S+) ALL=\(ALL:ALL\) (NOPASSWD: )?ALL$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, free === undefined ? "password" : "free"] as const];
    }),
  );
}

/** Whether a text could be ours: our head, and all or nothing for single accounts. */
export function parseSudoText(text: string): Result<null, string> {
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "") return err("this is no text of ours for sudo");
  const wrong = lines.find((line) => !/^[a-z_][a-z0-9_.-]{0,31} ALL=\(ALL:ALL\) (?:NOPASSWD: )?ALL$/.test(line));
  return wrong === undefined ? ok(null) : err(`${JSON.stringify(wrong.slice(0, 80))} is no line of ours for sudo`);
}
