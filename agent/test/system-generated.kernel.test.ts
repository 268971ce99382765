import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

const REPOSITORY_ROOT = join(import.meta.dirname, "../..");

const LOGS_EXAMPLE = readFileSync(join(REPOSITORY_ROOT, "domains/src/system/examples/logs-by-tls.yaml"), "utf8");

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"K".repeat(43)} ana@office`;
const text = fc.constantFrom("", "Ask ops.\n", "$(reboot); `id` %n \\l ${HOME} '\"\n", "두 줄\n둘째 줄\n");

const user = fc.oneof(
  fc.constant({ state: "absent" }),
  fc.record({
    state: fc.constant("present"),
    comment: optional(fc.constantFrom("", "Ana, operations; $(id)", "아나")),
    shell: optional(fc.constantFrom("/bin/sh", "/bin/bash")),
    groups: optional(fc.subarray(["adm", "sudo", "on-call"])),
    keys: optional(fc.subarray([key])),
    sudo: optional(fc.constantFrom("none", "free", "password")),
    until: optional(fc.constantFrom(40_000)),
  }),
);

/** Nobody has its key; it vouches for nobody. */
const AUTHORITY = `${(LOGS_EXAMPLE.match(/-----BEGIN[^]*END CERTIFICATE-----/)?.[0] ?? "").replaceAll(/^ +/gm, "")}\n`;

/** What a server of the lab can do of everything, over a small world, so that settings meet the ones before them. */
const config = fc.record({
  hostname: optional(fc.constantFrom("web", "web-7", "db.example.org")),
  timezone: optional(fc.constantFrom("Etc/UTC", "Asia/Seoul", "America/Argentina/Ushuaia")),
  hosts: optional(fc.dictionary(fc.constantFrom("db.internal", "web-7"), fc.constant(["10.0.0.5", "2001:db8::5"]))),
  banners: optional(fc.record({ motd: optional(text), issue: optional(text), issueNet: optional(text) })),
  sysctl: optional(
    fc.record({
      "net.core.somaxconn": fc.constantFrom("1024", "8192"),
      "net.ipv4.ip_forward": fc.constantFrom("0", "1"),
      "net.ipv4.conf.all.rp_filter": fc.constantFrom("0", "1", "2"),
    }),
  ),
  ssh: optional(
    fc.record({
      port: optional(fc.constantFrom([22], [22, 2222])),
      maxTries: optional(fc.integer({ min: 1, max: 9 })),
      rootLogin: optional(fc.constantFrom("never", "keys")),
      banner: optional(fc.boolean()),
    }),
  ),
  users: optional(fc.dictionary(fc.constantFrom("ana", "bo"), user)),
  resolver: optional(
    fc.record({ servers: optional(fc.constant(["192.0.2.53"])), search: optional(fc.constant(["internal"])) }),
  ),
  logs: optional(
    fc.constantFrom(
      { to: [{ host: "192.0.2.9", port: 514, by: "udp" }] },
      { to: [{ host: "127.0.0.1", port: 6514, by: "tls", name: "logs.internal" }], tls: { authority: AUTHORITY } },
    ),
  ),
  updates: optional(
    fc.record({
      install: optional(fc.constantFrom("none", "security", "all")),
      window: optional(fc.constantFrom({ from: "03:00", within: 3600 }, { from: "22:15", within: 5400 })),
      restart: optional(fc.constantFrom("never", "04:30")),
    }),
  ),
  limits: optional(
    fc.dictionary(
      fc.constantFrom("everyone", "user kim"),
      fc.constantFrom({ nofile: { soft: 1024, hard: 4096 } }, { core: { soft: 0, hard: "unlimited" } }),
    ),
  ),
  passwords: optional(
    fc.record({
      quality: optional(fc.constant({ length: 12, dictionary: false })),
      age: optional(fc.constantFrom({ most: 365, warn: 14 }, { least: 1 })),
    }),
  ),
  tasks: optional(
    fc.dictionary(
      fc.constantFrom("one", "two"),
      fc.constantFrom(
        { unit: "once.service", at: "daily at 03:30" },
        { unit: "once.service", at: "weekly on mon, tue, wed at 04:00", jitter: 900, persistent: true },
      ),
    ),
  ),
  modules: optional(fc.record({ block: fc.subarray(["usb_storage", "dccp"]) })),
  units: optional(
    fc.dictionary(fc.constantFrom("thing.service"), fc.record({ enabled: fc.boolean(), running: fc.boolean() })),
  ),
});

const LOOK = [
  "cat /etc/hosts /etc/motd /etc/issue /etc/issue.net /etc/resolv.conf /etc/timezone /etc/hostname; readlink /etc/localtime",
  "cat /proc/sys/kernel/hostname /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/ip_forward",
  "grep . /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/accept_redirects",
  "/usr/sbin/sshd -T | sort; ls /etc/ssh/sshd_config.d /etc/sudoers.d /etc/rsyslog.d /etc/sysctl.d /etc/modprobe.d",
  "apt-config dump; ls -A /etc/apt/apt.conf.d /etc/systemd/system; systemctl show apt-daily-upgrade.timer --property=TimersCalendar,RandomizedDelayUSec,Persistent,ActiveState",
  "ls -A /etc/security/limits.d; cat /etc/security/pwquality.conf.d/* /etc/login.defs; ls -A /var/lib/systemd/timers | grep holdfast; systemctl list-timers --all --no-legend | grep -c holdfast",
  "systemctl is-enabled thing.service; systemctl is-active thing.service rsyslog.service ssh.service",
].join("; ");

test("generated policies, one on the other: applied, read back, undone and confirmed on a real server; released, nothing is left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-hands-"));
  await using lab = Lab.open({ prefix: `hfg-${process.pid}` });
  try {
    const bundle = join(folder, "hands.mjs");
    const main = join(REPOSITORY_ROOT, "agent/test/generated-hands-main.ts");
    execFileSync(process.execPath, [join(REPOSITORY_ROOT, "deploy/package/bundle.ts"), main, bundle]);
    const server = lab.server({ name: "web", kind: "systemd", enable: ["ssh", "rsyslog"], attachments: [] });
    await server.start();
    await server.must(["sh", "-c", "useradd --create-home kim && echo kim:secret | chpasswd"]);
    await server.must(["sh", "-c", "mkdir -p /etc/modprobe.d /run/holdfast /var/lib/holdfast/system"]);
    await server.writeFile(
      "/etc/systemd/system/thing.service",
      "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    );
    await server.writeFile("/etc/systemd/system/once.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    await server.must(["systemctl", "daemon-reload"]);
    await server.must(["sh", "-c", "mkdir -p /usr/local/bin && systemctl enable --now apt-daily-upgrade.timer"]);
    // Whether it is there is looked at, and no more: apt itself says what is set.
    await server.writeFile("/usr/bin/unattended-upgrade", "#!/bin/sh\n", 0o755);
    await server.writeFile("/etc/resolv.conf", "nameserver 192.0.2.1\noptions edns0\n");
    await server.writeFile("/run/hands.mjs", readFileSync(bundle));
    // The same every time, so that a failure is the same tomorrow.
    const configs = fc.sample(config, { seed: 7, numRuns: 4 });
    await server.writeFile("/run/configs.json", JSON.stringify(configs));
    const found = (await server.exec(["sh", "-c", LOOK])).stdout;
    // As a unit, like the module itself: only there a container's own name can be set.
    const unit = ["systemd-run", "--quiet", "--wait", "--pipe", "--property=ProtectProc=invisible"];
    const program = [
      server.nodeBinary,
      "--disable-warning=ExperimentalWarning",
      "/run/hands.mjs",
      "system",
      "/run/configs.json",
    ];
    const done = await server.must([...unit, ...program], { timeoutMs: 500_000 });
    const answer = JSON.parse(done) as { readonly steps: number; readonly problems: readonly string[] };
    expect(answer.problems, JSON.stringify(configs)).toEqual([]);
    expect(answer.steps).toBeGreaterThan(30);
    expect((await server.exec(["sh", "-c", LOOK])).stdout).toBe(found);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 600_000);
