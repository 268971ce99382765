import type { Account } from "@holdfast/core/domain.ts";
import type { SystemConfig } from "@holdfast/domains/system/model.ts";

const KIM = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXWIz1nfSDNQ8nl2q9xwdlm1xW1hQ3L3Kq1yVwY1w2d kim@office";
const ANA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILm3qF7Ysw5b0o2uYzXvRkq1nT8hJ4pWc6dE9gKfA0bV ana@laptop";

export const SYSTEM: SystemConfig = {
  hostname: "web-1",
  timezone: "Asia/Seoul",
  sysctl: { "net.core.somaxconn": "4096", "net.ipv4.conf.all.rp_filter": "1" },
  ssh: { port: [22], rootLogin: "never", passwords: false, allowGroups: ["ops"] },
  ntp: { servers: ["ntp1.example.org", "ntp2.example.org"] },
  units: { "fail2ban.service": { enabled: true, running: true } },
  tasks: { backup: { unit: "backup.service", at: "daily at 02:30", jitter: 900, persistent: true } },
  limits: { everyone: { nofile: { soft: 1024, hard: 65_536 } } },
  proxy: { for: ["apt"], http: "http://proxy.internal:3128", direct: ["mirror.internal"] },
  passwords: {
    quality: { length: 12, classes: 3, dictionary: true },
    age: { most: 365, warn: 14 },
    lockout: { after: 5, for: 600, root: false },
  },
  updates: { install: "security", window: { from: "03:00", within: 3600 }, restart: "04:30" },
  users: {
    kim: { state: "present", comment: "Kim, operations", groups: ["adm", "ops"], keys: [KIM], sudo: "free" },
    ana: { state: "present", comment: "Ana, on call", groups: ["ops"], keys: [ANA], until: 20_999 },
    jules: { state: "absent" },
  },
};

function account(name: string, uid: number, parts: Partial<Account> = {}): Account {
  return {
    name,
    uid,
    shell: "/bin/bash",
    groups: [name],
    primary: name,
    comment: "",
    expires: "",
    keys: 0,
    password: "locked",
    ...parts,
  };
}

/** What a module reports; e2e/console/observed-shapes.test.ts holds it to the real type. */
export function systemObserved(server: string, drift: boolean) {
  const file = (text: string) => ({ type: "file", mode: 0o644, text }) as const;
  return {
    found: {},
    foundProblem: null,
    sysctl: {
      "fs.file-max": "2466174",
      "net.core.somaxconn": drift ? "128" : "4096",
      "net.ipv4.conf.all.rp_filter": "1",
      "net.ipv4.ip_forward": "0",
      "vm.swappiness": "60",
    },
    sysctlLines: [
      { path: "/usr/lib/sysctl.d/50-default.conf", line: 12, key: "net.ipv4.conf.all.rp_filter", value: "2" },
      { path: "/etc/sysctl.d/99-holdfast.conf", line: 3, key: "net.core.somaxconn", value: "4096" },
    ],
    hostname: server,
    entries: {
      "/etc/localtime": { type: "link" as const, target: "../usr/share/zoneinfo/Asia/Seoul" },
      "/etc/resolv.conf": file("# made by hand\nnameserver 9.9.9.9\nnameserver 2620:fe::fe\n"),
      "/etc/security/limits.d/95-holdfast.conf": file("* soft nofile 1024\n* hard nofile 65536\n"),
      "/etc/security/faillock.conf": file("deny = 5\nunlock_time = 600\n"),
      "/etc/hostname": file(`${server}\n`),
    },
    accounts: [
      account("root", 0, { comment: "root", keys: 1 }),
      account("daemon", 1, { shell: "/usr/sbin/nologin" }),
      account("www-data", 33, { shell: "/usr/sbin/nologin" }),
      account("kim", 1001, { comment: "Kim, operations", groups: ["kim", "adm", "ops", "sudo"] }),
      account("ana", 1002, { comment: "Ana, on call", groups: ["ana", "ops"], expires: "21000", password: "set" }),
      account("backup-job", 1010, { comment: "nightly copy", keys: 2 }),
    ],
    groups: ["root", "adm", "ops", "sudo"],
    today: 20_783,
    keyFiles: { kim: `# Made by Holdfast from a policy; changes here are overwritten.\n${KIM}\n`, ana: `${ANA}\n` },
    authorities: {},
    certificates: {},
    trusted: [],
    chronyReadsSources: false,
    logDrivers: ["ossl" as const],
    modules: ["br_netfilter"],
    foreignAccounts: false,
    sshd: {
      port: ["22"],
      permitrootlogin: ["no"],
      pubkeyauthentication: ["yes"],
      passwordauthentication: [drift ? "yes" : "no"],
      allowgroups: ["ops"],
    },
    sshdProblem: null,
    listening: [22, 80, 443, 9100],
    units: {
      "systemd-timesyncd.service": { load: "loaded", active: "active", file: "enabled", neededBy: [] },
      "fail2ban.service": { load: "loaded", active: drift ? "inactive" : "active", file: "enabled", neededBy: [] },
      "rsyslog.service": { load: "loaded", active: "active", file: "enabled", neededBy: [] },
      "logrotate.service": { load: "loaded", active: "failed", file: "static", neededBy: [] },
    },
    booting: false,
    apt: { "APT::Periodic::Unattended-Upgrade": ["1"], "Unattended-Upgrade::Automatic-Reboot": ["true"] },
    aptProxies: { http: "http://proxy.internal:3128", https: null },
    aptLines: [],
    updatesTimerLines: [],
    unattendedUpgrades: true,
    tasks: {},
    taskRuns: {
      "backup.service": drift
        ? { result: "exit-code", began: "Fri 2026-11-27 02:41:03 UTC", status: 1 }
        : { result: "success", began: "Fri 2026-11-27 02:41:03 UTC", status: 0 },
    },
    timers: {
      "apt-daily-upgrade.timer": {
        times: ["*-*-* 03:00:00"],
        spread: 3600,
        unit: "apt-daily-upgrade.service",
        next: "Sat 2026-11-28 03:17:09 UTC",
        last: "Fri 2026-11-27 03:09:41 UTC",
        persistent: false,
        dropIns: [],
      },
      "holdfast-task-backup.timer": {
        times: ["*-*-* 02:30:00"],
        spread: 900,
        unit: "backup.service",
        next: "Sat 2026-11-28 02:38:20 UTC",
        last: "Fri 2026-11-27 02:41:03 UTC",
        persistent: true,
        dropIns: [],
      },
    },
    limitLines: [
      { path: "/etc/security/limits.d/20-db.conf", line: 3, domain: "@db", item: "memlock", value: "unlimited" },
    ],
    limitsReadBy: ["sshd", "login"],
    pam: { passwd: [], sshd: [], login: [] },
    qualityLines: [
      { path: "/etc/security/pwquality.conf.d/95-holdfast.conf", line: 2, key: "minlen", value: "12" },
      { path: "/etc/security/pwquality.conf.d/95-holdfast.conf", line: 3, key: "minclass", value: "3" },
      { path: "/etc/security/pwquality.conf.d/95-holdfast.conf", line: 4, key: "dictcheck", value: "1" },
    ],
    dictionary: true,
    loginLines: { PASS_MAX_DAYS: ["PASS_MAX_DAYS\t365"], PASS_MIN_DAYS: [], PASS_WARN_AGE: ["PASS_WARN_AGE\t14"] },
    restart: drift
      ? [
          { kind: "package" as const, name: "linux-image-6.1.0-31-amd64" },
          { kind: "kernel" as const, runs: "6.1.0-30-amd64", next: "6.1.0-31-amd64" },
        ]
      : [],
  };
}
