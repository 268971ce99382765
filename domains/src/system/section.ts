import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseAddress } from "@holdfast/core/net/address.ts";
import { parseDuration } from "@holdfast/core/policy/duration.ts";
import {
  addressText,
  checkedText,
  durationText,
  oneOrList,
  portNumber,
  proseText,
} from "@holdfast/core/policy/text-schema.ts";
import { z } from "zod";
import { NO_RESTART, UPDATES } from "./apt-text.ts";
import { parseAuthorityName, parseCertificate } from "./certificate.ts";
import { parseDay } from "./day.ts";
import { FOR_GOOD, parseFailures, parseLockSeconds } from "./faillock-text.ts";
import { parseDnsName, parseHostname } from "./hostname.ts";
import { parseBlockedModule, parseModuleName } from "./kernel-module.ts";
import { LIMITS, type LimitName, NO_LIMIT, parseLimit, parseLimited } from "./limits-text.ts";
import { parseTlsFile } from "./log-text.ts";
import { AGE_DAYS, type AgeConfig } from "./login-defs.ts";
import { parseDirect, parseProxy } from "./proxy-text.ts";
import { QUALITY_NUMBERS } from "./quality-text.ts";
import { parseSchedule } from "./schedule.ts";
import { parsePublicKey } from "./ssh-key.ts";
import { sysctlValue } from "./sysctl-catalogue.ts";
import { parseSysctlKey } from "./sysctl-key.ts";
import { parseTaskName } from "./task-text.ts";
import { parseTaskUnit } from "./task-unit.ts";
import { parseTimeOfDay } from "./time-of-day.ts";
import { parseTimezone } from "./timezone.ts";
import { parseManagedUnit } from "./unit-name.ts";

/** The system section as people write it; compose.ts turns it into the concrete config of model.ts. */

export const ROOT_LOGINS = ["never", "keys", "any"] as const;
export const TCP_FORWARDINGS = ["all", "none", "local", "remote"] as const;
export const LOG_LEVELS = ["info", "verbose"] as const;
export const SUDO = ["none", "password", "free"] as const;
/** Programs that are told of a proxy. */
export const PROXY_USERS = ["apt"] as const;
export const CLEAR_LOG_TRANSPORTS = ["tcp", "udp"] as const;
const LOG_TRANSPORTS = [...CLEAR_LOG_TRANSPORTS, "tls"] as const;

type LogTargetSection =
  | { host: string; port: number; by: (typeof CLEAR_LOG_TRANSPORTS)[number] }
  | { host: string; port: number; by: "tls"; name: string };

/** Characters of a banner; it is shown at every login. */
const LONGEST_BANNER = 4000;

const banner = (description: string) =>
  z
    .string()
    .max(LONGEST_BANNER)
    .superRefine((text, context) => {
      const checked = parseBanner(text);
      if (!checked.ok) context.addIssue({ code: "custom", message: checked.error });
    })
    .meta({ description });

export function parseBanner(text: string): Result<string, string> {
  if (text.length > LONGEST_BANNER) return err(`a banner has at most ${LONGEST_BANNER} characters`);
  // An escape sequence would act on the terminal of everybody who logs in.
  return /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(text)
    ? err("a banner holds letters, spaces and line ends, and no control characters")
    : ok(text);
}

/** Accounts and groups as useradd(8) takes them; a pattern or an option can hide in none. */
export function parseAccountName(text: string): Result<string, string> {
  return /^[a-z_][a-z0-9_.-]{0,31}$/.test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 40))} is not the name of an account or a group`);
}

export function parseAlgorithm(text: string): Result<string, string> {
  return /^[a-z0-9][a-z0-9@.-]{0,79}$/.test(text)
    ? ok(text)
    : err(
        `${JSON.stringify(text.slice(0, 80))} is not the name of an algorithm; write it as sshd does, like aes256-gcm@openssh.com`,
      );
}

export function parseTimeServer(text: string): Result<string, string> {
  return parseAddress(text).ok ? ok(text) : parseDnsName(text);
}

/** Accounts that are the system's or ours, and that no policy makes, changes or removes. */
const RESERVED = /^(root|nobody|holdfast|daemon|bin|sys|sync|man|lp|mail|www-data|backup|sshd|_.*|systemd-.*)$/;

export function parseUserName(text: string): Result<string, string> {
  return RESERVED.test(text) ? err(`${text} is an account of the system itself`) : parseAccountName(text);
}

/** What stands behind a name in /etc/passwd, where a colon would begin another field. */
export function parseUserComment(text: string): Result<string, string> {
  return text.length <= 100 && /^[^:\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/.test(text)
    ? ok(text)
    : err("a comment has at most 100 characters, no colon and no control characters");
}

export function parseShell(text: string): Result<string, string> {
  return text.length <= 100 && /^(?:\/[a-z0-9_][a-zA-Z0-9_.-]*)+$/.test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 60))} is not the path of a shell`);
}

/** When the server restarts by itself. */
export function parseRestart(text: string): Result<string, string> {
  if (text === NO_RESTART) return ok(text);
  const time = parseTimeOfDay(text);
  return time.ok ? time : err(`${time.error}, or write ${NO_RESTART}`);
}

/** Seconds; much less, and all servers ask the repositories at once; more is no window. */
const [SHORTEST_WINDOW, LONGEST_WINDOW] = [60, 43_200] as const;

export function parseWindowLength(text: string): Result<number, string> {
  const seconds = parseDuration(text);
  if (!seconds.ok) return seconds;
  return seconds.value >= SHORTEST_WINDOW && seconds.value <= LONGEST_WINDOW
    ? seconds
    : err(`${JSON.stringify(text)} is not between 1m and 12h`);
}

/** Seconds. */
const LONGEST_JITTER = 43_200;

export function parseJitter(text: string): Result<number, string> {
  const seconds = parseDuration(text);
  if (!seconds.ok) return seconds;
  return seconds.value >= 1 && seconds.value <= LONGEST_JITTER
    ? seconds
    : err(`${JSON.stringify(text)} is not between 1s and 12h`);
}

const SECONDS_A_DAY = 86_400;

/** Whole days, as /etc/login.defs has them. */
export function parseDays(setting: keyof AgeConfig, text: string): Result<number, string> {
  const seconds = parseDuration(text);
  if (!seconds.ok) return seconds;
  const days = seconds.value / SECONDS_A_DAY;
  const { least, most } = AGE_DAYS[setting];
  return Number.isInteger(days) && days >= least && days <= most
    ? ok(days)
    : err(`${JSON.stringify(text)} is not whole days between ${least}d and ${most}d`);
}

/** How long failures count together. */
export function parseFailWindow(text: string): Result<number, string> {
  const seconds = parseDuration(text);
  return seconds.ok ? parseLockSeconds(seconds.value) : seconds;
}

/** How long an account stays locked. */
export function parseLockTime(text: string): Result<number | typeof FOR_GOOD, string> {
  if (text === FOR_GOOD) return ok(FOR_GOOD);
  const seconds = parseFailWindow(text);
  return seconds.ok ? seconds : err(`${seconds.error}, or write ${FOR_GOOD}`);
}

const account = checkedText(parseAccountName, { description: "The name of an account or a group.", examples: ["ops"] });
const algorithm = checkedText(parseAlgorithm, {
  description: "An algorithm as sshd calls it.",
  examples: ["aes256-gcm@openssh.com"],
});
const hostName = checkedText(parseDnsName, { description: "The name of a host.", examples: ["db.internal"] });
const timeServer = checkedText(parseTimeServer, {
  description: "A time server: a name or an address.",
  examples: ["ntp.example.org"],
});
const sysctlKey = checkedText(parseSysctlKey, {
  description: "A kernel setting; a dot inside a name (an interface eth0.100) is written as a slash.",
  examples: ["net.core.somaxconn", "net.ipv4.conf.all.rp_filter"],
});
const unitName = checkedText(parseManagedUnit, {
  description: "A unit of systemd, with its suffix.",
  examples: ["fail2ban.service"],
});

const sysctl = z
  .record(sysctlKey, z.union([z.int(), z.string()]))
  .superRefine((settings, context) => {
    for (const [key, value] of Object.entries(settings)) {
      const checked = sysctlValue(key, value);
      if (!checked.ok) context.addIssue({ code: "custom", path: [key], message: checked.error });
    }
  })
  .meta({ description: "Kernel settings, by name. rp_filter is off, loose or strict; a list of numbers is one text." });

const ssh = z
  .strictObject({
    port: oneOrList(portNumber).optional().meta({ description: "Where sshd listens, on every address that it has." }),
    listen: oneOrList(addressText)
      .optional()
      .meta({ description: "Own addresses on which it listens; write the port too." }),
    rootLogin: z
      .enum(ROOT_LOGINS)
      .optional()
      .meta({ description: "Whether root may log in: never, with keys, or in any way." }),
    keys: z.boolean().optional().meta({ description: "Whether keys let anybody in." }),
    passwords: z
      .boolean()
      .optional()
      .meta({ description: "Whether passwords let anybody in, asked by sshd or by PAM." }),
    allowUsers: oneOrList(account).optional().meta({ description: "Only these accounts." }),
    allowGroups: oneOrList(account).optional().meta({ description: "Only members of these groups." }),
    denyUsers: oneOrList(account).optional().meta({ description: "Never these accounts." }),
    denyGroups: oneOrList(account).optional().meta({ description: "Never members of these groups." }),
    keyExchange: oneOrList(algorithm).optional().meta({ description: "Key exchange, preferred first." }),
    ciphers: oneOrList(algorithm).optional().meta({ description: "Ciphers, preferred first." }),
    macs: oneOrList(algorithm).optional().meta({ description: "Message authentication codes, preferred first." }),
    maxTries: z.int().min(1).max(100).optional().meta({ description: "Attempts to log in on one connection." }),
    maxSessions: z.int().min(0).max(1000).optional().meta({ description: "Sessions on one connection." }),
    loginGrace: durationText.optional().meta({ description: "Time to log in." }),
    idle: z
      .strictObject({
        every: durationText.meta({ description: "How often a silent client is asked." }),
        misses: z.int().min(0).max(1000).meta({ description: "How many answers may be missing before it is cut off." }),
      })
      .optional()
      .meta({ description: "What happens to a client that is gone." }),
    tcpForwarding: z.enum(TCP_FORWARDINGS).optional().meta({ description: "Which ports may be forwarded." }),
    agentForwarding: z
      .boolean()
      .optional()
      .meta({ description: "Whether the client's key agent may be used from here." }),
    x11Forwarding: z.boolean().optional().meta({ description: "Whether windows may be shown on the client." }),
    banner: z.boolean().optional().meta({ description: "Whether /etc/issue.net is shown before the login." }),
    log: z.enum(LOG_LEVELS).optional().meta({ description: "verbose logs which key was used." }),
  })
  .refine((value) => value.listen === undefined || value.port !== undefined, {
    path: ["listen"],
    message: "Write `port:` beside `listen:`, or sshd would add its own port to each address",
  })
  .meta({ description: "sshd. Only what is written here is ours; sshd is asked before anything is changed." });

const unit = z
  .strictObject({
    enabled: z.boolean().optional().meta({ description: "Whether it starts at boot." }),
    running: z.boolean().optional().meta({ description: "Whether it runs." }),
  })
  .refine((value) => Object.keys(value).length > 0, "Say whether it is enabled, running, or both.");

/** Texts that are longer than a value, each with a parser of its own that knows how long. */
function longText(
  parse: (text: string) => Result<unknown, string>,
  meta: { description: string; examples?: string[] },
) {
  return z
    .string()
    .superRefine((text, context) => {
      const checked = parse(text);
      if (!checked.ok) context.addIssue({ code: "custom", message: checked.error });
    })
    .meta(meta);
}

const userName = checkedText(parseUserName, { description: "The name of an account.", examples: ["kim"] });
const publicKey = longText(parsePublicKey, {
  description: "A public key, as it stands in the .pub file.",
  examples: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXWIz1nfSDNQ8nl2+9xwdlm1xW1hQ3L3Kq1yVwY1w2d kim@office"],
});
const user = z
  .strictObject({
    state: z.enum(["present", "absent"]).optional().meta({
      description: "absent removes the account; its home stays. Nobody is removed by not being written here.",
    }),
    comment: checkedText(parseUserComment, { description: "Who it is.", examples: ["Kim, operations"] }).optional(),
    shell: checkedText(parseShell, { description: "What starts after a login.", examples: ["/bin/bash"] }).optional(),
    groups: oneOrList(account)
      .optional()
      .meta({ description: "All groups beside its own one; those that are not there are made." }),
    keys: oneOrList(publicKey).optional().meta({ description: "Keys that let it in, beside those in its home." }),
    until: checkedText(parseDay, {
      description: "The last day on which it lets anybody in, by the server's clock in UTC.",
      examples: ["2026-12-31"],
    }).optional(),
    sudo: z.enum(SUDO).optional().meta({
      description: "What it may do as others: nothing by us, all with its password, or all without being asked.",
    }),
  })
  .refine((value) => value.state !== "absent" || Object.keys(value).length === 1, {
    message: "An account that is absent has nothing else.",
  })
  .transform((value) =>
    value.state === "absent" ? { state: "absent" as const } : { ...value, state: "present" as const },
  );

const moduleName = checkedText(parseModuleName, {
  description: "A module of the kernel, written with _.",
  examples: ["br_netfilter"],
});
const blockedModule = checkedText(parseBlockedModule, {
  description: "A module of the kernel, written with _.",
  examples: ["usb_storage"],
});
const authorityName = checkedText(parseAuthorityName, { description: "A name for it.", examples: ["house"] });

const tlsFile = checkedText(parseTlsFile, {
  description: "A file on the server, below /etc/ssl, /etc/pki or /etc/letsencrypt/live.",
  examples: ["/etc/ssl/certs/web-1.pem"],
});
const logTarget = z
  .strictObject({
    host: checkedText(parseTimeServer, { description: "A name or an address.", examples: ["logs.internal"] }),
    port: portNumber,
    by: z.enum(LOG_TRANSPORTS).meta({ description: "tcp, udp, or tls (then with logs.tls)." }),
    name: hostName.optional().meta({ description: "Whom its certificate is for, where that is not the host." }),
  })
  .transform((value, context): LogTargetSection => {
    const { host, port, by } = value;
    if (by !== "tls") {
      if (value.name === undefined) return { host, port, by };
      context.addIssue({ code: "custom", path: ["name"], message: "Only a log server by tls shows a name" });
      return z.NEVER;
    }
    const name = value.name ?? host;
    if (!parseAddress(name).ok) return { host, port, by, name };
    const message = "Write `name:`, whom its certificate is for: rsyslog finds no address in a certificate";
    context.addIssue({ code: "custom", path: ["name"], message });
    return z.NEVER;
  });

const updates = z
  .strictObject({
    install: z.enum(UPDATES).optional().meta({
      description: "What is installed by itself: nothing, security updates, or whatever is newer in its repositories.",
    }),
    window: z
      .strictObject({
        from: checkedText(parseTimeOfDay, { description: "A time of the day there.", examples: ["03:00"] }),
        within: checkedText(parseWindowLength, {
          description: "The time after it in which it begins, by chance; 1m to 12h.",
          examples: ["1h"],
        }),
      })
      .optional()
      .meta({ description: "When it is installed, every day. What is missed waits for the next day." }),
    restart: checkedText(parseRestart, {
      description:
        "When the server restarts where something that was installed asks for it: never, or a time of the day.",
      examples: ["04:30"],
    }).optional(),
  })
  .meta({ description: "Which packages the server installs by itself, by apt and unattended-upgrades." });

const taskName = checkedText(parseTaskName, { description: "A name for it.", examples: ["backup"] });
const task = z
  .strictObject({
    unit: checkedText(parseTaskUnit, {
      description: "The service that it starts. It is on the server already; a command cannot be written here.",
      examples: ["backup.service"],
    }),
    at: checkedText(parseSchedule, {
      description:
        "When, by the server's clock and time zone: daily at, weekly on a day at, monthly on a day (1 to 28, or last) at a time, or every so many minutes or hours.",
      examples: ["daily at 03:30", "weekly on mon, thu at 04:00", "monthly on last at 05:00", "every 15m"],
    }),
    jitter: checkedText(parseJitter, {
      description: "How much later it may start, by chance, so that a fleet does not start at once; 1s to 12h.",
      examples: ["15m"],
    }).optional(),
    persistent: z.boolean().optional().meta({
      description: "Whether one that was missed, because the server was off, is made up for when it is on again.",
    }),
  })
  .meta({ description: "A service that starts at its times." });

const limited = checkedText(parseLimited, {
  description: "Whom it limits: everyone (but root), a user or a group.",
  examples: ["everyone", "user kim", "group ops"],
});
const limitValue = z.union([z.int().min(0), z.literal(NO_LIMIT)]);
function limitOf(name: LimitName, description: string) {
  return z
    .union([limitValue, z.strictObject({ soft: limitValue, hard: limitValue })])
    .transform((value) => (typeof value === "object" ? value : { soft: value, hard: value }))
    .superRefine(({ soft, hard }, context) => {
      for (const value of new Set([soft, hard])) {
        const checked = parseLimit(name, value);
        if (!checked.ok) context.addIssue({ code: "custom", message: checked.error });
      }
      if (hard !== NO_LIMIT && (soft === NO_LIMIT || soft > hard))
        context.addIssue({ code: "custom", path: ["soft"], message: `${soft} is more than hard, which is ${hard}` });
    })
    .optional()
    .meta({ description });
}
const limits = z
  .strictObject({
    nofile: limitOf("nofile", "Open files of one program; 256 at least, and no more than the kernel's fs.nr_open."),
    nproc: limitOf("nproc", "Processes of one person; 256 at least, or unlimited."),
    memlock: limitOf("memlock", "Memory that one program keeps from being paged out, in KiB, or unlimited."),
    core: limitOf("core", "The size of what is kept of a program that crashed, in KiB, or unlimited; 0 keeps nothing."),
  } satisfies Record<LimitName, unknown>)
  .refine((value) => LIMITS.some((name) => value[name] !== undefined), "Say what is limited.")
  .meta({
    description: "A number for both, or soft (what a program begins with) and hard (up to which it may raise it).",
  });

function counted(setting: keyof typeof QUALITY_NUMBERS, description: string) {
  const { least, most } = QUALITY_NUMBERS[setting];
  return z.int().min(least).max(most).optional().meta({ description });
}
function ageOf(setting: keyof AgeConfig, description: string, example: string) {
  return checkedText((text) => parseDays(setting, text), { description, examples: [example] }).optional();
}
const said = (what: string) =>
  [(value: object): boolean => Object.keys(value).length > 0, `Say ${what}, or leave it out.`] as const;
const passwords = z
  .strictObject({
    quality: z
      .strictObject({
        length: counted("length", "Characters at least; 6 to 128."),
        classes: counted(
          "classes",
          "How many of digits, capital letters, small letters and others it must have; 0 to 4.",
        ),
        digits: counted("digits", "Digits at least."),
        upper: counted("upper", "Capital letters at least."),
        lower: counted("lower", "Small letters at least."),
        others: counted("others", "Other characters at least."),
        differ: counted(
          "differ",
          "Characters at least that the old one has not. Nobody knows the old one where root sets it.",
        ),
        repeat: counted("repeat", "How often at most one character may stand after itself; 0: as often as one likes."),
        dictionary: z.boolean().optional().meta({ description: "Whether one from a dictionary is refused." }),
        name: z
          .boolean()
          .optional()
          .meta({ description: "Whether one with the name of the account in it is refused." }),
        root: z.boolean().optional().meta({
          description: "Whether root is held to it too where it sets one; otherwise root is only warned.",
        }),
      })
      .refine(...said("what a new password must be"))
      .optional()
      .meta({ description: "What a new password must be (pam_pwquality). Those that are there stay as they are." }),
    age: z
      .strictObject({
        most: ageOf("most", "When it must be changed; 7d or more.", "365d"),
        least: ageOf("least", "How long it must stay before it may be changed again.", "1d"),
        warn: ageOf("warn", "How long before its end people are told.", "14d"),
      })
      .refine(...said("how long a password lives"))
      .optional()
      .meta({
        description:
          "How long a password lives, for accounts that are made with one from now on (login.defs). Accounts that are there keep what they have.",
      }),
    lockout: z
      .strictObject({
        after: z
          .int()
          .superRefine((count, context) => {
            const checked = parseFailures(count);
            if (!checked.ok) context.addIssue({ code: "custom", message: checked.error });
          })
          .optional()
          .meta({ description: "Wrong passwords after which an account is locked; 3 to 100." }),
        within: checkedText(parseFailWindow, {
          description: "How long they count together; 30s to 7d.",
          examples: ["15m"],
        }).optional(),
        for: checkedText(parseLockTime, {
          description: "How long it stays locked; 30s to 7d, or never opened by itself.",
          examples: ["10m"],
        }).optional(),
        root: z.boolean().optional().meta({ description: "Whether root is locked too." }),
      })
      .refine(...said("when an account is locked"))
      .optional()
      .meta({ description: "When wrong passwords lock an account (pam_faillock). Keys let in all the same." }),
  })
  .refine(...said("what passwords must be"))
  .meta({
    description: "What passwords of this server must be. Its PAM must know the modules; no file of PAM is touched.",
  });

const proxyUrl = checkedText(parseProxy, {
  description: "A proxy: http://, a name or an address, and a port.",
  examples: ["http://proxy.internal:3128"],
});
const proxy = z
  .strictObject({
    for: oneOrList(z.enum(PROXY_USERS)).meta({ description: "Who goes by it: apt." }),
    http: proxyUrl.optional(),
    https: proxyUrl.optional(),
    direct: oneOrList(
      checkedText(parseDirect, { description: "A host, by its name or address.", examples: ["mirror.internal"] }),
    )
      .optional()
      .meta({ description: "Hosts that are asked without it." }),
  })
  .refine(({ http, https }) => http !== undefined || https !== undefined, {
    path: ["http"],
    message: "Write `http:`, `https:` or both: for what the proxy is",
  })
  .meta({
    description: "By which proxy the server fetches. Holdfast itself goes by none, so a wrong one cuts nobody off.",
  });

const why = proseText("Why it shall not hold here.");
const withoutSome = (name: z.ZodString) =>
  oneOrList(z.union([name, z.strictObject({ name, why })]))
    .transform((items) =>
      items.map((item): { name: string; why?: string } => (typeof item === "string" ? { name: item } : item)),
    )
    .optional();

export const systemSectionSchema = z
  .strictObject({
    hostname: checkedText(parseHostname, { description: "The server's name.", examples: ["web-1"] }).optional(),
    timezone: checkedText(parseTimezone, {
      description: "A zone of the tz database.",
      examples: ["Asia/Seoul", "UTC"],
    }).optional(),
    hosts: z.record(hostName, oneOrList(addressText)).optional().meta({
      description: "Names in /etc/hosts, each with its addresses. They win over the other lines of that file.",
    }),
    banners: z
      .strictObject({
        motd: banner("Shown after a login (/etc/motd).").optional(),
        issue: banner("Shown before a login at the console (/etc/issue).").optional(),
        issueNet: banner("Shown before a login over the network where ssh.banner is true (/etc/issue.net).").optional(),
      })
      .optional()
      .meta({ description: "What people read when they log in." }),
    sysctl: sysctl.optional(),
    ssh: ssh.optional(),
    ntp: z
      .strictObject({
        servers: oneOrList(timeServer).optional().meta({ description: "Time servers." }),
        fallback: oneOrList(timeServer)
          .optional()
          .meta({ description: "Time servers where no other is known; timesyncd only." }),
      })
      .optional()
      .meta({ description: "Whom systemd-timesyncd or chrony asks for the time, whichever keeps it." }),
    resolver: z
      .strictObject({
        servers: oneOrList(addressText).optional().meta({ description: "Name servers." }),
        search: oneOrList(hostName).optional().meta({ description: "Domains in which short names are looked up." }),
      })
      .optional()
      .meta({
        description:
          "Where names are asked: through systemd-resolved, or by /etc/resolv.conf where it is a plain file.",
      }),
    units: z.record(unitName, unit).optional().meta({ description: "Units of systemd." }),
    users: z.record(userName, user).optional().meta({
      description: "Accounts of people. Their passwords are their own matter; a new account has none.",
    }),
    modules: z
      .strictObject({
        load: oneOrList(moduleName).optional().meta({ description: "Loaded now and at every boot." }),
        block: oneOrList(blockedModule).optional().meta({ description: "Never loaded by itself from now on." }),
      })
      .optional()
      .meta({ description: "Modules of the kernel." }),
    logs: z
      .strictObject({
        to: oneOrList(logTarget).meta({ description: "Log servers, all of which get everything." }),
        tls: z
          .strictObject({
            authority: longText(parseCertificate, { description: "The certificate of who vouches for them, in PEM." }),
            certificate: tlsFile.optional().meta({
              description: "Where on the server its own certificate stands, for log servers that ask for one.",
            }),
            key: tlsFile.optional().meta({ description: "Where on the server the key of that certificate stands." }),
          })
          .refine((value) => (value.certificate === undefined) === (value.key === undefined), {
            path: ["key"],
            message: "A certificate and its key are written together, or neither",
          })
          .optional()
          .meta({ description: "For log servers by tls. What they do not take stays in a queue on disk." }),
      })
      .optional()
      .meta({ description: "Where rsyslog sends what is logged; by tcp and udp it goes over the network in clear." }),
    authorities: z
      .record(authorityName, longText(parseCertificate, { description: "One certificate in PEM." }))
      .optional()
      .meta({ description: "Certificate authorities that the server's programs trust, beside its own." }),
    updates: updates.optional(),
    tasks: z.record(taskName, task).optional().meta({
      description: "Services that start at their times, by timers of systemd.",
    }),
    limits: z.record(limited, limits).optional().meta({
      description: "What a session may take, from its login on (pam_limits). Services have limits of their own.",
    }),
    passwords: passwords.optional(),
    proxy: proxy.optional(),
    without: z
      .strictObject({
        sysctl: withoutSome(sysctlKey),
        hosts: withoutSome(hostName),
        units: withoutSome(unitName),
        users: withoutSome(userName),
        authorities: withoutSome(authorityName),
        tasks: withoutSome(taskName),
        limits: withoutSome(limited),
      })
      .optional()
      .meta({ description: "Items of wider layers that shall not hold here." }),
  })
  .meta({
    description:
      "Name, time, kernel settings, people, sshd and daemons. What leaves all policies goes back to what was found.",
  });

export type SystemSection = z.output<typeof systemSectionSchema>;
export type SshSection = NonNullable<SystemSection["ssh"]>;
