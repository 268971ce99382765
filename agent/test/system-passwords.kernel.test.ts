import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { abort, apply, onTrial, refused, TRIAL } from "./change-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

/** What passwords must be: people set them through the server's own PAM, and type wrong ones at its own sshd. */
let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

const QUALITY_FILE = "/etc/security/pwquality.conf.d/95-holdfast.conf";
const FAILLOCK_FILE = "/etc/security/faillock.conf";
const FAIR = "Kiesel-7-Wolke";
const policy = (passwords: Json): Json => ({ passwords });
/** No test server has a dictionary; that one is needed is a test of its own. */
const QUALITY: Json = { length: 12, dictionary: false, root: true };

/** As the guide has them. */
const PROFILES = {
  "faillock-ask":
    "Name: Keep out after failures\nDefault: no\nPriority: 1024\nAuth-Type: Primary\nAuth:\n\trequisite pam_faillock.so preauth\n",
  "faillock-count":
    "Name: Count failures\nDefault: no\nPriority: 0\nAuth-Type: Primary\nAuth:\n\t[default=die] pam_faillock.so authfail\nAccount-Type: Additional\nAccount:\n\trequired pam_faillock.so\n",
} as const;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfp-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: ["ssh"], attachments: [] });
  await server.start();
  await server.must([
    "sh",
    "-c",
    [
      "useradd --create-home --shell /bin/bash kim",
      `echo 'kim:${FAIR}' | chpasswd`,
      "ssh-keygen -q -t ed25519 -N '' -f /root/kim",
      "mkdir -p /home/kim/.ssh",
      "cp /root/kim.pub /home/kim/.ssh/authorized_keys",
      "chown -R kim: /home/kim/.ssh",
      "chmod -R go= /home/kim/.ssh",
      "printf '#!/bin/sh\\necho \"$TYPED\"\\n' >/root/type && chmod 700 /root/type",
    ].join(" && "),
  ]);
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

async function comesIn(how: "key" | { readonly password: string }): Promise<boolean> {
  const by =
    how === "key"
      ? ["-i", "/root/kim", "-o", "BatchMode=yes"]
      : ["-o", "PreferredAuthentications=password", "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"];
  const typed = how === "key" ? "" : how.password;
  const { code } = await server.exec([
    "env",
    "SSH_ASKPASS=/root/type",
    "SSH_ASKPASS_REQUIRE=force",
    `TYPED=${typed}`,
    "ssh",
    ...by,
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "ConnectTimeout=20",
    "kim@127.0.0.1",
    "true",
  ]);
  return code === 0;
}

async function sets(password: string): Promise<string> {
  const { code, stdout, stderr } = await server.exec(["sh", "-c", `echo 'kim:${password}' | chpasswd`]);
  return code === 0 ? "set" : stdout + stderr;
}

/** How long a new account's password lives at most, by /etc/shadow. */
async function livesOf(name: string): Promise<string> {
  return (await server.must(["getent", "shadow", name])).split(":")[4] ?? "";
}

async function drifted(): Promise<boolean> {
  const { domains } = await (await agent.guard()).getState({});
  return domains.find(({ domain }) => domain === "system")?.drift === true;
}

test("what a new password must be holds on trial and not after it; without a dictionary nobody is made to need one", async () => {
  expect(await refused(agent, { system: policy({ quality: { length: 12, dictionary: true } }) })).toContain(
    "system.passwords_no_dictionary",
  );
  const first = await onTrial(agent, { system: policy({ quality: QUALITY }) });
  expect(await sets("short-1")).toContain("BAD PASSWORD: The password is shorter than 12 characters");
  expect(await sets(FAIR)).toBe("set");
  await abort(agent, first.id);
  expect((await server.exec(["ls", "-A", "/etc/security/pwquality.conf.d"])).stdout).toBe("");
  expect(await sets("short-1")).toBe("set");
  expect(await sets(FAIR)).toBe("set");
  // Whoever comes last wins, and that is not ours: the very file of the package.
  await server.must([
    "sh",
    "-c",
    "cp -p /etc/security/pwquality.conf /run/main; echo minlen=8 >>/etc/security/pwquality.conf",
  ]);
  expect(await refused(agent, { system: policy({ quality: QUALITY }) })).toMatch(
    /system\.passwords_overridden.*pwquality\.conf line \d+ says minlen = 8/,
  );
  await server.must(["cp", "-p", "/run/main", "/etc/security/pwquality.conf"]);
}, 300_000);

test("failures lock the password and not the key, as often and as long as the policy says; nobody is locked where PAM does not count", async () => {
  const lockout = policy({ lockout: { after: 3, within: 900, for: 600, root: false } });
  expect(await refused(agent, { system: lockout })).toContain("system.lockout_not_counted");
  for (const [name, text] of Object.entries(PROFILES)) await server.writeFile(`/usr/share/pam-configs/${name}`, text);
  await server.must(["pam-auth-update", "--package", "--enable", ...Object.keys(PROFILES)]);
  await server.must([
    "sh",
    "-c",
    `echo 'even_deny_root # of the house' >>${FAILLOCK_FILE} && cp -p ${FAILLOCK_FILE} /root/lock.conf`,
  ]);
  const codes = (await agent.findings({ system: lockout }, TRIAL)).map(({ code }) => code);
  expect(codes).not.toContain("system.lockout_root");
  const trial = await onTrial(agent, { system: lockout });
  expect(await comesIn({ password: FAIR })).toBe(true);
  for (const wrong of ["a", "b", "c"]) expect(await comesIn({ password: wrong })).toBe(false);
  expect(await comesIn({ password: FAIR })).toBe(false);
  expect(await comesIn("key")).toBe(true);
  await abort(agent, trial.id);
  // Byte for byte, with the line of the house that the policy took out.
  await server.must(["cmp", FAILLOCK_FILE, "/root/lock.conf"]);
  await server.must(["faillock", "--user", "kim", "--reset"]);
  expect(await comesIn({ password: FAIR })).toBe(true);
}, 300_000);

test("the age is of new accounts alone, and never of one without a password; confirmed it is there after a power cut, drift is seen, and released all is as found", async () => {
  await server.must([
    "sh",
    "-c",
    "sed -i 's/^PASS_MAX_DAYS.*/  PASS_MAX_DAYS    99999/' /etc/login.defs && cp -p /etc/login.defs /root/login.defs",
  ]);
  const system: Json = {
    passwords: { quality: QUALITY, age: { most: 365, warn: 14 }, lockout: { after: 5, root: false } },
    users: { nina: { state: "present" } },
  };
  await apply(agent, { system });
  await server.must(["useradd", "--no-create-home", "lee"]);
  expect([await livesOf("lee"), await livesOf("kim"), await livesOf("nina")]).toEqual(["365", "99999", "99999"]);
  expect(await drifted()).toBe(false);
  await server.must([
    "sh",
    "-c",
    "cp -p /etc/login.defs /run/ours && sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 30/' /etc/login.defs",
  ]);
  expect(await drifted()).toBe(true);
  await server.must(["cp", "-p", "/run/ours", "/etc/login.defs"]);
  // On the next trial the power goes: what was confirmed is there again.
  await onTrial(agent, { system: policy({ quality: { length: 20, dictionary: false }, age: { most: 30 } }) });
  agent.letGo();
  await server.cut();
  await server.startAgain();
  expect(await agent.story()).toContain("server.rebooted");
  expect(await server.must(["grep", "minlen", QUALITY_FILE])).toBe("minlen = 12\n");
  expect(await server.must(["grep", "^PASS_MAX_DAYS", "/etc/login.defs"])).toBe("PASS_MAX_DAYS\t365\n");
  expect(await server.must(["grep", "^deny", FAILLOCK_FILE])).toBe("deny = 5\n");
  await apply(agent, { system: { users: { nina: { state: "present" } } } });
  await server.must(["cmp", FAILLOCK_FILE, "/root/lock.conf"]);
  await server.must(["cmp", "/etc/login.defs", "/root/login.defs"]);
  expect(await server.must(["ls", "-A", "/etc/security/pwquality.conf.d"])).toBe("");
}, 300_000);
