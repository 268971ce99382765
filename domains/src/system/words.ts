import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { updatesWords } from "./apt-text.ts";
import { dayText } from "./day.ts";
import { fileOf } from "./file-value.ts";
import { LOGIN_DEFS } from "./login-defs.ts";
import { splitSlot, splitUnit } from "./slots.ts";
import { keysIn } from "./ssh-key.ts";
import { SSHD_DROP_IN } from "./sshd-text.ts";
import { sysctlWords } from "./sysctl-catalogue.ts";
import { taskFound } from "./task-slot.ts";
import { taskWords } from "./task-text.ts";
import { windowWords } from "./timer-text.ts";
import { zoneOfTarget } from "./timezone.ts";
import { CLOSED } from "./users.ts";

/** A slot as people call it. */
export function slotName(slot: string): string {
  const [kind, rest] = splitSlot(slot);
  switch (kind) {
    case "sysctl":
    case "file":
      return rest;
    case "hostname":
      return "the host name";
    case "timezone":
      return "the time zone";
    case "hosts":
      return "our lines in /etc/hosts";
    case "ssh":
      return `sshd's settings (${SSHD_DROP_IN})`;
    case "ntp":
    case "chrony":
      return "the time servers";
    case "resolver":
      return "the name servers";
    case "logs":
      return "where logs are sent";
    case "sudo":
      return "what people may do by sudo";
    case "limits":
      return "what sessions may take";
    case "login":
      return `${rest} in ${LOGIN_DEFS}`;
    case "updates":
      return rest === "apt" ? "what is installed by itself" : "when it is installed by itself";
    case "modules":
      return rest === "load" ? "the modules to load" : "the modules never to load";
    case "group":
      return `the group ${rest}`;
    case "user":
      return `the account ${rest}`;
    case "comment":
      return `the comment of ${rest}`;
    case "shell":
      return `the shell of ${rest}`;
    case "members":
      return `the groups of ${rest}`;
    case "keys":
      return `the keys of ${rest}`;
    case "task":
      return `the task ${rest}`;
    case "authority":
      return `the certificate authority ${rest}`;
    case "unit": {
      const [name, side] = splitUnit(rest);
      return side === "running" ? `${name} at run time` : `${name} at boot`;
    }
    default:
      return slot;
  }
}

/** A value on one line; texts of several lines are counted, the diff shows them. */
export function valueWords(slot: string, value: Json): string {
  const [kind, rest] = splitSlot(slot);
  if (value === null) return "absent";
  if (kind === "sysctl" && typeof value === "string") return sysctlWords(rest, value);
  if (kind === "timezone" && typeof value === "string") return zoneOfTarget(value) ?? value;
  if (kind === "user") return expiryWords(value);
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  if (kind === "login" && typeof value === "string") return value.trim().split(/\s+/).slice(1).join(" ");
  if (kind === "comment") return JSON.stringify(value);
  if (kind === "group") return value === true ? "present" : "absent";
  if (kind === "keys" && typeof value === "string") return `${keysIn(value).length} of ours`;
  if (kind === "updates" && typeof value === "string") return rest === "apt" ? updatesWords(value) : windowWords(value);
  if (kind === "task") {
    const task = taskFound(value);
    return task === null ? "absent" : `${taskWords(rest, task.text)}${task.runs ? "" : " (not started)"}`;
  }
  if (typeof value === "boolean")
    return rest.endsWith(":running") ? (value ? "running" : "stopped") : value ? "enabled" : "disabled";
  const text = fileOf(value)?.text ?? (typeof value === "string" ? value : "");
  const lines = text.split("\n").filter((line) => line !== "" && !/^(?:#|\/\/) /.test(line));
  return lines.length === 1 && (lines[0] ?? "").length <= 60 ? (lines[0] ?? "") : `${lines.length} lines`;
}

export function expiryWords(value: Json): string {
  if (value === CLOSED) return "closed";
  return typeof value === "string" && value !== "" ? `open until ${dayText(Number(value) - 1)}` : "open";
}
