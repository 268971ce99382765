import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { abort, apply, onTrial, refused } from "./change-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

/** Services that start at their times, as the server's own systemd says it, through the real units of the agent. */
let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

const TIMER = "holdfast-task-backup.timer";
const TASKS: Json = { tasks: { backup: { unit: "backup.service", at: "weekly on mon, thu at 04:00", jitter: 900 } } };
const task = (unit: string, at = "daily at 04:00", persistent = false): Json => ({
  tasks: { backup: { unit, at, persistent } },
});

beforeAll(async () => {
  lab = Lab.open({ prefix: `hft-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: [], attachments: [] });
  await server.start();
  await unit("backup.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo once >>/run/backups'\n");
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

async function unit(name: string, text: string): Promise<void> {
  await server.writeFile(`/etc/systemd/system/${name}`, text);
  await server.must(["systemctl", "daemon-reload"]);
}

/** Every file of systemd's that is there, the marks of the last starts, and what systemd makes of our timer. */
const LOOK = [
  "find /etc/systemd/system | sort",
  "ls -A /var/lib/systemd/timers 2>/dev/null | grep holdfast",
  `systemctl show ${TIMER} --property=LoadState,Unit,TimersCalendar,RandomizedDelayUSec,Persistent,ActiveState,UnitFileState,NeedDaemonReload`,
].join("; ");
const look = async (): Promise<string> =>
  // When it is due next is by chance within the spread.
  (await server.exec(["sh", "-c", LOOK])).stdout.replaceAll(/next_elapse=[^}]*/g, "");

async function drifted(): Promise<boolean> {
  const { domains } = await (await agent.guard()).getState({});
  return domains.find(({ domain }) => domain === "system")?.drift === true;
}

const backups = async (): Promise<number> => (await server.exec(["cat", "/run/backups"])).stdout.split("\n").length - 1;

test("what would stop the server, is not there or is masked, is refused before anything changes", async () => {
  const before = await look();
  await unit("ends.service", "[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl --no-block reboot\n");
  await unit("after.service", "[Unit]\nSuccessAction=reboot\n[Service]\nType=oneshot\nExecStart=/bin/true\n");
  await unit("pulls.service", "[Unit]\nWants=poweroff.target\n[Service]\nType=oneshot\nExecStart=/bin/true\n");
  await unit("stops.service", "[Unit]\nConflicts=ssh.service\n[Service]\nType=oneshot\nExecStart=/bin/true\n");
  await server.must(["systemctl", "mask", "hidden.service"]);
  await server.must([
    "ln",
    "-s",
    "/lib/systemd/system/systemd-poweroff.service",
    "/etc/systemd/system/nightly.service",
  ]);
  await server.must(["systemctl", "daemon-reload"]);
  expect(await refused(agent, { system: task("ends.service") })).toContain(
    "ends.service stops this server: ExecStart= runs /usr/bin/systemctl",
  );
  expect(await refused(agent, { system: task("after.service") })).toContain(
    "after.service stops this server by SuccessAction=reboot",
  );
  expect(await refused(agent, { system: task("pulls.service") })).toContain(
    "pulls.service starts poweroff.target by Wants=",
  );
  expect(await refused(agent, { system: task("stops.service") })).toContain(
    "stops.service stops ssh.service when it starts",
  );
  expect(await refused(agent, { system: task("nightly.service") })).toContain("nightly.service");
  expect(await refused(agent, { system: task("hidden.service") })).toContain("system.task_unit_masked");
  expect(await refused(agent, { system: task("nobody.service") })).toMatch(/system\.task_no_unit.*nobody\.service/);
  const names = ["ends", "after", "pulls", "stops", "hidden", "nightly"].map(
    (name) => `/etc/systemd/system/${name}.service`,
  );
  await server.must(["rm", ...names]);
  await server.must(["systemctl", "daemon-reload"]);
  expect(await look()).toBe(before);
});

test("systemd says what the policy says; the undo leaves the server as it was; drift is seen and put right; released, all is as it was found", async () => {
  const found = await look();
  const first = await onTrial(agent, { system: TASKS });
  const during = await look();
  for (const text of [
    "Unit=backup.service",
    "TimersCalendar={ OnCalendar=Mon,Thu *-*-* 04:00:00 ;",
    "RandomizedDelayUSec=15min",
    "ActiveState=active",
    "UnitFileState=enabled",
    "NeedDaemonReload=no",
  ])
    expect(during).toContain(text);
  await abort(agent, first.id);
  expect(await look()).toBe(found);

  await apply(agent, { system: TASKS });
  expect(await drifted()).toBe(false);
  await server.must(["systemctl", "stop", TIMER]);
  expect(await drifted()).toBe(true);
  await apply(agent, { system: TASKS }, true);
  expect(await drifted()).toBe(false);
  await server.must(["mkdir", "-p", `/etc/systemd/system/${TIMER}.d`]);
  await server.writeFile(`/etc/systemd/system/${TIMER}.d/noon.conf`, "[Timer]\nOnCalendar=12:00\n");
  await server.must(["systemctl", "daemon-reload"]);
  expect(await drifted()).toBe(true);
  expect(await refused(agent, { system: TASKS })).toContain(`${TIMER}.d/noon.conf changes the timer of this task`);
  await server.must(["rm", "-r", `/etc/systemd/system/${TIMER}.d`]);
  await server.must(["systemctl", "daemon-reload"]);

  await apply(agent, { system: {} });
  expect(await look()).toBe(found);
  expect(await backups()).toBe(0);
});

test("a new time, also of a task that makes up for what was missed, starts nothing at once; what is due is started, and seen", async () => {
  const found = await look();
  const hour = new Date((await server.must(["date", "-u", "+%s"])).trim() === "" ? 0 : Date.now());
  const at = (minutes: number): string => {
    const moment = new Date(hour.getTime() + minutes * 60_000);
    return `daily at ${moment.toISOString().slice(11, 16)}`;
  };
  await server.must(["ln", "-sf", "/usr/share/zoneinfo/UTC", "/etc/localtime"]);
  await apply(agent, { system: task("backup.service", at(-180), true) });
  // As if it had been started by its time three hours ago, and then its time is moved to an hour ago.
  await server.must(["touch", "-d", "3 hours ago", `/var/lib/systemd/timers/stamp-${TIMER}`]);
  await apply(agent, { system: task("backup.service", at(-60), true) });
  expect(await backups()).toBe(0);
  await apply(agent, { system: task("backup.service", "every 1m") });
  await expect.poll(backups, { timeout: 150_000, interval: 2_000 }).toBeGreaterThan(0);
  const seen = await server.must(["systemctl", "show", "backup.service", "--property=Result,ExecMainStatus"]);
  expect(seen).toContain("Result=success");
  await apply(agent, { system: {} });
  expect(await look()).toBe(found);
}, 300_000);

test("a power cut on trial: the server comes back without the task, and with the confirmed one where it was taken out", async () => {
  const found = await look();
  await onTrial(agent, { system: TASKS });
  expect(await look()).not.toBe(found);
  agent.letGo();
  await server.cut();
  await server.startAgain();
  expect(await agent.story()).toContain("server.rebooted");
  expect(await look()).toBe(found);

  await apply(agent, { system: TASKS });
  const kept = await look();
  await onTrial(agent, { system: {} });
  expect(await look()).toBe(found);
  agent.letGo();
  await server.cut();
  await server.startAgain();
  await expect.poll(look, { timeout: 30_000 }).toBe(kept);
}, 300_000);
