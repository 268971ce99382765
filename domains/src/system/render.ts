import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { DiffPart } from "@holdfast/core/plan/unified-diff.ts";
import { UPDATES_FILE } from "./apt-text.ts";
import { authorityPath } from "./certificate.ts";
import type { SystemObserved } from "./facts.ts";
import { CHRONY_FILE, NTP_FILE, RESOLVER_FILE } from "./facts.ts";
import { fileOf } from "./file-value.ts";
import { BLOCK_FILE, LOAD_FILE } from "./kernel-module.ts";
import { LIMITS_FILE } from "./limits-text.ts";
import { RSYSLOG_FILE } from "./log-text.ts";
import { LOGIN_DEFS } from "./login-defs.ts";
import type { SystemConfig } from "./model.ts";
import { inOrder, type Slots, slotsOf, splitSlot, splitUnit } from "./slots.ts";
import { KEY_FOLDER } from "./ssh-key.ts";
import { SSHD_DROP_IN } from "./sshd-text.ts";
import { SUDO_FILE } from "./sudo-text.ts";
import { taskFound } from "./task-slot.ts";
import { taskPath } from "./task-text.ts";
import { UPDATES_TIMER_FILE } from "./timer-text.ts";
import { expiryWords, valueWords } from "./words.ts";

/** All native texts of a config, each under the name of the place where it stands. */
export function renderSystem(config: SystemConfig, observed: SystemObserved | null): string {
  const texts = nativeTexts(slotsOf(config, observed));
  return texts.size === 0 ? "" : `${[...texts.values()].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** Place to lines, the first of which names the place. */
function nativeTexts(slots: Slots): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, string[]>();
  for (const slot of inOrder(Object.keys(slots))) {
    const value = slots[slot] ?? null;
    const [place, lines] = nativeText(slot, value);
    if (lines.length === 0) continue;
    const known = texts.get(place);
    if (known === undefined) texts.set(place, [`# ${place}`, ...lines]);
    else known.push(...lines);
  }
  return texts;
}

function nativeText(slot: string, value: Json): readonly [place: string, lines: readonly string[]] {
  const [kind, rest] = splitSlot(slot);
  const lines = linesOf(fileOf(value)?.text ?? (typeof value === "string" ? value : ""));
  switch (kind) {
    case "sysctl":
      return ["kernel settings", value === null ? [] : [`${rest} = ${lines.join(" ")}`]];
    case "hostname":
      return ["host name", lines];
    case "timezone":
      return ["/etc/localtime", value === null ? [] : [`-> ${lines.join(" ")}`]];
    case "hosts":
      return ["/etc/hosts, lines of ours", lines];
    case "ssh":
      return [SSHD_DROP_IN, lines];
    case "chrony":
      return [CHRONY_FILE, lines];
    case "ntp":
      return [NTP_FILE, lines];
    case "resolver":
      return [RESOLVER_FILE, lines];
    case "logs":
      return [RSYSLOG_FILE, lines];
    case "sudo":
      return [SUDO_FILE, lines];
    case "modules":
      return [rest === "load" ? LOAD_FILE : BLOCK_FILE, lines];
    case "limits":
      return [LIMITS_FILE, lines];
    case "login":
      return [`${LOGIN_DEFS}, lines of ours`, lines];
    case "updates":
      return [rest === "apt" ? UPDATES_FILE : UPDATES_TIMER_FILE, lines];
    case "task": {
      const task = taskFound(value);
      return [taskPath(rest), task === null ? [] : linesOf(task.text)];
    }
    case "keys":
      return [`${KEY_FOLDER}/${rest}`, lines];
    case "authority":
      return [authorityPath(rest), lines];
    case "group":
      return ["groups", value === true ? [rest] : []];
    case "user":
      return ["accounts", value === null ? [] : [`${rest}: ${expiryWords(value)}`]];
    case "comment":
    case "shell":
    case "members":
      return ["accounts", value === null ? [] : [`${rest}, ${kind}: ${valueWords(slot, value)}`]];
    case "unit": {
      const [name, side] = splitUnit(rest);
      const word =
        side === "running" ? (value === true ? "running" : "stopped") : value === true ? "enabled" : "disabled";
      return ["units", [`${name}: ${word}`]];
    }
    default:
      return [rest, lines];
  }
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** Two states of the same slots, place by place. */
export function diffParts(before: Slots, after: Slots): readonly DiffPart[] {
  const [left, right] = [nativeTexts(before), nativeTexts(after)];
  const places = [...new Set([...left.keys(), ...right.keys()])];
  return places.map((place) => [left.get(place) ?? [], right.get(place) ?? []]);
}
