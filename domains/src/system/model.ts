import { z } from "zod";
import { UPDATES } from "./apt-text.ts";
import { FOR_GOOD } from "./faillock-text.ts";
import { NO_LIMIT } from "./limits-text.ts";
import { CLEAR_LOG_TRANSPORTS, LOG_LEVELS, PROXY_USERS, ROOT_LOGINS, SUDO, TCP_FORWARDINGS } from "./section.ts";

/**
 * The system part of an effective config: everything is concrete. Kernel settings are the texts that the kernel takes, addresses canonical,
 * times seconds. What is absent is not ours.
 */

const names = z.array(z.string()).min(1);
const textByName = z.record(z.string(), z.string());

export const sshConfigSchema = z.strictObject({
  port: z.array(z.int().min(1).max(65_535)).min(1).optional(),
  listen: names.optional(),
  rootLogin: z.enum(ROOT_LOGINS).optional(),
  keys: z.boolean().optional(),
  passwords: z.boolean().optional(),
  allowUsers: names.optional(),
  allowGroups: names.optional(),
  denyUsers: names.optional(),
  denyGroups: names.optional(),
  keyExchange: names.optional(),
  ciphers: names.optional(),
  macs: names.optional(),
  maxTries: z.int().min(1).max(100).optional(),
  maxSessions: z.int().min(0).max(1000).optional(),
  loginGrace: z.int().min(1).max(86_400).optional(),
  idle: z.strictObject({ every: z.int().min(1).max(86_400), misses: z.int().min(0).max(1000) }).optional(),
  tcpForwarding: z.enum(TCP_FORWARDINGS).optional(),
  agentForwarding: z.boolean().optional(),
  x11Forwarding: z.boolean().optional(),
  banner: z.boolean().optional(),
  log: z.enum(LOG_LEVELS).optional(),
});

const userSchema = z.union([
  z.strictObject({ state: z.literal("absent") }),
  z.strictObject({
    state: z.literal("present"),
    comment: z.string().optional(),
    shell: z.string().optional(),
    groups: z.array(z.string()).optional(),
    keys: z.array(z.string()).optional(),
    sudo: z.enum(SUDO).optional(),
    /** The last day on which it lets anybody in, since 1970. */
    until: z.int().min(2).max(99_999).optional(),
  }),
]);

const logPort = z.int().min(1).max(65_535);
const logTargetSchema = z.union([
  z.strictObject({ host: z.string(), port: logPort, by: z.enum(CLEAR_LOG_TRANSPORTS) }),
  /** `name` is whom its certificate must be for. */
  z.strictObject({ host: z.string(), port: logPort, by: z.literal("tls"), name: z.string() }),
]);

const logsSchema = z.strictObject({
  to: z.array(logTargetSchema).min(1),
  /** Who vouches for log servers that are spoken to over TLS, and where the server's own certificate stands. */
  tls: z
    .strictObject({ authority: z.string(), certificate: z.string().optional(), key: z.string().optional() })
    .optional(),
});

const updatesSchema = z.strictObject({
  install: z.enum(UPDATES).optional(),
  /** A time of the day, and the seconds after it in which it begins. */
  window: z.strictObject({ from: z.string(), within: z.int().min(60).max(43_200) }).optional(),
  /** "never" or a time of the day. */
  restart: z.string().optional(),
});

const taskSchema = z.strictObject({
  unit: z.string(),
  /** As it was written: schedule.ts has the forms. */
  at: z.string(),
  /** Seconds by which it is late at most, by chance. */
  jitter: z.int().min(1).max(43_200).optional(),
  persistent: z.boolean().optional(),
});

const limit = z.union([z.int().min(0), z.literal(NO_LIMIT)]);
/** Files, processes, and KiB. */
const limitSchema = z.strictObject({ soft: limit, hard: limit });
const limitsSchema = z.strictObject({
  nofile: limitSchema.optional(),
  nproc: limitSchema.optional(),
  memlock: limitSchema.optional(),
  core: limitSchema.optional(),
});

const few = z.int().min(0).max(128);
const days = z.int().min(0).max(99_999);
const passwordsSchema = z.strictObject({
  quality: z
    .strictObject({
      length: few.optional(),
      classes: few.optional(),
      digits: few.optional(),
      upper: few.optional(),
      lower: few.optional(),
      others: few.optional(),
      differ: few.optional(),
      repeat: few.optional(),
      dictionary: z.boolean().optional(),
      name: z.boolean().optional(),
      root: z.boolean().optional(),
    })
    .optional(),
  /** Days. */
  age: z.strictObject({ most: days.optional(), least: days.optional(), warn: days.optional() }).optional(),
  /** Failures, and seconds. */
  lockout: z
    .strictObject({
      after: z.int().optional(),
      within: z.int().optional(),
      for: z.union([z.int(), z.literal(FOR_GOOD)]).optional(),
      root: z.boolean().optional(),
    })
    .optional(),
});

const proxySchema = z.strictObject({
  for: z.array(z.enum(PROXY_USERS)).min(1),
  http: z.string().optional(),
  https: z.string().optional(),
  /** Hosts that are asked without it. */
  direct: names.optional(),
});

const unitSchema = z.strictObject({ enabled: z.boolean().optional(), running: z.boolean().optional() });

export const systemConfigSchema = z.strictObject({
  hostname: z.string().optional(),
  timezone: z.string().optional(),
  /** Name to addresses. */
  hosts: z.record(z.string(), names).optional(),
  banners: z
    .strictObject({ motd: z.string().optional(), issue: z.string().optional(), issueNet: z.string().optional() })
    .optional(),
  sysctl: textByName.optional(),
  ssh: sshConfigSchema.optional(),
  ntp: z.strictObject({ servers: names.optional(), fallback: names.optional() }).optional(),
  resolver: z.strictObject({ servers: names.optional(), search: names.optional() }).optional(),
  units: z.record(z.string(), unitSchema).optional(),
  users: z.record(z.string(), userSchema).optional(),
  modules: z.strictObject({ load: z.array(z.string()).optional(), block: z.array(z.string()).optional() }).optional(),
  logs: logsSchema.optional(),
  /** Name to certificate. */
  authorities: textByName.optional(),
  updates: updatesSchema.optional(),
  tasks: z.record(z.string(), taskSchema).optional(),
  /** By whom: everyone, a user or a group. */
  limits: z.record(z.string(), limitsSchema).optional(),
  passwords: passwordsSchema.optional(),
  proxy: proxySchema.optional(),
});

export type SystemConfig = z.infer<typeof systemConfigSchema>;
export type SshConfig = z.infer<typeof sshConfigSchema>;
export type UnitConfig = z.infer<typeof unitSchema>;
export type LogTarget = z.infer<typeof logTargetSchema>;
export type UserConfig = z.infer<typeof userSchema>;

export const BANNERS = { motd: "/etc/motd", issue: "/etc/issue", issueNet: "/etc/issue.net" } as const;
export type BannerName = keyof typeof BANNERS;
