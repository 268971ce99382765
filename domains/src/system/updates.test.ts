import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import {
  aptLines,
  aptWish,
  laterAptLines,
  parseAptDump,
  parseUpdatesText,
  UPDATES_FILE,
  updatesText,
} from "./apt-text.ts";
import { system } from "./domain.ts";
import type { SystemConfig } from "./model.ts";
import { systemSectionSchema } from "./section.ts";
import { parseTimers } from "./timer-text.ts";

const UPDATES = { install: "security", restart: "04:30" } as const;
const MANAGEMENT = { controlPlane: [], inbound: [] };

function codes(server: SimulatedSystem, desired: SystemConfig): readonly string[] {
  const observed = server.observe();
  return system
    .plan({ desired, confirmed: null, observed, managementPath: MANAGEMENT })
    .findings.map(({ code }) => code);
}

test("what is said of apt, of the package and of the timer is said before anything is planned on it", () => {
  const server = new SimulatedSystem();
  expect(system.lacks(server.observe()).map(({ feature }) => feature)).not.toContain("updates");
  server.units.set("apt-daily-upgrade.timer", { active: false, enabled: true });
  expect(codes(server, { updates: UPDATES })).toContain("system.updates_no_timer");
  server.hasUnattendedUpgrades = false;
  const lack = system.lacks(server.observe()).find(({ feature }) => feature === "updates");
  expect(lack?.reason).toContain("unattended-upgrades");
  expect(codes(server, { updates: UPDATES })).toContain("system.updates_no_package");
  expect(codes(server, { updates: { install: "none" } })).toEqual([]);
});

test("a restart is warned of; where nothing is installed it is told that it does nothing", () => {
  expect(codes(new SimulatedSystem(), { updates: UPDATES })).toEqual(["system.updates_restart"]);
  expect(codes(new SimulatedSystem(), { updates: { ...UPDATES, restart: "never" } })).toEqual([]);
  const idle = system.validate({ updates: { install: "none", restart: "04:30" } });
  expect(idle.map(({ code }) => code)).toEqual(["system.updates_restart_idle"]);
});

test("apt's files are read as apt reads them: comments, braces, lists, lines", () => {
  const text = `// Unattended-Upgrade::Automatic-Reboot "true";
/* APT::Periodic::Enable "0"; */ # APT::Periodic::Enable "0";
Unattended-Upgrade { Origins-Pattern { "origin=*"; };
  Automatic-Reboot "true"; };
#clear unattended-upgrade::Allowed-Origins;
Acquire::http::Proxy "http://user:secret@proxy";
APT::Periodic::Unattended-Upgrade "0";
`;
  const lines = aptLines("/etc/apt/apt.conf.d/99-a", text);
  const wish = aptWish({ install: "all", restart: "never" }) ?? {};
  expect(laterAptLines(wish, lines).map(({ line, key }) => `${line} ${key}`)).toEqual([
    "3 Unattended-Upgrade::Origins-Pattern",
    "4 Unattended-Upgrade::Automatic-Reboot",
    "5 unattended-upgrade::Allowed-Origins",
    "7 APT::Periodic::Unattended-Upgrade",
  ]);
  expect(JSON.stringify(lines)).not.toContain("secret");
  expect(laterAptLines(wish, aptLines("/etc/apt/apt.conf.d/50unattended-upgrades", text))).toEqual([]);
  expect(laterAptLines(wish, aptLines("/etc/apt/apt.conf", text))).toHaveLength(4);
});

test("apt's files of other spelling count, and those that apt passes over do not", () => {
  const dump = 'apt::periodic::unattended-upgrade "1";\nUNATTENDED-UPGRADE::Origins-Pattern:: "origin=*";\n';
  expect(parseAptDump(dump)).toEqual({
    "APT::Periodic::Unattended-Upgrade": ["1"],
    "Unattended-Upgrade::Origins-Pattern": ["origin=*"],
  });
  const server = new SimulatedSystem();
  const text = 'APT::Periodic::Unattended-Upgrade "0";\n';
  server.folders.set("/etc/apt/apt.conf.d", { "99a.dpkg-old": text, "99b.bak": text, ".99c.conf": text, "99d~": text });
  expect(codes(server, { updates: UPDATES })).toEqual(["system.updates_restart"]);
  server.folders.set("/etc/apt/apt.conf.d", { "99a.conf": text, "99b": text, "99.c.conf": text });
  expect(codes(server, { updates: UPDATES }).filter((code) => code === "system.updates_overridden")).toHaveLength(3);
});

test("a file that systemd reads after ours and that says when is named", () => {
  const server = new SimulatedSystem();
  const folder = "/etc/systemd/system/apt-daily-upgrade.timer.d";
  const updates = { window: { from: "03:00", within: 3600 } };
  server.folders.set(folder, {
    "override.conf": "[Timer]\nOnCalendar=\nOnCalendar=12:00\n",
    "10-a.conf": "Persistent=no\n",
  });
  const plan = system.plan({
    desired: { updates },
    confirmed: null,
    observed: server.observe(),
    managementPath: MANAGEMENT,
  });
  expect(plan.findings.map(({ message }) => message)).toEqual([
    `${folder}/override.conf line 2 says OnCalendar too, and systemd reads it after our file.`,
    `${folder}/override.conf line 3 says OnCalendar too, and systemd reads it after our file.`,
  ]);
});

test("a secret in a file of apt's does not leave the reader", () => {
  const server = new SimulatedSystem();
  const proxy = 'Acquire::http::Proxy "http://user:hunter2@proxy";\nAPT::Periodic::Enable "0";\n';
  server.folders.set("/etc/apt/apt.conf.d", { "99proxy": proxy });
  expect(JSON.stringify(server.observe())).not.toContain("hunter2");
  expect(server.observe().aptLines).toEqual([
    { path: "/etc/apt/apt.conf.d/99proxy", line: 1, key: "Acquire::http::Proxy" },
    { path: "/etc/apt/apt.conf.d/99proxy", line: 2, key: "APT::Periodic::Enable" },
  ]);
});

test("only lines of ours pass for a file of apt's: none that names a program", () => {
  const text = updatesText(aptWish(UPDATES) ?? {});
  expect(parseUpdatesText(text)).toMatchObject({ ok: true });
  for (const line of [
    'DPkg::Pre-Invoke:: "reboot";',
    'APT::Periodic::Enable "0"; DPkg::Post-Invoke:: "reboot";',
    'Unattended-Upgrade::Automatic-Reboot-Time "now";',
    'Unattended-Upgrade::Origins-Pattern:: "site=evil.example";',
    "#include /etc/apt/other;",
    "#clear APT;",
    'toString "1";',
  ])
    expect(parseUpdatesText(`${text}${line}\n`), line).toMatchObject({ ok: false });
});

test("verify goes by apt's own word, and by systemd's", () => {
  const server = new SimulatedSystem();
  const desired: SystemConfig = { updates: { ...UPDATES, window: { from: "03:00", within: 5400 } } };
  const plan = system.plan({ desired, confirmed: null, observed: server.observe(), managementPath: MANAGEMENT });
  server.performAll(plan.steps);
  const observed = server.observe();
  expect(system.verify(desired, observed)).toEqual([]);
  const overruled = { ...observed, apt: parseAptDump('APT::Periodic::Unattended-Upgrade "0";\n') };
  expect(system.verify(desired, overruled)).toMatchObject([{ path: "updates:apt" }]);
  expect(system.verify(desired, { ...observed, apt: null })).toMatchObject([{ path: "updates:apt", found: "no apt" }]);
  expect(system.verify(desired, { ...observed, timers: {} })).toMatchObject([{ path: "updates:timer" }]);
  expect(server.entries.has(UPDATES_FILE)).toBe(true);
});

test("a time and a window that are none are refused at their field", () => {
  const issuesOf = (updates: unknown) =>
    systemSectionSchema
      .safeParse({ updates })
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  expect(issuesOf({ restart: "4:30" })?.[0]).toMatch(/updates\.restart: .*04?|03:30.*or write never/);
  expect(issuesOf({ window: { from: "24:00", within: "1h" } })?.[0]).toMatch(
    /updates\.window\.from: "24:00" is no time/,
  );
  expect(issuesOf({ window: { from: "03:00", within: "10s" } })?.[0]).toContain("between 1m and 12h");
  expect(issuesOf({ window: { from: "03:00" } })).toHaveLength(1);
  expect(issuesOf({ window: { from: "03:00", within: "1h" }, restart: "never", install: "all" })).toBeUndefined();
});

test("systemd's own words of a timer are read", () => {
  const shown = `Id=a.timer\nUnit=a.service\nTimersCalendar={ OnCalendar=*-*-* 02:15:00 ; next_elapse=Fri 2026-11-27 02:15:00 UTC }\nRandomizedDelayUSec=1h 30min\nNextElapseUSecRealtime=Fri 2026-11-27 03:01:00 UTC\nPersistent=yes\nDropInPaths=/etc/a.conf /run/b.conf\n`;
  expect(parseTimers(shown)).toEqual({
    "a.timer": {
      times: ["*-*-* 02:15:00"],
      spread: 5400,
      unit: "a.service",
      next: "Fri 2026-11-27 03:01:00 UTC",
      last: "",
      persistent: true,
      dropIns: ["/etc/a.conf", "/run/b.conf"],
    },
  });
});
