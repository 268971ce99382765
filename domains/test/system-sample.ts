import type { SystemConfig } from "../src/system/model.ts";

/** In the form of a key; nobody has its other half. */
export const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"K".repeat(43)} kim@office`;

/** In the form of a certificate; no reader of certificates would take what is in it. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----\n${"M".repeat(64)}\nIIB=\n-----END CERTIFICATE-----\n`;

/** A config in which everything is said that can be said. */
export const FULL_CONFIG: SystemConfig = {
  hostname: "web-7",
  timezone: "Asia/Seoul",
  hosts: { "db.internal": ["10.0.0.5", "2001:db8::5"] },
  banners: { motd: "Ask ops.", issue: "web", issueNet: "For staff." },
  sysctl: { "net.core.somaxconn": "8192", "net.ipv4.tcp_congestion_control": "bbr", "net.core.some_text": "some text" },
  ssh: {
    port: [22],
    listen: ["10.0.0.1"],
    rootLogin: "never",
    keys: true,
    passwords: false,
    allowUsers: ["kim"],
    allowGroups: ["ops"],
    denyUsers: ["mallory"],
    denyGroups: ["guests"],
    keyExchange: ["curve25519-sha256"],
    ciphers: ["aes256-gcm@openssh.com"],
    macs: ["hmac-sha2-256"],
    maxTries: 3,
    maxSessions: 10,
    loginGrace: 30,
    idle: { every: 60, misses: 3 },
    tcpForwarding: "none",
    agentForwarding: false,
    x11Forwarding: false,
    banner: true,
    log: "verbose",
  },
  ntp: { servers: ["ntp.example.org", "10.0.0.3"], fallback: ["10.0.0.4"] },
  resolver: { servers: ["10.0.0.2"], search: ["internal"] },
  users: {
    kim: {
      state: "present",
      comment: "Kim",
      shell: "/bin/sh",
      groups: ["ops"],
      keys: [KEY],
      sudo: "free",
      until: 20_818,
    },
    mallory: { state: "absent" },
  },
  modules: { load: ["br_netfilter"], block: ["usb_storage"] },
  logs: {
    to: [
      { host: "logs.internal", port: 514, by: "tcp" },
      { host: "10.0.0.9", port: 6514, by: "tls", name: "logs.example.org" },
    ],
    tls: { authority: CERTIFICATE, certificate: "/etc/ssl/certs/web-7.pem", key: "/etc/ssl/private/web-7.key" },
  },
  authorities: { house: CERTIFICATE },
  units: { "cron.service": { enabled: true, running: true } },
  tasks: { backup: { unit: "cron.service", at: "weekly on mon, thu at 04:00", jitter: 900, persistent: true } },
  limits: {
    everyone: { nofile: { soft: 1024, hard: 65_536 }, core: { soft: 0, hard: "unlimited" } },
    "group ops": { nproc: { soft: 4096, hard: 8192 } },
  },
  proxy: {
    for: ["apt"],
    http: "http://proxy.internal:3128",
    https: "http://[fd00::9]:3128",
    direct: ["mirror.internal", "10.0.0.9"],
  },
  passwords: {
    quality: {
      length: 12,
      classes: 3,
      digits: 1,
      upper: 1,
      lower: 1,
      others: 0,
      differ: 4,
      repeat: 3,
      dictionary: true,
      name: true,
      root: true,
    },
    age: { most: 365, least: 1, warn: 14 },
    lockout: { after: 5, within: 900, for: 600, root: false },
  },
  updates: { install: "security", window: { from: "03:00", within: 3600 }, restart: "04:30" },
};
