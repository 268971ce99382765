import type { Finding } from "@holdfast/core/base/finding.ts";
import { parseWhole } from "@holdfast/core/base/parse-whole.ts";
import type { Result } from "@holdfast/core/base/result.ts";
import { parseCanonicalAddress } from "@holdfast/core/net/address.ts";
import { formatPath, type Path } from "@holdfast/core/policy/path.ts";
import { parseAuthorityName, parseCertificate } from "./certificate.ts";
import { FOR_GOOD, parseFailures, parseLockSeconds } from "./faillock-text.ts";
import { finding } from "./findings.ts";
import { parseDnsName, parseHostname } from "./hostname.ts";
import { parseBlockedModule, parseModuleName } from "./kernel-module.ts";
import { LIMITS, parseLimit, parseLimited } from "./limits-text.ts";
import { parseTlsFile } from "./log-text.ts";
import { AGE_DAYS } from "./login-defs.ts";
import { type SystemConfig, systemConfigSchema } from "./model.ts";
import { parseDirect, parseProxy } from "./proxy-text.ts";
import { QUALITY_NUMBERS } from "./quality-text.ts";
import { parseSchedule } from "./schedule.ts";
import {
  parseAccountName,
  parseAlgorithm,
  parseBanner,
  parseRestart,
  parseShell,
  parseTimeServer,
  parseUserComment,
  parseUserName,
} from "./section.ts";
import { parsePublicKey } from "./ssh-key.ts";
import { sysctlKind, sysctlValue } from "./sysctl-catalogue.ts";
import { parseSysctlKey, parseSysctlText } from "./sysctl-key.ts";
import { parseTaskName } from "./task-text.ts";
import { parseTaskUnit } from "./task-unit.ts";
import { parseTimeOfDay } from "./time-of-day.ts";
import { parseTimezone } from "./timezone.ts";
import { parseManagedUnit } from "./unit-name.ts";

interface Ends {
  readonly least: number;
  readonly most: number;
}

export type ParsedSystem =
  | { readonly ok: true; readonly config: SystemConfig }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Checks a config that comes from outside, every text of it: they become lines of files and names below /proc/sys. */
export function parseSystemConfig(value: unknown): ParsedSystem {
  const parsed = parseWhole(systemConfigSchema, value);
  const findings: Finding[] = [];
  const complain = (path: Path, message: string): void => {
    findings.push(finding("system.config", formatPath(["system", ...path]), `The config cannot be used: ${message}.`));
  };
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      complain(
        issue.path.map((part) => (typeof part === "symbol" ? String(part) : part)),
        // An unknown key is named in the message only.
        issue.message,
      );
    return { ok: false, findings };
  }
  const config = parsed.data;
  const check = (path: Path, result: Result<unknown, string>): void => {
    if (!result.ok) complain(path, result.error);
  };
  const each = (
    path: Path,
    texts: readonly string[] | undefined,
    parse: (text: string) => Result<unknown, string>,
  ): void => {
    for (const [index, text] of (texts ?? []).entries()) check([...path, index], parse(text));
  };
  if (config.hostname !== undefined) check(["hostname"], parseHostname(config.hostname));
  if (config.timezone !== undefined) check(["timezone"], parseTimezone(config.timezone));
  for (const [name, addresses] of Object.entries(config.hosts ?? {})) {
    check(["hosts", name], parseDnsName(name));
    each(["hosts", name], addresses, parseCanonicalAddress);
  }
  for (const [name, text] of Object.entries(config.banners ?? {}))
    if (text !== undefined) check(["banners", name], parseBanner(text));
  for (const [key, text] of Object.entries(config.sysctl ?? {})) {
    check(["sysctl", key], parseSysctlKey(key));
    const value = concreteValue(key, text);
    check(["sysctl", key], value);
    // Composing writes the one form that the kernel gives back; what comes in another was not composed, and would be a line more of a file.
    if (value.ok && value.value !== text)
      complain(["sysctl", key], `${JSON.stringify(text)} is written ${JSON.stringify(value.value)}`);
  }
  const { ssh, ntp, resolver } = config;
  each(["ssh", "listen"], ssh?.listen, parseCanonicalAddress);
  if (ssh?.listen !== undefined && ssh.port === undefined) complain(["ssh", "listen"], "listen is stated without port");
  for (const list of ["allowUsers", "allowGroups", "denyUsers", "denyGroups"] as const)
    each(["ssh", list], ssh?.[list], parseAccountName);
  for (const list of ["keyExchange", "ciphers", "macs"] as const) each(["ssh", list], ssh?.[list], parseAlgorithm);
  each(["ntp", "servers"], ntp?.servers, parseTimeServer);
  each(["ntp", "fallback"], ntp?.fallback, parseTimeServer);
  each(["resolver", "servers"], resolver?.servers, parseCanonicalAddress);
  each(["resolver", "search"], resolver?.search, parseDnsName);
  for (const name of Object.keys(config.units ?? {})) check(["units", name], parseManagedUnit(name));
  for (const [name, user] of Object.entries(config.users ?? {})) {
    check(["users", name], parseUserName(name));
    if (user.state === "absent") continue;
    if (user.comment !== undefined) check(["users", name, "comment"], parseUserComment(user.comment));
    if (user.shell !== undefined) check(["users", name, "shell"], parseShell(user.shell));
    each(["users", name, "groups"], user.groups, parseAccountName);
    each(["users", name, "keys"], user.keys, parsePublicKey);
  }
  each(["modules", "load"], config.modules?.load, parseModuleName);
  each(["modules", "block"], config.modules?.block, parseBlockedModule);
  for (const [index, target] of (config.logs?.to ?? []).entries()) {
    check(["logs", "to", index, "host"], parseTimeServer(target.host));
    if (target.by === "tls") check(["logs", "to", index, "name"], parseDnsName(target.name));
  }
  const { tls } = config.logs ?? {};
  if (tls !== undefined) {
    check(["logs", "tls", "authority"], parseCertificate(tls.authority));
    if (tls.certificate !== undefined) check(["logs", "tls", "certificate"], parseTlsFile(tls.certificate));
    if (tls.key !== undefined) check(["logs", "tls", "key"], parseTlsFile(tls.key));
  }
  for (const [name, text] of Object.entries(config.authorities ?? {})) {
    check(["authorities", name], parseAuthorityName(name));
    check(["authorities", name], parseCertificate(text));
  }
  const { updates } = config;
  if (updates?.window !== undefined) check(["updates", "window", "from"], parseTimeOfDay(updates.window.from));
  if (updates?.restart !== undefined) check(["updates", "restart"], parseRestart(updates.restart));
  for (const [name, task] of Object.entries(config.tasks ?? {})) {
    check(["tasks", name], parseTaskName(name));
    check(["tasks", name, "unit"], parseTaskUnit(task.unit));
    check(["tasks", name, "at"], parseSchedule(task.at));
  }
  for (const [who, limits] of Object.entries(config.limits ?? {})) {
    check(["limits", who], parseLimited(who));
    for (const name of LIMITS) {
      const limit = limits[name];
      if (limit === undefined) continue;
      check(["limits", who, name, "soft"], parseLimit(name, limit.soft));
      check(["limits", who, name, "hard"], parseLimit(name, limit.hard));
    }
  }
  const { proxy } = config;
  if (proxy?.http !== undefined) check(["proxy", "http"], parseProxy(proxy.http));
  if (proxy?.https !== undefined) check(["proxy", "https"], parseProxy(proxy.https));
  each(["proxy", "direct"], proxy?.direct, parseDirect);
  const { quality, age, lockout } = config.passwords ?? {};
  const inside = (path: Path, value: number | undefined, { least, most }: Ends): void => {
    if (value !== undefined && (value < least || value > most)) complain(path, `${value} is not ${least} to ${most}`);
  };
  for (const [name, ends] of Object.entries(QUALITY_NUMBERS))
    inside(["passwords", "quality", name], quality?.[name as keyof typeof QUALITY_NUMBERS], ends);
  for (const [name, ends] of Object.entries(AGE_DAYS))
    inside(["passwords", "age", name], age?.[name as keyof typeof AGE_DAYS], ends);
  if (lockout?.after !== undefined) check(["passwords", "lockout", "after"], parseFailures(lockout.after));
  if (lockout?.within !== undefined) check(["passwords", "lockout", "within"], parseLockSeconds(lockout.within));
  if (lockout?.for !== undefined && lockout.for !== FOR_GOOD)
    check(["passwords", "lockout", "for"], parseLockSeconds(lockout.for));
  return findings.length === 0 ? { ok: true, config } : { ok: false, findings };
}

/** In a config a value is what the kernel takes; a word was turned into its number when the policies were composed. */
function concreteValue(key: string, text: string): Result<string, string> {
  const known = sysctlKind(key);
  if (known?.kind !== "words") return sysctlValue(key, text);
  const isKnown = Object.values(known.words).some((number) => String(number) === text);
  return isKnown ? parseSysctlText(text) : sysctlValue(key, text);
}
