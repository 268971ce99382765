import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { system } from "./domain.ts";
import { LIMITS_FILE, limitsText, parseLimitsText } from "./limits-text.ts";
import type { SystemConfig } from "./model.ts";
import { systemSectionSchema } from "./section.ts";

const LIMITS: SystemConfig = {
  limits: {
    everyone: { nofile: { soft: 1024, hard: 65_536 } },
    "group ops": { core: { soft: 0, hard: "unlimited" } },
  },
};

function findingsOf(server: SimulatedSystem, desired: SystemConfig) {
  const observed = server.observe();
  return system.plan({ desired, confirmed: null, observed, managementPath: { controlPlane: [], inbound: [] } })
    .findings;
}
const codes = (server: SimulatedSystem, desired: SystemConfig) => findingsOf(server, desired).map(({ code }) => code);

test("whom it limits and by how much is one line for each side", () => {
  expect(
    limitsText(LIMITS.limits ?? {})
      ?.split("\n")
      .slice(1),
  ).toEqual(["* soft nofile 1024", "* hard nofile 65536", "@ops soft core 0", "@ops hard core unlimited", ""]);
});

test("more open files than the kernel gives is an error with both numbers, also where the same policy lowers them", () => {
  const server = new SimulatedSystem();
  expect(codes(server, LIMITS)).toEqual(["system.limits_next_login"]);
  const [above] = findingsOf(server, { limits: { everyone: { nofile: { soft: 1024, hard: 2_000_000 } } } });
  expect(above).toMatchObject({
    severity: "error",
    code: "system.limits_above_kernel",
    path: "system.limits.everyone.nofile",
  });
  expect(above?.message).toMatch(/1048576 .*2000000/);
  expect(codes(server, { ...LIMITS, sysctl: { "fs.nr_open": "32768" } })).toContain("system.limits_above_kernel");
  const raised = {
    sysctl: { "fs.nr_open": "4000000" },
    limits: { everyone: { nofile: { soft: 1024, hard: 2_000_000 } } },
  };
  expect(codes(server, raised)).not.toContain("system.limits_above_kernel");
});

test("a line that is read after ours and says the same of the same people is named; others are no matter", () => {
  const server = new SimulatedSystem();
  const folder = "/etc/security/limits.d";
  server.folders.set(folder, {
    "99-site.conf": "# house\nops - nofile 10\n@ops hard core 5\n*\tsoft\tnofile\t10 # all\n",
    "20-site.conf": "* - nofile 10\n",
  });
  expect(findingsOf(server, LIMITS).map(({ message }) => message)).toEqual([
    `${folder}/99-site.conf line 4 limits nofile of * to 10, and is read after our file.`,
    `${folder}/99-site.conf line 3 limits core of @ops to 5, and is read after our file.`,
    expect.stringContaining("next login"),
  ]);
});

test("a file of ours that was changed by hand into no text of ours is written anew", () => {
  const server = new SimulatedSystem();
  server.entries.set(LIMITS_FILE, { type: "file", mode: 0o644, text: "* hard maxlogins 0\n" });
  expect(codes(server, LIMITS)).toEqual(["system.limits_next_login"]);
});

test("that nobody reads them, and that nobody is of that name, is said", () => {
  const server = new SimulatedSystem();
  expect(codes(server, { limits: { "user nina": { core: { soft: 0, hard: 0 } } } })).toContain("system.limits_nobody");
  const made = {
    users: { nina: { state: "present" as const } },
    limits: { "user nina": { core: { soft: 0, hard: 0 } } },
  };
  expect(codes(server, made)).not.toContain("system.limits_nobody");
  server.texts = { "pam sshd": "# session required pam_limits.so\n" };
  expect(codes(server, LIMITS)).toContain("system.limits_not_read");
});

test("only lines of ours pass, and none by which nobody could log in", () => {
  const text = limitsText(LIMITS.limits ?? {}) ?? "";
  expect(parseLimitsText(text)).toMatchObject({ ok: true });
  for (const line of [
    "* hard nofile 3",
    "* hard nproc 0",
    "* hard as 1",
    "* - maxlogins 0",
    "root hard nofile unlimited",
  ])
    expect(parseLimitsText(`${text}${line}\n`), line).toMatchObject({ ok: false });
});

test("what keeps people out, or is none, is refused where it stands", () => {
  const issuesOf = (limits: unknown) =>
    systemSectionSchema
      .safeParse({ limits })
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)[0];
  expect(issuesOf({ everyone: { nproc: 0 } })).toMatch(/limits\.everyone\.nproc: 0 is too small.*256/);
  expect(issuesOf({ everyone: { nofile: 64 } })).toContain("too small");
  expect(issuesOf({ everyone: { nofile: "unlimited" } })).toContain("fs.nr_open");
  expect(issuesOf({ "user kim": { nofile: { soft: 4096, hard: 1024 } } })).toContain(
    "nofile.soft: 4096 is more than hard",
  );
  expect(issuesOf({ kim: { core: 0 } })).toContain("limits.kim");
  expect(issuesOf({ everyone: {} })).toContain("Say what is limited");
  expect(issuesOf({ "group ops": { nofile: 4096, nproc: "unlimited", core: 0 } })).toBeUndefined();
});
