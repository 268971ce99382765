import type { Account, Entry, FactQuery, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import {
  APT_FOLDER,
  APT_MAIN,
  type AptLine,
  aptLines,
  isReadByApt,
  type AptSettings,
  parseAptDump,
  UPDATES_FILE,
} from "./apt-text.ts";
import { certificateNames } from "./certificate-names.ts";
import { AUTHORITY_FOLDER, authoritiesIn } from "./certificate.ts";
import { FAILLOCK_FILE, FAILLOCK_MODULE } from "./faillock-text.ts";
import { FOUND_FILE, type FoundRecord, readFound } from "./found.ts";
import { BLOCK_FILE, LOAD_FILE } from "./kernel-module.ts";
import { LIMITS_FILE, LIMITS_FOLDER, LIMITS_MAIN, type LimitLine, limitLines } from "./limits-text.ts";
import { LOG_DRIVERS, type LogDriver, RSYSLOG_FILE } from "./log-text.ts";
import { LOGIN_DEFS, LOGIN_KEYS, type LoginKey, loginLines } from "./login-defs.ts";
import { PAM_FILES, type PamLine, pamLines, type PamType } from "./pam-stack.ts";
import { type AptProxies, parseAptProxies, PROXY_FILE, PROXY_KEYS } from "./proxy-text.ts";
import {
  QUALITY_FILE,
  QUALITY_FOLDER,
  QUALITY_MAIN,
  QUALITY_MODULE,
  type QualityLine,
  qualityLines,
} from "./quality-text.ts";
import { restartFacts, type RestartReason, restartReasons } from "./restart.ts";
import { KEY_FOLDER } from "./ssh-key.ts";
import { SSHD_DROP_IN, parseEffective } from "./sshd-text.ts";
import { SUDO_FILE } from "./sudo-text.ts";
import { type SysctlLine, linesOfFile } from "./sysctl-files.ts";
import { isSettled } from "./sysctl-key.ts";
import { taskOf, TASKS_FOLDER } from "./task-text.ts";
import {
  type ObservedTimer,
  parseTimers,
  UPDATES_TIMER,
  UPDATES_TIMER_FILE,
  UPDATES_TIMER_FOLDER,
  timerLines,
} from "./timer-text.ts";

/** Our files among those of others. The numbers put ours after what packages and clouds write. */
export const SYSCTL_FILE = "/etc/sysctl.d/99-holdfast.conf";
export const NTP_FILE = "/etc/systemd/timesyncd.conf.d/95-holdfast.conf";
export const CHRONY_FILE = "/etc/chrony/sources.d/95-holdfast.sources";
export const RESOLVER_FILE = "/etc/systemd/resolved.conf.d/95-holdfast.conf";

/** Who may keep the time of a server, and only one of them at once. */
export const NTP_UNITS = {
  timesyncd: "systemd-timesyncd.service",
  chrony: ["chrony.service", "chronyd.service"],
  others: ["ntp.service", "ntpsec.service", "openntpd.service"],
} as const;

/** What stands at these paths is read whole, so that it can be put back byte for byte. */
export const ENTRIES = [
  "/etc/hostname",
  "/etc/hosts",
  "/etc/issue",
  "/etc/issue.net",
  "/etc/localtime",
  "/etc/motd",
  "/etc/resolv.conf",
  "/etc/timezone",
  SYSCTL_FILE,
  NTP_FILE,
  CHRONY_FILE,
  RESOLVER_FILE,
  SSHD_DROP_IN,
  SUDO_FILE,
  LOAD_FILE,
  BLOCK_FILE,
  RSYSLOG_FILE,
  UPDATES_FILE,
  PROXY_FILE,
  UPDATES_TIMER_FILE,
  LIMITS_FILE,
  QUALITY_FILE,
  FAILLOCK_FILE,
  FOUND_FILE,
] as const;
export type EntryPath = (typeof ENTRIES)[number];

/** Where systemd-sysctl reads, the most important folder first; a file hides those of its name in later ones (sysctl.d(5)). */
const SYSCTL_FOLDERS = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"] as const;

/** Where programs that are known by their certificate have it, one file each. Keys lie elsewhere and are not read. */
export const CERTIFICATE_FOLDERS = ["/etc/swanctl/x509", "/etc/ipsec.d/certs"] as const;
/** The one that Debian makes for the name of the host. */
const SNAKEOIL = "/etc/ssl/certs/ssl-cert-snakeoil.pem";

const UNIT_PROPERTIES =
  "--property=Id,LoadState,ActiveState,UnitFileState,RequiredBy,BoundBy,Result,ExecMainStartTimestamp,ExecMainStatus";

/** Where the dictionaries of cracklib are made, and shipped elsewhere. */
const DICTIONARIES = ["/var/cache/cracklib", "/usr/share/cracklib"] as const;

/** Stacks of PAM in which passwords are judged, and failures counted. */
const STACKS: readonly { readonly service: PamService; readonly type: PamType; readonly module: string }[] = [
  { service: "passwd", type: "password", module: QUALITY_MODULE },
  { service: "sshd", type: "auth", module: FAILLOCK_MODULE },
  { service: "login", type: "auth", module: FAILLOCK_MODULE },
];
type PamService = "passwd" | "sshd" | "login";

/** Ways in at whose login limits are set. */
const PAM_SERVICES = ["sshd", "login"] as const;

/** Where systemd looks for unit files, and where what is enabled is linked: systemd.unit(5), "System Unit Search Path". */
const UNIT_FOLDERS = [
  "/etc/systemd/system.control",
  "/run/systemd/system.control",
  "/run/systemd/transient",
  "/run/systemd/generator.early",
  "/etc/systemd/system",
  "/etc/systemd/system.attached",
  "/run/systemd/system",
  "/run/systemd/system.attached",
  "/run/systemd/generator",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
  "/run/systemd/generator.late",
] as const;
const UNATTENDED_UPGRADES = "/usr/bin/unattended-upgrade";
const TIMER_PROPERTIES =
  "--property=Id,Unit,TimersCalendar,RandomizedDelayUSec,NextElapseUSecRealtime,LastTriggerUSec,Persistent,DropInPaths";

export const systemFacts: readonly FactQuery[] = [
  { kind: "sysctl", name: "sysctl", path: "/proc/sys" },
  { kind: "file", name: "hostname", path: "/proc/sys/kernel/hostname" },
  ...ENTRIES.map((path): FactQuery => ({ kind: "entry", name: path, path })),
  ...SYSCTL_FOLDERS.map((path): FactQuery => ({ kind: "folder", name: path, path, suffix: ".conf" })),
  { kind: "file", name: "/etc/sysctl.conf", path: "/etc/sysctl.conf" },
  { kind: "accounts", name: "accounts", path: "/etc" },
  { kind: "file", name: "group", path: "/etc/group" },
  { kind: "command", name: "clock", argv: ["date", "-u", "+%s"] },
  { kind: "folder", name: "keys", path: KEY_FOLDER, suffix: "" },
  { kind: "folder", name: "authorities", path: AUTHORITY_FOLDER, suffix: ".crt" },
  { kind: "file", name: "trusted", path: "/etc/ssl/certs/ca-certificates.crt" },
  ...CERTIFICATE_FOLDERS.map((path): FactQuery => ({ kind: "folder", name: path, path, suffix: "" })),
  { kind: "file", name: SNAKEOIL, path: SNAKEOIL },
  { kind: "file", name: "chrony", path: "/etc/chrony/chrony.conf" },
  { kind: "modules", name: "modules", path: "/sys/module" },
  { kind: "file", name: "nsswitch", path: "/etc/nsswitch.conf" },
  { kind: "command", name: "sshd", argv: ["/usr/sbin/sshd", "-T"] },
  { kind: "command", name: "log drivers", argv: ["find", "/usr/lib", "-maxdepth", "3", "-name", "lmnsd_*.so"] },
  { kind: "command", name: "apt", argv: ["apt-config", "dump"] },
  { kind: "folder", name: APT_FOLDER, path: APT_FOLDER, suffix: "" },
  { kind: "file", name: APT_MAIN, path: APT_MAIN },
  { kind: "folder", name: UPDATES_TIMER_FOLDER, path: UPDATES_TIMER_FOLDER, suffix: ".conf" },
  { kind: "command", name: "unattended-upgrades", argv: ["find", UNATTENDED_UPGRADES, "-maxdepth", "0"] },
  {
    kind: "command",
    name: "timers",
    argv: ["systemctl", "show", "--all", TIMER_PROPERTIES, "--", UPDATES_TIMER, "*.timer"],
  },
  { kind: "folder", name: TASKS_FOLDER, path: TASKS_FOLDER, suffix: ".timer" },
  { kind: "folder", name: LIMITS_FOLDER, path: LIMITS_FOLDER, suffix: ".conf" },
  { kind: "file", name: LIMITS_MAIN, path: LIMITS_MAIN },
  ...PAM_FILES.map((name): FactQuery => ({ kind: "file", name: `pam ${name}`, path: `/etc/pam.d/${name}` })),
  { kind: "folder", name: QUALITY_FOLDER, path: QUALITY_FOLDER, suffix: ".conf" },
  { kind: "file", name: QUALITY_MAIN, path: QUALITY_MAIN },
  { kind: "command", name: "dictionaries", argv: ["find", ...DICTIONARIES, "-maxdepth", "1", "-name", "*.pwd*"] },
  { kind: "file", name: LOGIN_DEFS, path: LOGIN_DEFS },
  ...restartFacts,
  { kind: "file", name: "tcp4", path: "/proc/net/tcp" },
  { kind: "file", name: "tcp6", path: "/proc/net/tcp6" },
  { kind: "command", name: "booted", argv: ["systemctl", "is-system-running"] },
  {
    kind: "command",
    name: "units",
    argv: ["systemctl", "show", "--all", UNIT_PROPERTIES, "--", "*.service", "*.socket", "*.timer", "*.path"],
  },
  {
    kind: "command",
    name: "unit files",
    // Read by systemctl itself. Asked of PID 1, the same list holds it up for as long as it takes, and with it the undo.
    // It opens each folder below for each unit again: `strace -c` counted 52,814 openat for 236 units (systemd 252).
    argv: ["systemctl", "--root=/", "list-unit-files", "--no-legend", "--no-pager", "--full"],
    whileSame: UNIT_FOLDERS,
  },
];

export type ObservedUnit = {
  readonly load: string;
  readonly active: string;
  /** enabled, disabled, static, masked and so on; empty where it has no file. */
  readonly file: string;
  /** Units that cannot go on without it. */
  readonly neededBy: readonly string[];
};

export type TaskRun = {
  /** systemd's own word: success, exit-code, timeout and so on. */
  readonly result: string;
  /** When its program began, in systemd's own words and UTC; empty: not since the server started. */
  readonly began: string;
  /** What its program ended with. */
  readonly status: number;
};

/** Type alias, so that it is plain JSON to the compiler too. */
export type SystemObserved = {
  readonly found: FoundRecord;
  /** Why what was found at takeover could not be read; null where it was. Then nothing is planned. */
  readonly foundProblem: string | null;
  /** What the kernel says, by key; what changes by itself is left out. */
  readonly sysctl: Readonly<Record<string, string>>;
  /** Who sets what at boot, in the order in which it is done. */
  readonly sysctlLines: readonly SysctlLine[];
  /** The kernel's; null: could not be read. */
  readonly hostname: string | null;
  readonly entries: Readonly<Record<string, Entry>>;
  readonly accounts: readonly Account[];
  readonly groups: readonly string[];
  /** The day since 1970 by the server's clock; null: it does not say. */
  readonly today: number | null;
  /** Our lists of keys, by account. */
  readonly keyFiles: Readonly<Record<string, string>>;
  /** Our certificate authorities, by name, and which of them programs find among all that are trusted. */
  readonly authorities: Readonly<Record<string, string>>;
  readonly trusted: readonly string[];
  /** Certificates of the server's own programs: whom each is for. */
  readonly certificates: Readonly<Record<string, readonly string[]>>;
  /** Whether chrony, where it is, reads the folder in which our file stands. */
  readonly chronyReadsSources: boolean;
  /** Modules that the kernel has already. */
  readonly modules: readonly string[];
  /** With what rsyslog here can speak TLS, best first. */
  readonly logDrivers: readonly LogDriver[];
  /** Whether accounts may also come from elsewhere (LDAP, SSSD), where we do not see them. */
  readonly foreignAccounts: boolean;
  /** What sshd would do if it started now; null with the reason why it does not say. */
  readonly sshd: Readonly<Record<string, readonly string[]>> | null;
  readonly sshdProblem: string | null;
  readonly listening: readonly number[];
  /** Null where there is no systemd. */
  readonly units: Readonly<Record<string, ObservedUnit>> | null;
  /** The system's own units are not up yet: what they will do is not done. */
  readonly booting: boolean;
  /** What apt says of those settings that could be ours, all files together; null: there is no apt. */
  readonly apt: AptSettings | null;
  /** By whom apt says that it fetches; null: there is no apt. */
  readonly aptProxies: AptProxies | null;
  /** Where other files of apt's say something of them. */
  readonly aptLines: readonly AptLine[];
  /** Where other files say something of when updates are installed, in the folder of ours. */
  readonly updatesTimerLines: readonly AptLine[];
  readonly unattendedUpgrades: boolean;
  /** The texts of our timers, by the name of their task. */
  readonly tasks: Readonly<Record<string, string>>;
  /** How what our timers start went the last time, by its name. */
  readonly taskRuns: Readonly<Record<string, TaskRun>>;
  /** All timers that systemd has. */
  readonly timers: Readonly<Record<string, ObservedTimer>>;
  /** Where other files of pam_limits limit what could be ours. */
  readonly limitLines: readonly LimitLine[];
  /** Ways in at whose login pam_limits is asked by their own file. */
  readonly limitsReadBy: readonly string[];
  /** Lines of PAM that judge new passwords or count failures, by service. */
  readonly pam: Readonly<Record<PamService, readonly PamLine[]>>;
  /** All that is said of new passwords, ours too, in the order in which it is read. */
  readonly qualityLines: readonly QualityLine[];
  /** Whether there is a dictionary to hold passwords against. */
  readonly dictionary: boolean;
  /** Lines about the age of passwords, as they stand; null: there is no such file. */
  readonly loginLines: Readonly<Record<LoginKey, readonly string[]>> | null;
  /** Why the server waits to be restarted; empty: nobody asks for it. */
  readonly restart: readonly RestartReason[];
};

export function observeSystem(raw: RawFacts): SystemObserved {
  const entries: Record<string, Entry> = Object.fromEntries(ENTRIES.map((path) => [path, entryOf(raw[path])]));
  const found = readFound(entries[FOUND_FILE] ?? { type: "absent" });
  const sysctl = Object.entries(textsOf(raw["sysctl"])).filter(([key]) => isSettled(key));
  const sshd = raw["sshd"];
  const hostname = raw["hostname"];
  const authorities = authoritiesIn(textsOf(raw["authorities"]));
  const bundle = raw["trusted"]?.stdout ?? "";
  return {
    found: found.ok ? found.value : {},
    foundProblem: found.ok ? null : found.error,
    sysctl: Object.fromEntries(sysctl),
    sysctlLines: sysctlLinesOf(raw),
    hostname: hostname?.status === 0 ? hostname.stdout.trimEnd() : null,
    entries,
    accounts: accountsOf(raw["accounts"]),
    groups: groupsOf(raw["group"]),
    today: dayOf(raw["clock"]),
    keyFiles: textsOf(raw["keys"]),
    authorities,
    trusted: Object.entries(authorities).flatMap(([name, text]) =>
      text !== "" && bundle.includes(text) ? [name] : [],
    ),
    certificates: certificatesOf(raw),
    chronyReadsSources: /^\s*sourcedir\s+\/etc\/chrony\/sources\.d\/?\s*$/m.test(raw["chrony"]?.stdout ?? ""),
    modules: namesOf(raw["modules"]),
    logDrivers: LOG_DRIVERS.filter((driver) => raw["log drivers"]?.stdout.includes(`/rsyslog/lmnsd_${driver}.so`)),
    foreignAccounts: /^(passwd|group):.*\b(sss|ldap|winbind|nis)\b/m.test(raw["nsswitch"]?.stdout ?? ""),
    sshd: sshd?.status === 0 ? parseEffective(sshd.stdout) : null,
    sshdProblem: sshd?.status === 0 ? null : (sshd?.stderr.trim().split("\n")[0] ?? "it was not asked"),
    listening: listeningOf(raw["tcp4"], raw["tcp6"]),
    units: unitsOf(raw["units"], raw["unit files"]),
    apt: raw["apt"]?.status === 0 ? parseAptDump(raw["apt"].stdout) : null,
    aptProxies: raw["apt"]?.status === 0 ? parseAptProxies(raw["apt"].stdout) : null,
    aptLines: aptLinesOf(raw),
    updatesTimerLines: Object.entries(textsOf(raw[UPDATES_TIMER_FOLDER])).flatMap(([name, text]) =>
      timerLines(`${UPDATES_TIMER_FOLDER}/${name}`, text),
    ),
    unattendedUpgrades: raw["unattended-upgrades"]?.status === 0,
    tasks: tasksOf(raw),
    taskRuns: taskRunsOf(raw),
    timers: raw["timers"]?.status === 0 ? parseTimers(raw["timers"].stdout) : {},
    limitLines: [
      ...limitLines(LIMITS_MAIN, raw[LIMITS_MAIN]?.stdout ?? ""),
      ...Object.entries(textsOf(raw[LIMITS_FOLDER]))
        .map(([name, text]) => [`${LIMITS_FOLDER}/${name}`, text] as const)
        .filter(([path]) => path !== LIMITS_FILE)
        .flatMap(([path, text]) => limitLines(path, text)),
    ],
    limitsReadBy: PAM_SERVICES.filter((name) => /^[^#]*\bpam_limits\.so\b/m.test(raw[`pam ${name}`]?.stdout ?? "")),
    pam: pamOf(raw),
    qualityLines: [
      ...Object.entries(textsOf(raw[QUALITY_FOLDER]))
        .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
        .flatMap(([name, text]) => qualityLines(`${QUALITY_FOLDER}/${name}`, text)),
      ...qualityLines(QUALITY_MAIN, raw[QUALITY_MAIN]?.stdout ?? ""),
    ],
    dictionary: (raw["dictionaries"]?.stdout ?? "") !== "",
    loginLines: loginLinesOf(raw[LOGIN_DEFS]),
    restart: restartReasons(raw, (name) => entryOf(raw[name])),
    booting: /^(initializing|starting)/.test(raw["booted"]?.stdout ?? ""),
  };
}

function pamOf(raw: RawFacts): SystemObserved["pam"] {
  const files = Object.fromEntries(
    PAM_FILES.flatMap((name) => {
      const fact = raw[`pam ${name}`];
      return fact?.status === 0 ? [[name, fact.stdout] as const] : [];
    }),
  );
  const lines = Object.fromEntries(
    STACKS.map(({ service, type, module }) => [
      service,
      pamLines(files, service, type).filter((line) => line.module === module),
    ]),
  );
  return { passwd: lines["passwd"] ?? [], sshd: lines["sshd"] ?? [], login: lines["login"] ?? [] };
}

function loginLinesOf(fact: RawFact | undefined): SystemObserved["loginLines"] {
  if (fact?.status !== 0) return null;
  // An object of these very keys.
  return Object.fromEntries(LOGIN_KEYS.map((key) => [key, loginLines(fact.stdout, key)])) as Record<LoginKey, string[]>;
}

function tasksOf(raw: RawFacts): SystemObserved["tasks"] {
  return Object.fromEntries(
    Object.entries(textsOf(raw[TASKS_FOLDER])).flatMap(([file, text]) => {
      const name = taskOf(file);
      return name === null ? [] : [[name, text]];
    }),
  );
}

function taskRunsOf(raw: RawFacts): SystemObserved["taskRuns"] {
  const timers = raw["timers"]?.status === 0 ? parseTimers(raw["timers"].stdout) : {};
  const started = new Set(Object.entries(timers).flatMap(([timer, { unit }]) => (taskOf(timer) === null ? [] : unit)));
  return Object.fromEntries(
    (raw["units"]?.stdout ?? "").split("\n\n").flatMap((block) => {
      const value = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(block)?.[1] ?? "";
      const name = value("Id");
      if (!started.has(name)) return [];
      const status = Number(value("ExecMainStatus"));
      return [[name, { result: value("Result"), began: value("ExecMainStartTimestamp"), status }]];
    }),
  );
}

/** Of what could be ours, and of others' files only: they may hold secrets, like a password for a proxy. */
function aptLinesOf(raw: RawFacts): readonly AptLine[] {
  const main = raw[APT_MAIN];
  const files = [
    ...Object.entries(textsOf(raw[APT_FOLDER]))
      .filter(([name]) => isReadByApt(name))
      .map(([name, text]) => [`${APT_FOLDER}/${name}`, text] as const),
    ...(main?.status === 0 ? [[APT_MAIN, main.stdout] as const] : []),
  ];
  return files
    .filter(([path]) => path !== UPDATES_FILE && path !== PROXY_FILE)
    .flatMap(([path, text]) => aptLines(path, text))
    .filter(({ key }) => /^(?:apt::periodic|unattended-upgrade)::/i.test(key) || PROXY_KEYS.test(key));
}

/** Only those that are for somebody. */
function certificatesOf(raw: RawFacts): SystemObserved["certificates"] {
  const snakeoil = raw[SNAKEOIL];
  const files = [
    ...CERTIFICATE_FOLDERS.flatMap((folder) =>
      Object.entries(textsOf(raw[folder])).map(([name, text]) => [`${folder}/${name}`, text] as const),
    ),
    ...(snakeoil?.status === 0 ? [[SNAKEOIL, snakeoil.stdout] as const] : []),
  ];
  return Object.fromEntries(
    files.flatMap(([path, text]) => {
      const names = certificateNames(text);
      return names.length === 0 ? [] : [[path, names]];
    }),
  );
}

function jsonOf(fact: RawFact | undefined): unknown {
  if (fact === undefined || fact.status !== 0) return null;
  try {
    return JSON.parse(fact.stdout);
  } catch {
    return null;
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textsOf(fact: RawFact | undefined): Readonly<Record<string, string>> {
  const value = jsonOf(fact);
  if (!isMap(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [[key, text]] : [])),
  );
}

function entryOf(fact: RawFact | undefined): Entry {
  const value = jsonOf(fact);
  if (isMap(value)) {
    const { type, mode, text, target, why } = value;
    if (type === "absent") return { type };
    if (type === "file" && typeof mode === "number" && typeof text === "string") return { type, mode, text };
    if (type === "link" && typeof target === "string") return { type, target };
    if (type === "other" && typeof why === "string") return { type, why };
  }
  return { type: "other", why: "it could not be read" };
}

const PASSWORDS = ["set", "locked", "unknown"] as const;

function accountsOf(fact: RawFact | undefined): readonly Account[] {
  const value = jsonOf(fact);
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown): readonly Account[] => {
    if (!isMap(one)) return [];
    const { name, uid, shell, groups, keys, primary, comment, expires } = one;
    const password = PASSWORDS.find((known) => known === one["password"]) ?? "unknown";
    if (typeof name !== "string" || typeof uid !== "number" || typeof shell !== "string" || !Array.isArray(groups))
      return [];
    const own = groups.filter((group): group is string => typeof group === "string");
    return [
      {
        name,
        uid,
        shell,
        groups: own,
        primary: typeof primary === "string" ? primary : "",
        comment: typeof comment === "string" ? comment : "",
        expires: typeof expires === "string" ? expires : null,
        keys: typeof keys === "number" ? keys : null,
        password,
      },
    ];
  });
}

function groupsOf(fact: RawFact | undefined): readonly string[] {
  return (fact?.stdout ?? "")
    .split("\n")
    .map((line) => line.split(":")[0] ?? "")
    .filter((name) => name !== "");
}

const SECONDS_OF_DAY = 86_400;

function dayOf(fact: RawFact | undefined): number | null {
  return fact?.status === 0 && /^\d+$/.test(fact.stdout.trim())
    ? Math.floor(Number(fact.stdout) / SECONDS_OF_DAY)
    : null;
}

function namesOf(fact: RawFact | undefined): readonly string[] {
  const value = jsonOf(fact);
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === "string") : [];
}

function sysctlLinesOf(raw: RawFacts): readonly SysctlLine[] {
  const byName = new Map<string, { readonly path: string; readonly text: string }>();
  for (const folder of SYSCTL_FOLDERS) {
    for (const [name, text] of Object.entries(textsOf(raw[folder])))
      if (!byName.has(name)) byName.set(name, { path: `${folder}/${name}`, text });
  }
  // Debian links 99-sysctl.conf to it, and then it has been read above; elsewhere only sysctl -p reads it.
  const main = raw["/etc/sysctl.conf"];
  if (main?.status === 0 && !byName.has("99-sysctl.conf"))
    byName.set("zz", { path: "/etc/sysctl.conf", text: main.stdout });
  return [...byName.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .flatMap(([, { path, text }]) => linesOfFile(path, text));
}

/** State of a listening socket (include/net/tcp_states.h of Linux). */
const LISTEN = "0A";

function listeningOf(...facts: readonly (RawFact | undefined)[]): readonly number[] {
  const ports = facts.flatMap((fact) =>
    (fact?.stdout ?? "").split("\n").flatMap((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      return state === LISTEN ? [Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16)] : [];
    }),
  );
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

function unitsOf(shown: RawFact | undefined, files: RawFact | undefined): SystemObserved["units"] {
  if (shown === undefined || shown.status !== 0 || files === undefined || files.status !== 0) return null;
  const units: Record<string, ObservedUnit> = {};
  for (const line of files.stdout.split("\n")) {
    const [name = "", file = ""] = line.trim().split(/\s+/);
    if (name !== "") units[name] = { load: "unloaded", active: "inactive", file, neededBy: [] };
  }
  for (const block of shown.stdout.split("\n\n")) {
    const properties = new Map(
      block
        .split("\n")
        .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const name = properties.get("Id") ?? "";
    if (name === "") continue;
    const words = (key: string): readonly string[] =>
      (properties.get(key) ?? "").split(" ").filter((word) => word !== "");
    units[name] = {
      load: properties.get("LoadState") ?? "",
      active: properties.get("ActiveState") ?? "",
      file: properties.get("UnitFileState") ?? units[name]?.file ?? "",
      neededBy: [...new Set([...words("RequiredBy"), ...words("BoundBy")])].toSorted(),
    };
  }
  return units;
}
