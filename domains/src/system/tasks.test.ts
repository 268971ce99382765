import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { system } from "./domain.ts";
import type { SystemConfig } from "./model.ts";
import { CALENDAR, parseSchedule } from "./schedule.ts";
import { systemSectionSchema } from "./section.ts";
import { parseTaskText, taskPath, taskText, taskTimer } from "./task-text.ts";
import { parseTaskUnit, taskUnitProblem } from "./task-unit.ts";

const MANAGEMENT = { controlPlane: [], inbound: [] };
const TASKS: SystemConfig = { tasks: { rotate: { unit: "logrotate.service", at: "daily at 03:30" } } };

function planOf(server: SimulatedSystem, desired: SystemConfig | null) {
  return system.plan({ desired, confirmed: null, observed: server.observe(), managementPath: MANAGEMENT });
}

test.each([
  ["daily at 03:30", "*-*-* 03:30:00"],
  ["weekly on sun at 04:00", "Sun *-*-* 04:00:00"],
  ["weekly on thu, mon at 04:00", "Mon,Thu *-*-* 04:00:00"],
  ["weekly on mon, tue, wed, fri at 04:00", "Mon..Wed,Fri *-*-* 04:00:00"],
  ["weekly on sat, sun at 04:00", "Sat,Sun *-*-* 04:00:00"],
  ["monthly on 1 at 05:00", "*-*-01 05:00:00"],
  ["monthly on last at 05:00", "*-*~01 05:00:00"],
  ["every 1m", "*-*-* *:*:00"],
  ["every 15m", "*-*-* *:00/15:00"],
  ["every 1h", "*-*-* *:00:00"],
  ["every 6h", "*-*-* 00/6:00:00"],
])("%s is %s to systemd", (text, calendar) => {
  expect(parseSchedule(text)).toEqual({ ok: true, value: calendar });
  expect(calendar).toMatch(CALENDAR);
});

test.each([
  ["daily", "no time that is known here"],
  ["daily at 3:30", "both digits"],
  ["daily at 24:00", "no time of the day"],
  ["every 7m", "does not come out even"],
  ["every 5h", "does not come out even"],
  ["every 90m", "does not come out even"],
  ["monthly on 31 at 04:00", "no day of every month"],
  ["weekly on sunday at 04:00", "no day; the days are"],
  ["weekly on mon, tue, wed, thu, fri, sat, sun at 04:00", "write daily"],
  ["*-*-* 04:00:00", "no time that is known here"],
  ["daily at 03:30\nOnBootSec=1", "no time that is known here"],
])("%s is refused", (text, why) => {
  expect(parseSchedule(text)).toMatchObject({ ok: false, error: expect.stringContaining(why) as string });
});

test.each([
  "reboot.service",
  "systemd-poweroff.service",
  "rescue.service",
  "holdfast-guard.service",
  "ssh.service",
  "networking.service",
])("no task starts %s", (unit) => expect(parseTaskUnit(unit)).toMatchObject({ ok: false }));

test("a task starts a service, and one of a template", () => {
  expect(parseTaskUnit("backup@daily.service")).toMatchObject({ ok: true });
  expect(parseTaskUnit("backup@.service")).toMatchObject({ error: expect.stringContaining("template") as string });
  expect(parseTaskUnit("backup.timer")).toMatchObject({ error: expect.stringContaining("no service") as string });
  expect(parseTaskUnit("/usr/bin/backup")).toMatchObject({ ok: false });
});

test("what would end the server is seen by what systemd says of the unit", () => {
  const shown = (line: string): string => `Id=a.service\nLoadState=loaded\nCanStart=yes\nSuccessAction=none\n${line}\n`;
  const run = (argv: string): string => shown(`ExecStart={ path=/x ; argv[]=${argv} ; ignore_errors=no ; pid=0 }`);
  const problem = (text: string): string | null => taskUnitProblem("a.service", text);
  expect(problem(run("/usr/bin/backup --reboot-after no"))).toBeNull();
  expect(problem(shown("Conflicts=shutdown.target\nRequires=sysinit.target system.slice"))).toBeNull();
  expect(problem(run("/sbin/shutdown -r now"))).toContain("runs /sbin/shutdown");
  expect(problem(run("/usr/bin/systemctl --no-block isolate rescue.target"))).toContain("stops this server");
  expect(problem(shown("FailureAction=reboot-force"))).toContain("FailureAction=reboot-force");
  expect(problem(shown("OnFailure=emergency.target"))).toContain("starts emergency.target by OnFailure=");
  expect(problem(shown("Conflicts=multi-user.target shutdown.target"))).toContain("stops multi-user.target");
  expect(problem(shown("").replace("Id=a.service", "Id=systemd-reboot.service"))).toContain("another name of");
  expect(problem(shown("").replace("loaded", "bad-setting"))).toContain("bad-setting");
  expect(problem("")).toContain("cannot load");
});

test("only a text of ours passes for a timer of a task: none that names a program, another name or another unit of the server", () => {
  const text = taskText("rotate", { unit: "logrotate.service", at: "every 15m", persistent: true, jitter: 60 });
  expect(parseTaskText("rotate", text)).toEqual({
    ok: true,
    value: { unit: "logrotate.service", calendar: "*-*-* *:00/15:00", jitter: 60, persistent: true },
  });
  for (const [from, to] of [
    ["logrotate.service", "reboot.service"],
    ["logrotate.service", "poweroff.target"],
    ["*-*-* *:00/15:00", "@0"],
    ["=60", "=99999"],
    ["[Install]", "OnBootSec=1\n[Install]"],
    ["WantedBy=timers.target\n", "WantedBy=timers.target\n[Service]\nExecStart=/bin/sh\n"],
    ["the task rotate", "the task other"],
  ] as const)
    expect(parseTaskText("rotate", text.replace(from, to)), to).toMatchObject({ ok: false });
});

test("the plan says who else starts it, that it runs now, and what is missing", () => {
  const server = new SimulatedSystem();
  expect(planOf(server, TASKS).findings.map(({ code }) => code)).toEqual(["system.task_not_taken_back"]);
  const findings = (unit: string): readonly string[] =>
    planOf(server, { tasks: { a: { unit, at: "every 1h" } } }).findings.map(({ code }) => code);
  expect(findings("gone.service")).toContain("system.task_no_unit");
  expect(findings("app.service")).toContain("system.task_unit_stays");
  server.performAll(planOf(server, TASKS).steps);
  expect(findings("logrotate.service")).toContain("system.task_also_timed");
});

test("a timer that somebody stopped, changed or overrides is a difference; one that was changed by hand is not taken over", () => {
  const server = new SimulatedSystem();
  server.performAll(planOf(server, TASKS).steps);
  const observed = server.observe();
  expect(system.verify(TASKS, observed)).toEqual([]);
  const timer = taskTimer("rotate");
  const units = { ...observed.units, [timer]: { load: "loaded", active: "inactive", file: "enabled", neededBy: [] } };
  expect(system.verify(TASKS, { ...observed, units })).toMatchObject([{ path: "task:rotate" }]);
  const { [timer]: real, ...others } = observed.timers;
  expect(system.verify(TASKS, { ...observed, timers: others })).toMatchObject([{ found: "no such timer" }]);
  if (real === undefined) throw new Error("the timer is not there");
  const noon = { ...real, times: [...real.times, "*-*-* 12:00:00"], dropIns: ["/etc/x.conf"] };
  expect(system.verify(TASKS, { ...observed, timers: { ...others, [timer]: noon } })).toMatchObject([
    { found: expect.stringContaining("(by /etc/x.conf)") as string },
  ]);
  const never = { ...real, next: "" };
  expect(system.verify(TASKS, { ...observed, timers: { ...others, [timer]: never } })).toMatchObject([
    { found: "it is never due" },
  ]);
  server.entries.set(taskPath("rotate"), { type: "file", mode: 0o644, text: "[Timer]\nOnBootSec=1\n" });
  expect(planOf(server, TASKS).findings.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(planOf(server, TASKS).steps.map(({ action }) => action)).toMatchObject([{ kind: "task", name: "rotate" }]);
});

test("a field that is none is refused where it stands", () => {
  const issuesOf = (task: unknown, name = "backup") =>
    systemSectionSchema
      .safeParse({ tasks: { [name]: task } })
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)[0];
  expect(issuesOf({ unit: "backup.service", at: "noon" })).toMatch(/^tasks\.backup\.at: .*daily at 03:30/);
  expect(issuesOf({ unit: "reboot.service", at: "every 1h" })).toMatch(/^tasks\.backup\.unit: .*stops this server/);
  expect(issuesOf({ unit: "backup.service", at: "every 1h", jitter: "13h" })).toMatch(/^tasks\.backup\.jitter: .*12h/);
  expect(issuesOf({ unit: "backup.service", at: "every 1h", command: "x" })).toContain("tasks.backup");
  expect(issuesOf({ unit: "backup.service", at: "every 1h" }, "Back up")).toContain("tasks.Back up");
});
