import { assertNever } from "@holdfast/core/base/never.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import { UNIT_VERBS, type Action, type Step, type UnitVerb } from "@holdfast/core/plan/step.ts";
import { parseUpdatesText, UPDATES_FILE } from "@holdfast/domains/system/apt-text.ts";
import { parseAuthorityName, parseCertificate } from "@holdfast/domains/system/certificate.ts";
import { NTP_UNITS } from "@holdfast/domains/system/facts.ts";
import { FAILLOCK_FILE, parseFaillockText } from "@holdfast/domains/system/faillock-text.ts";
import { parseHostname } from "@holdfast/domains/system/hostname.ts";
import { parseHostsBlock } from "@holdfast/domains/system/hosts-block.ts";
import { BLOCK_FILE, parseBlockText, parseLoadText } from "@holdfast/domains/system/kernel-module.ts";
import { LIMITS_FILE, parseLimitsText } from "@holdfast/domains/system/limits-text.ts";
import { parseLogText } from "@holdfast/domains/system/log-text.ts";
import { parseLoginLine } from "@holdfast/domains/system/login-defs.ts";
import { parseProxyText, PROXY_FILE } from "@holdfast/domains/system/proxy-text.ts";
import { parseQualityText, QUALITY_FILE } from "@holdfast/domains/system/quality-text.ts";
import { parseAccountName, parseShell, parseUserComment, parseUserName } from "@holdfast/domains/system/section.ts";
import { KEY_FOLDER, parseKeysText } from "@holdfast/domains/system/ssh-key.ts";
import { parseSshdText } from "@holdfast/domains/system/sshd-text.ts";
import { parseSudoText } from "@holdfast/domains/system/sudo-text.ts";
import { parseSysctlKey, parseSysctlText } from "@holdfast/domains/system/sysctl-key.ts";
import { parseTaskName, parseTaskText } from "@holdfast/domains/system/task-text.ts";
import { parseTimerText } from "@holdfast/domains/system/timer-text.ts";
import { zoneOfTarget } from "@holdfast/domains/system/timezone.ts";
import { parseManagedUnit } from "@holdfast/domains/system/unit-name.ts";
import { checkBlocks, checkIpsecAct, checkKeys, checkTunnelLink } from "./ipsec-rules.ts";
import { checkForwarding, checkNetworkAction } from "./network-rules.ts";
import { checkNftBatch } from "./nft-batch.ts";

/**
 * Which files each domain may write or remove: its own names only, spelled whole. A domain that asks for another one is refused here,
 * whatever its plan says.
 */
export const OWN_FILES = {
  firewall: [/^\/var\/lib\/holdfast\/boot\/firewall\.nft$/],
  network: [
    /^\/run\/systemd\/network\/04-holdfast-[a-z0-9][a-z0-9-]{0,62}\.(network|netdev)$/,
    /^\/etc\/systemd\/network\/05-holdfast-[a-z0-9][a-z0-9-]{0,62}\.(network|netdev)$/,
    // Whether packets of others are passed on: networkd passes over the first, systemd-sysctl reads the second at boot.
    /^\/run\/systemd\/network\/04-holdfast-forwarding\.conf$/,
    /^\/etc\/sysctl\.d\/95-holdfast-network\.conf$/,
  ],
  system: [
    // What was found when a setting became ours. The names of the rest are the system's own, or ours among those of others.
    /^\/var\/lib\/holdfast\/system\/found\.json$/,
    /^\/etc\/(hostname|timezone|motd|issue|issue\.net)$/,
    /^\/etc\/sysctl\.d\/99-holdfast\.conf$/,
    /^\/etc\/systemd\/(timesyncd|resolved)\.conf\.d\/95-holdfast\.conf$/,
    /^\/etc\/resolv\.conf$/,
    /^\/etc\/chrony\/sources\.d\/95-holdfast\.sources$/,
    /^\/etc\/modprobe\.d\/95-holdfast\.conf$/,
    /^\/etc\/apt\/apt\.conf\.d\/95-holdfast(-proxy)?\.conf$/,
    /^\/etc\/security\/(limits|pwquality\.conf)\.d\/95-holdfast\.conf$/,
    /^\/etc\/security\/faillock\.conf$/,
    /^\/etc\/systemd\/system\/apt-daily-upgrade\.timer\.d\/95-holdfast\.conf$/,
    /^\/etc\/ssh\/holdfast-keys\/[a-z_][a-z0-9_.-]{0,31}$/,
  ],
  // The keys beside the first are written by an action of their own, which alone knows them.
  vpn: [/^\/etc\/swanctl\/conf\.d\/holdfast\.conf$/, /^\/var\/lib\/holdfast\/vpn\/loaded\.json$/],
} as const satisfies Record<DomainName, readonly RegExp[]>;

/**
 * Where a step comes from: a plan, which somebody far away has asked for, or the snapshot that this server made of itself. What a plan writes is of
 * our own grammar, whatever it says. A snapshot puts back what stood there, byte for byte, also where somebody had changed a file of ours by hand;
 * it reaches the same places, and no others (ADR 0047).
 */
export type StepOrigin = "plan" | "snapshot";

/** Checks a step before anything is changed; the performer checks again when it acts. */
export function checkStep(step: Step, origin: StepOrigin): Result<null, string> {
  return checkAction(step.domain, step.action, origin);
}

export function checkAction(domain: DomainName, action: Action, origin: StepOrigin = "plan"): Result<null, string> {
  const text = (said: string | null, parse: (said: string) => Result<unknown, string>): Result<unknown, string> =>
    said === null || origin === "snapshot" ? ok(null) : parse(said);
  switch (action.kind) {
    case "nft":
      return domain === "firewall" ? checkNftBatch(action.batch) : err(`${domain} has no business with nftables`);
    case "write_file":
      if (!Number.isInteger(action.mode) || (action.mode & ~0o644) !== 0)
        return err(`mode ${action.mode.toString(8)} is more than 0644`);
      return both(checkPath(domain, action.path), () => text(action.text, (said) => checkContent(action.path, said)));
    case "remove_file":
      return checkPath(domain, action.path);
    case "sysctl": {
      if (domain === "network") return checkForwarding(action.key, action.value);
      const key = systemOnly(domain, parseSysctlKey(action.key));
      return key.ok ? nothingWrong(parseSysctlText(action.value)) : key;
    }
    case "hostname":
      return systemOnly(domain, parseHostname(action.name));
    case "localtime":
      return systemOnly(
        domain,
        action.target === null || zoneOfTarget(action.target) !== null
          ? ok(null)
          : err(`${action.target} is not below /usr/share/zoneinfo`),
      );
    case "hosts_block":
      return systemOnly(domain, text(action.block, parseHostsBlock));
    case "login_setting":
      return systemOnly(
        domain,
        action.line === null ? parseLoginLine(action.key, action.key) : parseLoginLine(action.key, action.line),
      );
    case "sshd":
      return systemOnly(domain, text(action.text, parseSshdText));
    case "unit":
      return systemOnly(domain, checkUnit(action.unit, action.verb));
    case "account":
      return systemOnly(domain, checkAccount(action.name, action.want));
    case "group":
      return systemOnly(domain, parseAccountName(action.name));
    case "home":
      return systemOnly(domain, parseUserName(action.name));
    case "sudo":
      return systemOnly(domain, text(action.text, parseSudoText));
    case "authority":
      return systemOnly(
        domain,
        both(parseAuthorityName(action.name), () => text(action.text, parseCertificate)),
      );
    case "modules":
      return systemOnly(domain, text(action.text, parseLoadText));
    case "rsyslog":
      return systemOnly(domain, text(action.text, parseLogText));
    case "timer":
      return systemOnly(
        domain,
        both(checkPath(domain, action.path), () => text(action.text, (said) => parseTimerText(action.path, said))),
      );
    case "task":
      return systemOnly(
        domain,
        both(parseTaskName(action.name), () => text(action.text, (said) => parseTaskText(action.name, said))),
      );
    case "ipsec":
      return domain === "vpn" ? checkIpsecAct(action.act) : err(`${domain} has no business with tunnels`);
    case "ipsec_boot_keys":
      return domain === "vpn"
        ? checkKeys(action.keys, action.certificates)
        : err(`${domain} has no business with keys of tunnels`);
    case "networkd":
    case "link":
    case "ip_state":
      if (domain === "vpn" && action.kind === "link") return checkTunnelLink(action.link, action.change);
      if (domain === "vpn" && action.kind === "ip_state")
        return first([checkBlocks(action.absent), checkBlocks(action.present)]);
      return domain === "network" ? checkNetworkAction(action) : err(`${domain} has no business with the network`);
    default:
      return assertNever(action);
  }
}

function first(results: readonly Result<null, string>[]): Result<null, string> {
  return results.find((result) => !result.ok) ?? ok(null);
}

function systemOnly(domain: DomainName, checked: Result<unknown, string>): Result<null, string> {
  return domain === "system" ? nothingWrong(checked) : err(`${domain} has no business with the system's settings`);
}

function nothingWrong(checked: Result<unknown, string>): Result<null, string> {
  return checked.ok ? ok(null) : checked;
}

/** Daemons that read our files, and that are told so; nobody else's are restarted. */
const READERS = new Set<string>([NTP_UNITS.timesyncd, ...NTP_UNITS.chrony, "systemd-resolved.service"]);

function checkUnit(unit: string, verb: UnitVerb): Result<unknown, string> {
  if (!UNIT_VERBS.includes(verb)) return err(`this is no act on a unit: ${verb}`);
  if (verb !== "restart") return parseManagedUnit(unit);
  return READERS.has(unit) ? ok(null) : err(`${unit} is not restarted by this domain`);
}

function checkAccount(name: string, want: Extract<Action, { kind: "account" }>["want"]): Result<unknown, string> {
  const texts = [parseUserName(name)];
  if (want !== null) {
    const { comment, expires, groups, shell } = want;
    if (comment !== undefined) texts.push(parseUserComment(comment));
    if (shell !== undefined) texts.push(parseShell(shell));
    texts.push(...(groups ?? []).map(parseAccountName));
    if (expires !== undefined && !/^\d{0,6}$/.test(expires))
      return err(`${expires} is no day on which an account ends`);
  }
  return texts.find((one) => !one.ok) ?? ok(null);
}

/** Files by which people or programs get in, whose content is therefore of our grammar too. */
function checkContent(path: string, text: string): Result<unknown, string> {
  if (path.startsWith(`${KEY_FOLDER}/`)) return parseKeysText(text);
  if (path === PROXY_FILE) return parseProxyText(text);
  if (path === QUALITY_FILE) return parseQualityText(text);
  if (path === FAILLOCK_FILE) return parseFaillockText(text);
  if (path === LIMITS_FILE) return parseLimitsText(text);
  if (path === UPDATES_FILE) return parseUpdatesText(text);
  return path === BLOCK_FILE ? parseBlockText(text) : ok(null);
}

function both(first: Result<unknown, string>, second: () => Result<unknown, string>): Result<null, string> {
  return first.ok ? nothingWrong(second()) : first;
}

function checkPath(domain: DomainName, path: string): Result<null, string> {
  return OWN_FILES[domain].some((pattern) => pattern.test(path))
    ? ok(null)
    : err(`${path} is not a file of the ${domain} domain`);
}
