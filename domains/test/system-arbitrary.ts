import fc from "fast-check";
import type { LogTarget, SystemConfig } from "../src/system/model.ts";
import { parseSystemConfig } from "../src/system/parse-config.ts";
import { CERTIFICATE, KEY } from "./system-sample.ts";

/**
 * System configs over a small world that the simulated server has: every slot comes up, alone and with others, and settings reach each other.
 * sshd's people are chosen such that somebody can always enter; who cannot is a test of its own.
 */
const SYSCTL: Readonly<Record<string, readonly string[]>> = {
  "kernel.dmesg_restrict": ["0", "1"],
  "net.core.somaxconn": ["1024", "8192"],
  "net.ipv4.conf.all.rp_filter": ["0", "1", "2"],
  "net.ipv4.conf.eth0.rp_filter": ["0", "1", "2"],
  "net.ipv4.ip_forward": ["0", "1"],
  "net.ipv4.tcp_congestion_control": ["bbr", "cubic"],
  "net.ipv4.tcp_rmem": ["4096 131072 4194304", "8192 16384 32768"],
  "vm.swappiness": ["0", "10"],
};

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const some = <Value>(...values: readonly Value[]) => fc.subarray([...values], { minLength: 1 });

/** Banner texts: anything that people could write, and what a shell, a template or a terminal could take for more. */
export const bannerText = fc.oneof(
  fc.constantFrom("", "\n", "Ask ops.", "$(reboot); `id` %n \\l ${HOME}\n", "두 줄\n둘째 줄", "'\"\\"),
  fc.string({ unit: "grapheme", maxLength: 60 }),
);

const sysctl = fc
  .subarray(Object.keys(SYSCTL))
  .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, fc.constantFrom(...(SYSCTL[key] ?? []))]))));

const ssh = fc
  .record({
    port: optional(some(22, 2222, 2200)),
    isListening: fc.boolean(),
    rootLogin: optional(fc.constantFrom("never" as const, "keys" as const, "any" as const)),
    proxy: optional(
      fc.record({
        for: fc.constant(["apt" as const]),
        http: fc.constantFrom("http://proxy.internal:3128", "http://[fd00::9]:8080"),
        direct: optional(fc.constant(["mirror.internal"] as string[])),
      }),
    ),
    passwords: optional(fc.boolean()),
    allowGroups: optional(fc.constant(["ops"] as string[])),
    denyUsers: optional(fc.constant(["mallory"] as string[])),
    ciphers: optional(some("aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")),
    macs: optional(some("hmac-sha2-256", "hmac-sha2-512-etm@openssh.com")),
    maxTries: optional(fc.integer({ min: 1, max: 9 })),
    loginGrace: optional(fc.constantFrom(30, 120)),
    idle: optional(fc.record({ every: fc.constantFrom(30, 300), misses: fc.integer({ min: 0, max: 3 }) })),
    tcpForwarding: optional(fc.constantFrom("all" as const, "none" as const, "local" as const)),
    banner: optional(fc.boolean()),
    log: optional(fc.constantFrom("info" as const, "verbose" as const)),
  })
  .map(({ isListening, ...rest }) => ({
    ...rest,
    ...(isListening && rest.port !== undefined ? { listen: ["10.0.0.1", "fd00::1"] } : {}),
  }));

const unit = fc
  .record({ enabled: optional(fc.boolean()), running: optional(fc.boolean()) })
  .filter((one) => one.enabled !== undefined || one.running !== undefined);

const user = fc.oneof(
  fc.constant({ state: "absent" as const }),
  fc.record({
    state: fc.constant("present" as const),
    comment: optional(fc.constantFrom("", "Kim, operations")),
    shell: optional(fc.constantFrom("/bin/sh", "/bin/bash")),
    groups: optional(fc.subarray(["ops", "sudo", "new-group"])),
    keys: optional(fc.subarray([KEY, `${KEY} office`])),
    until: optional(fc.constantFrom(20_818, 21_000)),
    sudo: optional(fc.constantFrom("none" as const, "password" as const, "free" as const)),
  }),
);
const LOGS: readonly (readonly [LogTarget, ...LogTarget[]])[] = [
  [{ host: "logs.internal", port: 514, by: "tcp" }],
  [{ host: "fd00::9", port: 514, by: "udp" }],
  [{ host: "logs.internal", port: 6514, by: "tls", name: "logs.internal" }],
  [
    { host: "fd00::9", port: 514, by: "udp" },
    { host: "fd00::8", port: 6514, by: "tls", name: "logs.internal" },
  ],
];
const LOG_TLS: readonly NonNullable<SystemConfig["logs"]>["tls"][] = [
  { authority: CERTIFICATE },
  { authority: CERTIFICATE, certificate: "/etc/ssl/certs/web.pem", key: "/etc/ssl/private/web.key" },
];

export const systemConfig: fc.Arbitrary<SystemConfig> = fc
  .record({
    hostname: optional(fc.constantFrom("web", "web-7", "db.example.org")),
    timezone: optional(fc.constantFrom("UTC", "Asia/Seoul", "America/Argentina/Ushuaia")),
    hosts: optional(
      fc.dictionary(fc.constantFrom("db.internal", "old.internal", "web-7"), some("10.0.0.5", "2001:db8::5")),
    ),
    banners: optional(
      fc.record({ motd: optional(bannerText), issue: optional(bannerText), issueNet: optional(bannerText) }),
    ),
    sysctl: optional(sysctl),
    ssh: optional(ssh),
    ntp: optional(
      fc.record({ servers: optional(some("10.0.0.3", "ntp.example.org")), fallback: optional(some("fd00::3")) }),
    ),
    resolver: optional(
      fc.record({ servers: optional(some("10.0.0.2", "fd00::2")), search: optional(some("example.org", "internal")) }),
    ),
    users: optional(fc.dictionary(fc.constantFrom("kim", "ana", "bo"), user)),
    modules: optional(
      fc.record({ load: optional(some("br_netfilter", "nf_tables")), block: optional(some("usb_storage")) }),
    ),
    logs: optional(fc.record({ to: fc.constantFrom(...LOGS), tls: fc.constantFrom(...LOG_TLS) })),
    authorities: optional(fc.dictionary(fc.constantFrom("house", "lab"), fc.constant(CERTIFICATE))),
    units: optional(fc.dictionary(fc.constantFrom("cron.service", "fail2ban.service"), unit)),
    tasks: optional(
      fc.dictionary(
        fc.constantFrom("backup", "tidy"),
        fc.record({
          unit: fc.constantFrom("cron.service", "fail2ban.service"),
          at: fc.constantFrom("daily at 03:30", "every 15m", "monthly on last at 05:00"),
          jitter: optional(fc.constantFrom(60, 900)),
          persistent: optional(fc.boolean()),
        }),
      ),
    ),
    limits: optional(
      fc.dictionary(
        fc.constantFrom("everyone", "user kim", "group ops"),
        fc.record({
          nofile: optional(fc.constantFrom({ soft: 1024, hard: 4096 }, { soft: 65_536, hard: 65_536 })),
          core: optional(fc.constant({ soft: 0, hard: 0 })),
        }),
      ),
    ),
    passwords: optional(
      fc.record({
        quality: optional(
          fc.record({
            length: optional(fc.constantFrom(8, 12)),
            dictionary: optional(fc.boolean()),
            root: optional(fc.boolean()),
          }),
        ),
        age: optional(fc.record({ most: optional(fc.constantFrom(90, 99_999)), warn: optional(fc.constant(14)) })),
        lockout: optional(
          fc.record({
            after: optional(fc.constantFrom(5, 10)),
            for: optional(fc.constantFrom(600, "never" as const)),
            root: optional(fc.constant(false)),
          }),
        ),
      }),
    ),
    updates: optional(
      fc.record({
        install: optional(fc.constantFrom("none" as const, "security" as const, "all" as const)),
        window: optional(fc.constantFrom({ from: "03:00", within: 3600 }, { from: "22:15", within: 1800 })),
        restart: optional(fc.constantFrom("never", "04:30")),
      }),
    ),
  })
  .map((config) => withoutUndefined(config) as SystemConfig)
  .filter((config) => parseSystemConfig(config).ok);

/** As a config travels: JSON has no undefined. */
function withoutUndefined(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
