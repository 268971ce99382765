import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Action, Step } from "@holdfast/core/plan/step.ts";
import { UPDATES_FILE } from "./apt-text.ts";
import { runningChrony } from "./chrony.ts";
import { CHRONY_FILE, NTP_FILE, NTP_UNITS, RESOLVER_FILE, type SystemObserved } from "./facts.ts";
import { fileOf } from "./file-value.ts";
import { FOUND_FILE, FOUND_MODE, type FoundRecord, foundText } from "./found.ts";
import { BLOCK_FILE } from "./kernel-module.ts";
import { LIMITS_FILE } from "./limits-text.ts";
import { splitSlot, splitUnit } from "./slots.ts";
import { KEY_FOLDER } from "./ssh-key.ts";
import { taskFound } from "./task-slot.ts";
import { UPDATES_TIMER_FILE } from "./timer-text.ts";
import { accountOf, DEFAULT_SHELL, partChange } from "./users.ts";

/** Milliseconds on a busy machine. Too small: a change fails because the server was busy; too large: the armed undo comes late. */
const WRITE_BUDGET_MS = 2_000;
/** systemd gives a unit 90 s to start; one that takes longer than this does not belong into a trial. */
const UNIT_BUDGET_MS = 30_000;
/** sshd is asked twice, reloaded and waited for. */
const SSHD_BUDGET_MS = 20_000;
/** useradd waits up to 15 s for whoever holds the files of accounts. */
export const TOOL_BUDGET_MS = 20_000;
const DAEMON_FILE_MODE = 0o644;

export function systemStep(id: string, title: string, action: Action, budgetMs = WRITE_BUDGET_MS): Step {
  return { id, domain: "system", title, action, budgetMs };
}

export function fileStep(id: string, title: string, path: string, mode: number, text: string | null): Step {
  return systemStep(
    id,
    title,
    text === null ? { kind: "remove_file", path } : { kind: "write_file", path, mode, text },
  );
}

export function foundStep(id: string, found: FoundRecord): Step {
  return fileStep(id, "Note down what was found on the server", FOUND_FILE, FOUND_MODE, foundText(found));
}

/** What sshd's part of a change needs beside the text. */
export interface SshdWish {
  readonly check: boolean;
  readonly effective: { readonly [keyword: string]: readonly string[] };
  readonly listens: readonly number[];
}

/** The acts that give a slot this value. Empty where there is nothing to go back to: a kernel setting that was not there. */
export function slotSteps(
  slot: string,
  title: string,
  value: Json,
  live: SystemObserved,
  sshd: SshdWish,
): readonly Step[] {
  const [kind, rest] = splitSlot(slot);
  const id = `system.${slot}`;
  switch (kind) {
    case "sysctl":
      return typeof value === "string" ? [systemStep(id, title, { kind: "sysctl", key: rest, value })] : [];
    case "hostname":
      return typeof value === "string" ? [systemStep(id, title, { kind: "hostname", name: value })] : [];
    case "timezone":
      return [systemStep(id, title, { kind: "localtime", target: textOf(value) })];
    case "hosts":
      return [systemStep(id, title, { kind: "hosts_block", block: textOf(value) })];
    case "file": {
      const file = fileOf(value);
      return [fileStep(id, title, rest, file?.mode ?? DAEMON_FILE_MODE, file?.text ?? null)];
    }
    case "chrony":
      return daemonSteps(id, title, CHRONY_FILE, textOf(value), runningChrony(live) ?? NTP_UNITS.chrony[0], live);
    case "ntp":
      return daemonSteps(id, title, NTP_FILE, textOf(value), "systemd-timesyncd.service", live);
    case "resolver":
      return daemonSteps(id, title, RESOLVER_FILE, textOf(value), "systemd-resolved.service", live);
    case "ssh": {
      const action = { kind: "sshd", text: textOf(value), reload: reloadedUnit(live, sshd.check), ...sshd } as const;
      return [systemStep(id, title, action, SSHD_BUDGET_MS)];
    }
    case "modules":
      if (rest === "load") return [systemStep(id, title, { kind: "modules", text: textOf(value) }, UNIT_BUDGET_MS)];
      return [fileStep(id, title, BLOCK_FILE, DAEMON_FILE_MODE, textOf(value))];
    case "logs": {
      const action = { kind: "rsyslog", text: textOf(value), check: sshd.check } as const;
      return [systemStep(id, title, action, UNIT_BUDGET_MS)];
    }
    case "limits":
      return [fileStep(id, title, LIMITS_FILE, DAEMON_FILE_MODE, textOf(value))];
    case "login":
      return [systemStep(id, title, { kind: "login_setting", key: rest, line: textOf(value) })];
    case "updates": {
      if (rest === "apt") return [fileStep(id, title, UPDATES_FILE, DAEMON_FILE_MODE, textOf(value))];
      const action = { kind: "timer", path: UPDATES_TIMER_FILE, text: textOf(value), check: sshd.check } as const;
      return [systemStep(id, title, action, UNIT_BUDGET_MS)];
    }
    case "task": {
      const { text, runs } = taskFound(value) ?? { text: null, runs: false };
      return [systemStep(id, title, { kind: "task", name: rest, text, runs, check: sshd.check }, UNIT_BUDGET_MS)];
    }
    case "group":
      return [systemStep(id, title, { kind: "group", name: rest, exists: value === true }, TOOL_BUDGET_MS)];
    case "user":
      return [
        systemStep(id, title, { kind: "account", name: rest, want: accountWish(rest, value, live) }, TOOL_BUDGET_MS),
      ];
    case "comment":
    case "shell":
    case "members": {
      const change = partChange(kind, value);
      if (change === null) return [];
      return [systemStep(id, title, { kind: "account", name: rest, want: { make: false, ...change } }, TOOL_BUDGET_MS)];
    }
    case "keys":
      return [fileStep(id, title, `${KEY_FOLDER}/${rest}`, DAEMON_FILE_MODE, textOf(value))];
    case "sudo":
      return [systemStep(id, title, { kind: "sudo", text: textOf(value), check: sshd.check }, TOOL_BUDGET_MS)];
    case "authority":
      return [systemStep(id, title, { kind: "authority", name: rest, text: textOf(value) }, UNIT_BUDGET_MS)];
    case "unit": {
      const [unit, side] = splitUnit(rest);
      const verb = side === "running" ? (value === true ? "start" : "stop") : value === true ? "enable" : "disable";
      return [systemStep(id, title, { kind: "unit", unit, verb }, UNIT_BUDGET_MS)];
    }
    default:
      return [];
  }
}

function accountWish(name: string, value: Json, live: SystemObserved): Extract<Action, { kind: "account" }>["want"] {
  if (typeof value !== "string") return null;
  return accountOf(live, name) === undefined
    ? { make: true, expires: value, shell: DEFAULT_SHELL }
    : { make: false, expires: value };
}

function daemonSteps(
  id: string,
  title: string,
  path: string,
  text: string | null,
  unit: string,
  live: SystemObserved,
): readonly Step[] {
  const file = fileStep(id, title, path, DAEMON_FILE_MODE, text);
  // A daemon that does not run reads its files when it starts.
  if (live.units?.[unit]?.active !== "active") return [file];
  return [
    file,
    systemStep(`${id}.restart`, `Let ${unit} read it`, { kind: "unit", unit, verb: "restart" }, UNIT_BUDGET_MS),
  ];
}

const SSHD_UNITS = ["ssh.service", "sshd.service"] as const;

/** The sshd that runs on its own; null where none does, or where a socket starts one for each connection. */
export function runningSshd(observed: SystemObserved): (typeof SSHD_UNITS)[number] | null {
  return SSHD_UNITS.find((name) => observed.units?.[name]?.active === "active") ?? null;
}

/** An undo also starts one that died of what is undone. */
function reloadedUnit(live: SystemObserved, isForward: boolean): (typeof SSHD_UNITS)[number] | null {
  const running = runningSshd(live);
  if (running !== null || isForward) return running;
  return SSHD_UNITS.find((name) => live.units?.[name]?.active === "failed") ?? null;
}

function textOf(value: Json): string | null {
  return typeof value === "string" ? value : null;
}
