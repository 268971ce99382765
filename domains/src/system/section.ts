import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseAddress } from "@holdfast/core/net/address.ts";
import {
  addressText,
  checkedText,
  durationText,
  oneOrList,
  portNumber,
  proseText,
} from "@holdfast/core/policy/text-schema.ts";
import { z } from "zod";
import { parseDnsName, parseHostname } from "./hostname.ts";
import { sysctlValue } from "./sysctl-catalogue.ts";
import { parseSysctlKey } from "./sysctl-key.ts";
import { parseTimezone } from "./timezone.ts";
import { parseManagedUnit } from "./unit-name.ts";

/** The system section as people write it; compose.ts turns it into the concrete config of model.ts. */

export const ROOT_LOGINS = ["never", "keys", "any"] as const;
export const TCP_FORWARDINGS = ["all", "none", "local", "remote"] as const;
export const LOG_LEVELS = ["info", "verbose"] as const;

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
        fallback: oneOrList(timeServer).optional().meta({ description: "Time servers where no other is known." }),
      })
      .optional()
      .meta({ description: "Where systemd-timesyncd gets the time." }),
    resolver: z
      .strictObject({
        servers: oneOrList(addressText).optional().meta({ description: "Name servers." }),
        search: oneOrList(hostName).optional().meta({ description: "Domains in which short names are looked up." }),
      })
      .optional()
      .meta({ description: "Where systemd-resolved asks for names, beside what the links say." }),
    units: z.record(unitName, unit).optional().meta({ description: "Units of systemd." }),
    without: z
      .strictObject({ sysctl: withoutSome(sysctlKey), hosts: withoutSome(hostName), units: withoutSome(unitName) })
      .optional()
      .meta({ description: "Items of wider layers that shall not hold here." }),
  })
  .meta({
    description: "Name, time, kernel settings, sshd and daemons. What leaves all policies goes back to what was found.",
  });

export type SystemSection = z.output<typeof systemSectionSchema>;
export type SshSection = NonNullable<SystemSection["ssh"]>;
