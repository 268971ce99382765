import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { abort, confirm, onTrial, refused } from "./change-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

/** What a server installs by itself, as its own apt and systemd say it, through the real units of the agent. */
let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

const PROGRAM = "/usr/bin/unattended-upgrade";
const UPDATES: Json = { updates: { install: "security", window: { from: "02:15", within: 5400 }, restart: "04:30" } };

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfu-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: [], attachments: [] });
  await server.start();
  await server.must(["systemctl", "enable", "--now", "apt-daily-upgrade.timer"]);
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

/** apt's settings, the files around ours, and what systemd makes of the timer. */
const LOOK = [
  "apt-config dump",
  "ls -lA --time-style=+ /etc/apt/apt.conf.d",
  "find /etc/systemd/system | sort",
  "systemctl show apt-daily-upgrade.timer --property=TimersCalendar,RandomizedDelayUSec,Persistent,ActiveState,NeedDaemonReload",
].join("; ");
const look = async (): Promise<string> =>
  // When it is due next is by chance within the spread.
  (await server.exec(["sh", "-c", LOOK])).stdout.replaceAll(/next_elapse=[^}]*/g, "");

async function drifted(): Promise<boolean> {
  const { domains } = await (await agent.guard()).getState({});
  return domains.find(({ domain }) => domain === "system")?.drift === true;
}

test("without the package it is refused by the package's name; that nothing is installed by itself needs nobody", async () => {
  const before = await look();
  expect(await refused(agent, { system: UPDATES })).toMatch(/system\.updates_no_package.*unattended-upgrades/);
  const { id } = await onTrial(agent, { system: { updates: { install: "none" } } });
  expect(await look()).toContain('APT::Periodic::Unattended-Upgrade "0";');
  await abort(agent, id);
  expect(await look()).toBe(before);
});

test("apt and systemd say what the policy says; the undo leaves the server as it was; drift is seen; released, all is as it was found", async () => {
  // That it is there is all that is asked of it: apt and systemd say what is set.
  await server.writeFile(PROGRAM, "#!/bin/sh\n", 0o755);
  const found = await look();
  const first = await onTrial(agent, { system: UPDATES });
  const during = await look();
  for (const text of [
    'APT::Periodic::Unattended-Upgrade "1";',
    'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";',
    'Unattended-Upgrade::Automatic-Reboot-Time "04:30";',
    "TimersCalendar={ OnCalendar=*-*-* 02:15:00 ;",
    "RandomizedDelayUSec=1h 30min",
    "Persistent=no",
    "NeedDaemonReload=no",
  ])
    expect(during).toContain(text);
  await abort(agent, first.id);
  expect(await look()).toBe(found);

  const { id, nonce } = await onTrial(agent, { system: UPDATES });
  await confirm(agent, { id, nonce });
  expect(await drifted()).toBe(false);
  const file = "/etc/apt/apt.conf.d/95-holdfast.conf";
  await server.must(["sh", "-c", `cp -p ${file} /run/ours && echo 'APT::Periodic::Unattended-Upgrade "0";' >>${file}`]);
  expect(await drifted()).toBe(true);
  await server.must(["cp", "-p", "/run/ours", file]);
  expect(await drifted()).toBe(false);

  const released = await onTrial(agent, { system: {} });
  await confirm(agent, released);
  expect(await look()).toBe(found);
});

test("a power cut on trial: the server comes back as it was found", async () => {
  const found = await look();
  await onTrial(agent, { system: UPDATES });
  expect(await look()).not.toBe(found);
  agent.letGo();
  await server.cut();
  await server.startAgain();
  expect(await agent.story()).toContain("server.rebooted");
  expect(await look()).toBe(found);
});

test("a file that apt reads after ours is named with its line, also where it says it in braces; one before ours is no matter", async () => {
  const folder = "/etc/apt/apt.conf.d";
  await server.writeFile(`${folder}/99zz-local`, '// "house"\nUnattended-Upgrade {\n  Automatic-Reboot "false";\n};\n');
  expect(await refused(agent, { system: UPDATES })).toContain(
    `${folder}/99zz-local line 3 says Unattended-Upgrade::Automatic-Reboot too`,
  );
  await server.must(["mv", `${folder}/99zz-local`, `${folder}/20local`]);
  const { id } = await onTrial(agent, { system: UPDATES });
  expect(await look()).toContain('Unattended-Upgrade::Automatic-Reboot "true";');
  await agent.abort(id);
  const override = "/etc/systemd/system/apt-daily-upgrade.timer.d/override.conf";
  await server.must(["mkdir", "-p", "/etc/systemd/system/apt-daily-upgrade.timer.d"]);
  await server.writeFile(override, "[Timer]\nOnCalendar=12:00\n");
  await server.must(["systemctl", "daemon-reload"]);
  expect(await refused(agent, { system: UPDATES })).toContain(`${override} line 2 says OnCalendar too`);
  await server.must(["rm", override]);
  await server.must(["systemctl", "daemon-reload"]);
  await server.must(["systemctl", "stop", "apt-daily-upgrade.timer"]);
  expect(await refused(agent, { system: UPDATES })).toContain("system.updates_no_timer");
});

test("apt goes by the proxy of the policy on trial and as before after it; a file that it goes by instead is named and not what it says", async () => {
  const system: Json = { proxy: { for: ["apt"], http: "http://192.0.2.9:3128", direct: ["mirror.internal"] } };
  const said = () => server.must(["sh", "-c", "apt-config dump | grep -i '^acquire::http' || true"]);
  const before = await said();
  const { id } = await onTrial(agent, { system });
  expect(await said()).toContain('Acquire::http::Proxy "http://192.0.2.9:3128";');
  expect(await said()).toContain('Acquire::http::Proxy::mirror.internal "DIRECT";');
  // apt itself asks there: nobody answers, and it says whom it asked.
  const asked = await server.exec([
    "/usr/lib/apt/apt-helper",
    "-o",
    "Acquire::Retries=0",
    "-o",
    "Acquire::http::Timeout=2",
    "download-file",
    "http://deb.invalid/x",
    "/tmp/x",
  ]);
  expect(asked.stdout + asked.stderr).toContain("192.0.2.9");
  await abort(agent, id);
  expect(await said()).toBe(before);
  await server.writeFile("/etc/apt/apt.conf.d/99-house", 'Acquire::http::Proxy "http://kim:secret@other:1";\n');
  const told = await refused(agent, { system });
  expect(told).toMatch(/system\.proxy_overridden.*99-house line 1 says Acquire::http::Proxy/);
  expect(told).not.toContain("secret");
});
