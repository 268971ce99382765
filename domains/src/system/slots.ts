import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { Account } from "@holdfast/core/domain.ts";
import { aptWish, UPDATES_FILE, updatesText } from "./apt-text.ts";
import { chronyText, ntpSlot } from "./chrony.ts";
import { ntpText, resolverText } from "./daemon-text.ts";
import { CHRONY_FILE, NTP_FILE, RESOLVER_FILE, type SystemObserved } from "./facts.ts";
import { FAILLOCK_FILE, faillockText } from "./faillock-text.ts";
import { foundHostsBlock, hostsBlock } from "./hosts-block.ts";
import { BLOCK_FILE, blockText, LOAD_FILE, loadText } from "./kernel-module.ts";
import { LIMITS_FILE, limitsText } from "./limits-text.ts";
import { logDriver, logText, RSYSLOG_FILE } from "./log-text.ts";
import { AGE_KEYS, type AgeConfig, daysOf, LOGIN_DEFS, LOGIN_KEYS, loginLine } from "./login-defs.ts";
import { BANNERS, type BannerName, type SystemConfig } from "./model.ts";
import { PROXY_FILE, proxyText } from "./proxy-text.ts";
import { QUALITY_FILE, qualityText } from "./quality-text.ts";
import { resolvConfText, resolverSlot } from "./resolv-conf.ts";
import { sshdText, SSHD_DROP_IN, sshWish } from "./sshd-text.ts";
import { SUDO_FILE } from "./sudo-text.ts";
import { bySpread } from "./sysctl-key.ts";
import { taskText, taskTimer } from "./task-text.ts";
import { UPDATES_TIMER_FILE, updatesTimerText } from "./timer-text.ts";
import { targetOfZone, zoneOfTarget } from "./timezone.ts";
import { accountOf, accountPart, isPerson, userSlots } from "./users.ts";

/**
 * A slot is one thing on the server that has one value, and that is owned, changed, compared and put back by itself:
 *   `sysctl:KEY`            text, or null where the kernel has no such setting
 *   `hostname`              what the kernel tells programs
 *   `timezone`              where /etc/localtime points to; null: no link
 *   `file:PATH`             `{ mode, text }` of a whole file; null: no file
 *   `hosts`                 our lines in /etc/hosts; null: none
 *   `ssh` `ntp` `chrony` `resolver`  the text of our file among those of a daemon; null: none
 *   `group:NAME`            whether it is there
 *   `user:NAME`             the day on which an account ends, "" for never; null: it is not there
 *   `comment:NAME` `shell:NAME` `members:NAME`   parts of an account, the last its groups; null: it is not there
 *   `keys:NAME`             the text of our list of keys; null: none
 *   `sudo` `logs` `modules:load` `modules:block`   the text of our file; null: none
 *   `limits`                the text of our file; null: none
 *   `login:KEY`             a line of /etc/login.defs, as it stands there; null: none
 *   `updates:apt` `updates:timer`  the text of our file for apt, and for its timer; null: none
 *   `task:NAME`             `{ text, runs }` of our timer: its file, and whether it is started and starts at boot; null: none
 *   `authority:NAME`        a certificate; null: none
 *   `unit:NAME:enabled` `unit:NAME:running`  true or false
 * Two more are only remembered, because they are written when a change is confirmed and not before: `boot:PATH`.
 */
export type Slots = Readonly<Record<string, Json>>;

export const BOOT = "boot:";
const OUR_FILE_MODE = 0o644;
/** The performer takes no file with more rights than these. */
const MOST_MODE = 0o644;

/** Which slots a config owns, and their values. */
export function slotsOf(config: SystemConfig | null, observed: SystemObserved | null): Slots {
  if (config === null) return {};
  const slots: Record<string, Json> = {};
  for (const [key, value] of Object.entries(config.sysctl ?? {})) slots[`sysctl:${key}`] = value;
  if (config.hostname !== undefined) slots["hostname"] = config.hostname;
  if (config.timezone !== undefined) {
    // A link that leads to the zone in other words stays as it is.
    const link = observed?.entries["/etc/localtime"];
    const isThere = link?.type === "link" && zoneOfTarget(link.target) === config.timezone;
    slots["timezone"] = isThere ? link.target : targetOfZone(config.timezone);
    // Debian has the name of the zone in a file too, for programs that do not follow the link.
    const namedToo =
      observed?.entries["/etc/timezone"]?.type === "file" || observed?.found["file:/etc/timezone"] !== undefined;
    if (namedToo) slots["file:/etc/timezone"] = fileOf(`${config.timezone}\n`);
  }
  if (config.hosts !== undefined) slots["hosts"] = hostsBlock(config.hosts);
  for (const [name, path] of Object.entries(BANNERS)) {
    const text = config.banners?.[name as BannerName];
    if (text !== undefined) slots[`file:${path}`] = fileOf(text === "" || text.endsWith("\n") ? text : `${text}\n`);
  }
  const ssh = sshWish(config, observed);
  if (ssh !== undefined) slots["ssh"] = sshdText(ssh);
  if (config.ntp !== undefined) {
    const slot = ntpSlot(observed);
    slots[slot] = slot === "ntp" ? ntpText(config.ntp) : chronyText(config.ntp.servers ?? []);
  }
  if (config.resolver !== undefined) {
    const slot = resolverSlot(observed);
    slots[slot] =
      slot === "resolver" || observed === null
        ? resolverText(config.resolver)
        : fileOf(resolvConfText(config.resolver, observed));
  }
  for (const [name, unit] of Object.entries(config.units ?? {})) {
    if (unit.enabled !== undefined) slots[`unit:${name}:enabled`] = unit.enabled;
    if (unit.running !== undefined) slots[`unit:${name}:running`] = unit.running;
  }
  if (config.users !== undefined) Object.assign(slots, userSlots(config.users, observed));
  const { load, block } = config.modules ?? {};
  if (load !== undefined) slots["modules:load"] = load.length === 0 ? null : loadText(load);
  if (block !== undefined) slots["modules:block"] = block.length === 0 ? null : blockText(block);
  if (config.logs !== undefined) slots["logs"] = logText(config.logs, logDriver(observed));
  for (const [name, text] of Object.entries(config.authorities ?? {})) slots[`authority:${name}`] = text;
  const { updates } = config;
  const apt = updates === undefined ? undefined : aptWish(updates);
  if (apt !== undefined) slots["updates:apt"] = updatesText(apt);
  if (updates?.window !== undefined) slots["updates:timer"] = updatesTimerText(updates.window);
  if (config.limits !== undefined) slots["limits"] = limitsText(config.limits);
  if (config.proxy !== undefined) slots[`file:${PROXY_FILE}`] = fileOf(proxyText(config.proxy));
  const { quality, age, lockout } = config.passwords ?? {};
  if (quality !== undefined) slots[`file:${QUALITY_FILE}`] = fileOf(qualityText(quality));
  if (lockout !== undefined) slots[`file:${FAILLOCK_FILE}`] = fileOf(faillockText(lockout, observed));
  if (age !== undefined) Object.assign(slots, ageSlots(age, observed));
  for (const [name, task] of Object.entries(config.tasks ?? {}))
    slots[`task:${name}`] = { text: taskText(name, task), runs: true };
  return slots;
}

/** A line that says the same in other words stays as it is. */
function ageSlots(age: AgeConfig, observed: SystemObserved | null): Slots {
  return Object.fromEntries(
    Object.entries(AGE_KEYS).flatMap(([setting, key]) => {
      const days = age[setting as keyof AgeConfig];
      if (days === undefined) return [];
      const [live] = observed?.loginLines?.[key] ?? [];
      return [[`login:${key}`, live !== undefined && daysOf(live) === days ? live : loginLine(key, days)]];
    }),
  );
}

function fileOf(text: string): Json {
  return { mode: OUR_FILE_MODE, text };
}

/** Undefined: it cannot be read, or is such that it could not be put back (`whyNot` says which). */
export function liveValue(observed: SystemObserved, slot: string): Json | undefined {
  const live = look(observed, slot);
  return "value" in live ? live.value : undefined;
}

export function whyNot(observed: SystemObserved, slot: string): string {
  const live = look(observed, slot);
  return "why" in live ? live.why : "";
}

type Look = { readonly value: Json } | { readonly why: string };

function look(observed: SystemObserved, slot: string): Look {
  const [kind, rest] = splitSlot(slot);
  switch (kind) {
    case "sysctl":
      return { value: observed.sysctl[rest] ?? null };
    case "hostname":
      return observed.hostname === null ? { why: "the kernel does not say it" } : { value: observed.hostname };
    case "timezone": {
      const entry = observed.entries["/etc/localtime"];
      if (entry?.type === "link") return { value: entry.target };
      return entry?.type === "absent"
        ? { value: null }
        : { why: "/etc/localtime is no link, and could not be put back" };
    }
    case "file":
    case "boot":
      return fileLook(observed, rest);
    case "hosts": {
      const entry = observed.entries["/etc/hosts"];
      if (entry?.type === "file") return { value: foundHostsBlock(entry.text) };
      return entry?.type === "absent" ? { value: null } : { why: "/etc/hosts is not a plain file of root's" };
    }
    case "ssh":
      return textLook(observed, SSHD_DROP_IN);
    case "chrony":
      return textLook(observed, CHRONY_FILE);
    case "ntp":
      return textLook(observed, NTP_FILE);
    case "resolver":
      return textLook(observed, RESOLVER_FILE);
    case "sudo":
      return textLook(observed, SUDO_FILE);
    case "logs":
      return textLook(observed, RSYSLOG_FILE);
    case "modules":
      return textLook(observed, rest === "load" ? LOAD_FILE : BLOCK_FILE);
    case "limits":
      return textLook(observed, LIMITS_FILE);
    case "updates":
      return textLook(observed, rest === "apt" ? UPDATES_FILE : UPDATES_TIMER_FILE);
    case "login":
      return loginLook(observed, rest);
    case "group":
      return { value: observed.groups.includes(rest) };
    case "user":
      return userLook(observed, rest, (account) => account.expires);
    case "comment":
    case "shell":
    case "members":
      return userLook(observed, rest, (account) => accountPart(account, kind));
    case "keys":
      return { value: observed.keyFiles[rest] ?? null };
    case "task":
      return taskLook(observed, rest);
    case "authority":
      return { value: observed.authorities[rest] ?? null };
    case "unit":
      return unitLook(observed, rest);
    default:
      return { why: "this version does not know it" };
  }
}

/** `unit:NAME:running` is of the kind `unit`, and the rest `NAME:running`. */
export function splitSlot(slot: string): readonly [kind: string, rest: string] {
  const colon = slot.indexOf(":");
  return colon === -1 ? [slot, ""] : [slot.slice(0, colon), slot.slice(colon + 1)];
}

export function splitUnit(rest: string): readonly [name: string, side: "enabled" | "running"] {
  return rest.endsWith(":running")
    ? [rest.slice(0, -":running".length), "running"]
    : [rest.slice(0, -":enabled".length), "enabled"];
}

function fileLook(observed: SystemObserved, path: string): Look {
  const entry = observed.entries[path];
  switch (entry?.type) {
    case "absent":
      return { value: null };
    case "file":
      return (entry.mode & ~MOST_MODE) === 0
        ? { value: { mode: entry.mode, text: entry.text } }
        : { why: `${path} has the mode ${entry.mode.toString(8)}, which we could not give it again` };
    case "link":
      return { why: `${path} is a link to ${entry.target}` };
    case "other":
    case undefined:
      return { why: `${path}: ${entry?.why ?? "it was not looked at"}` };
  }
}

function textLook(observed: SystemObserved, path: string): Look {
  const entry = observed.entries[path];
  if (entry?.type === "file") return { value: entry.text };
  return entry?.type === "absent" ? { value: null } : { why: `${path} is not a plain file of root's` };
}

function loginLook(observed: SystemObserved, rest: string): Look {
  const key = LOGIN_KEYS.find((one) => one === rest);
  if (key === undefined) return { why: "this version does not know it" };
  if (observed.loginLines === null) return { why: `there is no ${LOGIN_DEFS}` };
  const [line, ...more] = observed.loginLines[key];
  return more.length === 0 ? { value: line ?? null } : { why: `${LOGIN_DEFS} says ${key} ${more.length + 1} times` };
}

function userLook(observed: SystemObserved, name: string, read: (account: Account) => Json): Look {
  const account = accountOf(observed, name);
  if (account === undefined) return { value: null };
  if (!isPerson(account)) return { why: `${name} is an account of the system itself, with the number ${account.uid}` };
  return account.expires === null
    ? { why: "/etc/shadow cannot be read, so nobody knows when the account ends" }
    : { value: read(account) };
}

/** A timer that is there and does not run, or would not at the next boot, is as good as none: `runs` says both. */
function taskLook(observed: SystemObserved, name: string): Look {
  if (observed.units === null) return { why: "systemd does not run here" };
  const text = observed.tasks[name];
  if (text === undefined) return { value: null };
  const unit = observed.units[taskTimer(name)];
  return { value: { text, runs: unit?.file === "enabled" && (observed.booting || unit.active === "active") } };
}

function unitLook(observed: SystemObserved, rest: string): Look {
  const [name, side] = splitUnit(rest);
  if (observed.units === null) return { why: "systemd does not run here" };
  const unit = observed.units[name];
  if (unit === undefined || unit.load === "not-found") return { why: `there is no unit ${name}` };
  if (side === "running") return { value: /^(active|activating|reloading)$/.test(unit.active) };
  if (unit.file === "enabled" || unit.file === "disabled") return { value: unit.file === "enabled" };
  return { why: `${name} is ${unit.file === "" ? "not from a file" : unit.file}, and is neither enabled nor disabled` };
}

export function sameValue(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/**
 * Modules first, because they bring kernel settings, and those before the daemons that start with them; groups before the people in them;
 * sudo and sshd last, so that a way in stays open the longest.
 */
const RANK = [
  "modules",
  "sysctl",
  "hostname",
  "hosts",
  "timezone",
  "file",
  "authority",
  "resolver",
  "ntp",
  "chrony",
  "logs",
  "updates",
  "limits",
  "login",
  "unit",
  "task",
  "group",
  "user",
  "comment",
  "shell",
  "members",
  "keys",
  "sudo",
  "ssh",
];

export function inOrder(slots: readonly string[]): readonly string[] {
  return slots.toSorted((a, b) => {
    const [[kindA, restA], [kindB, restB]] = [splitSlot(a), splitSlot(b)];
    const rank = RANK.indexOf(kindA) - RANK.indexOf(kindB);
    if (rank !== 0) return rank;
    return kindA === "sysctl" ? bySpread(restA, restB) : a < b ? -1 : a > b ? 1 : 0;
  });
}

/** While the system boots, the kernel has not got its interfaces and modules yet, and daemons are not started. */
export function isNotYet(observed: SystemObserved, slot: string): boolean {
  if (!observed.booting) return false;
  const [kind, rest] = splitSlot(slot);
  return (kind === "sysctl" && observed.sysctl[rest] === undefined) || (kind === "unit" && rest.endsWith(":running"));
}
