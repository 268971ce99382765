import type { SshConfig, SystemConfig } from "@holdfast/domains/system/model.ts";
import type { AccountSeen, SystemSeen } from "./observed.ts";

/** Values of single settings, as texts that stand beside each other. */

const ZONES = "zoneinfo/";

/** The zone that /etc/localtime points to; null: it is no such link. */
export function timezoneOf(seen: SystemSeen): string | null {
  const entry = seen.entries["/etc/localtime"];
  if (entry?.type !== "link") return null;
  const at = entry.target.indexOf(ZONES);
  return at < 0 ? null : entry.target.slice(at + ZONES.length);
}

/** Name servers of /etc/resolv.conf: what programs ask that ask nobody else. */
export function nameServersOf(seen: SystemSeen): readonly string[] {
  const entry = seen.entries["/etc/resolv.conf"];
  if (entry?.type !== "file") return [];
  return [...entry.text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(([, server]) => server ?? []);
}

/** Who may keep the time, in the order of what is usual. */
const TIME_KEEPERS = [
  "systemd-timesyncd.service",
  "chrony.service",
  "chronyd.service",
  "ntp.service",
  "ntpsec.service",
  "openntpd.service",
] as const;

export function timeKeeperOf(seen: SystemSeen): { readonly unit: string; readonly active: string } | null {
  for (const unit of TIME_KEEPERS) {
    const found = seen.units?.[unit];
    if (found !== undefined && found.active === "active") return { unit, active: found.active };
  }
  const idle = TIME_KEEPERS.find((unit) => seen.units?.[unit]?.file === "enabled");
  return idle === undefined ? null : { unit: idle, active: seen.units?.[idle]?.active ?? "" };
}

const UPDATES_TIMER = "apt-daily-upgrade.timer";

/** Whether packages are installed by themselves, and when the next time; null: nobody says. */
export function updatesNow(
  seen: SystemSeen,
): { readonly installs: boolean; readonly restarts: boolean; readonly next: string } | null {
  const { apt, unattendedUpgrades, timers } = seen;
  if (apt === undefined || apt === null || unattendedUpgrades === undefined) return null;
  return {
    installs: unattendedUpgrades && !["", "0", undefined].includes(apt["APT::Periodic::Unattended-Upgrade"]?.[0]),
    restarts: apt["Unattended-Upgrade::Automatic-Reboot"]?.[0] === "true",
    next: timers?.[UPDATES_TIMER]?.next ?? "",
  };
}

export interface TaskRow {
  readonly name: string;
  /** What the timer starts now; null: there is no such timer. */
  readonly now: { readonly unit: string; readonly next: string; readonly last: string } | null;
  /** How it went the last time; null: not since the server started, or nobody says. */
  readonly run: { readonly result: string; readonly status: number } | null;
  readonly desired: NonNullable<SystemConfig["tasks"]>[string] | null;
}

const TASK_TIMER = /^holdfast-task-(.+)\.timer$/;

/** Tasks of the policies, and those whose timer is there. */
export function taskRows(desired: SystemConfig | null, seen: SystemSeen): readonly TaskRow[] {
  const timers = Object.entries(seen.timers ?? {}).flatMap(([timer, one]) => {
    const [, name] = TASK_TIMER.exec(timer) ?? [];
    return name === undefined ? [] : [[name, one] as const];
  });
  const names = new Set([...Object.keys(desired?.tasks ?? {}), ...timers.map(([name]) => name)]);
  return [...names].toSorted().map((name) => {
    const now = timers.find(([known]) => known === name)?.[1] ?? null;
    const run = now === null ? undefined : seen.taskRuns?.[now.unit];
    return {
      name,
      now,
      run: run === undefined || run.began === "" ? null : run,
      desired: desired?.tasks?.[name] ?? null,
    };
  });
}

/** Settings of sshd that differ only in their name from what `sshd -T` prints. */
const SSHD_KEYWORDS = {
  port: "port",
  listen: "listenaddress",
  rootLogin: "permitrootlogin",
  keys: "pubkeyauthentication",
  passwords: "passwordauthentication",
  allowUsers: "allowusers",
  allowGroups: "allowgroups",
  denyUsers: "denyusers",
  denyGroups: "denygroups",
  keyExchange: "kexalgorithms",
  ciphers: "ciphers",
  macs: "macs",
  maxTries: "maxauthtries",
  maxSessions: "maxsessions",
  loginGrace: "logingracetime",
  idle: "clientaliveinterval",
  tcpForwarding: "allowtcpforwarding",
  agentForwarding: "allowagentforwarding",
  x11Forwarding: "x11forwarding",
  banner: "banner",
  log: "loglevel",
} as const satisfies Record<keyof SshConfig, string>;

/** What people look at first, whether a policy says anything of it or not. */
const ALWAYS: ReadonlySet<string> = new Set(["port", "rootLogin", "keys", "passwords"]);

export interface SshRow {
  readonly setting: string;
  readonly now: string | null;
  readonly should: string | null;
}

export function sshRows(desired: SshConfig | undefined, seen: SystemSeen): readonly SshRow[] {
  return Object.entries(SSHD_KEYWORDS).flatMap(([setting, keyword]): readonly SshRow[] => {
    const wanted = desired?.[setting as keyof SshConfig];
    if (wanted === undefined && !ALWAYS.has(setting)) return [];
    return [
      {
        setting,
        now: seen.sshd?.[keyword]?.join(", ") ?? null,
        should: wanted === undefined ? null : words(wanted),
      },
    ];
  });
}

function words(value: SshConfig[keyof SshConfig]): string {
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") return `${value.every} s × ${value.misses}`;
  return String(value);
}

/** Below it are accounts of daemons (login.defs of Debian), and 65534 is nobody. */
const FIRST_PERSON = 1000;
const NOBODY = 65_534;

export interface PersonRow {
  readonly name: string;
  readonly account: AccountSeen | null;
  /** Lines of the list of keys that is ours. */
  readonly keys: readonly string[];
  readonly desired: NonNullable<SystemConfig["users"]>[string] | null;
}

/** People, root among them; accounts of daemons are only counted. */
export function personRows(desired: SystemConfig | null, seen: SystemSeen): readonly PersonRow[] {
  const wanted = desired?.users ?? {};
  const shown = seen.accounts.filter(
    ({ name, uid }) =>
      uid === 0 ||
      (uid >= FIRST_PERSON && uid !== NOBODY) ||
      Object.hasOwn(wanted, name) ||
      Object.hasOwn(seen.keyFiles, name),
  );
  const names = new Set([...shown.map(({ name }) => name), ...Object.keys(wanted)]);
  return [...names].toSorted().map((name) => ({
    name,
    account: shown.find((one) => one.name === name) ?? null,
    keys: (seen.keyFiles[name] ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("#")),
    desired: wanted[name] ?? null,
  }));
}

/** The file that sets a kernel setting at boot: the last that names it. */
export function setterOf(seen: SystemSeen, key: string): string | null {
  const line = seen.sysctlLines.findLast((one) => one.key === key);
  return line === undefined ? null : `${line.path}:${line.line}`;
}
