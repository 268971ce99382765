import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { KEY } from "../../test/system-sample.ts";
import { parseDay } from "./day.ts";
import { system } from "./domain.ts";
import type { SystemConfig } from "./model.ts";
import { keysText, parseKeysText, parsePublicKey } from "./ssh-key.ts";
import { parseSudoText } from "./sudo-text.ts";

const OPS = { controlPlane: [], inbound: [{ networks: ["192.0.2.0/24"], tcpPorts: [22] }] };

function plan(server: SimulatedSystem, desired: SystemConfig | null) {
  const planned = system.plan({ desired, confirmed: null, observed: server.observe(), managementPath: OPS });
  return { ...planned, codes: planned.findings.filter(({ severity }) => severity !== "note").map(({ code }) => code) };
}

function confirm(server: SimulatedSystem, desired: SystemConfig | null): void {
  server.performAll(plan(server, desired).steps);
  expect(system.verify(desired, server.observe())).toEqual([]);
  server.performAll(system.persist(desired, server.observe()));
}

const ana = (server: SimulatedSystem) => server.accounts.find(({ name }) => name === "ana");
const ANA: SystemConfig = { users: { ana: { state: "present", groups: ["sudo", "new"], keys: [KEY], sudo: "free" } } };

test("a new account has its groups, keys outside of its home and rights by sudo; its home is made at the confirmation", () => {
  const server = new SimulatedSystem();
  const planned = plan(server, ANA);
  expect(planned.codes).toEqual([]);
  expect(planned.touchesManagementPath).toBe(true);
  const order = planned.steps.map(({ id }) => id);
  expect(order).toEqual([
    "system.note",
    "system.group:new",
    "system.user:ana",
    "system.members:ana",
    "system.keys:ana",
    "system.sudo",
    "system.ssh",
  ]);
  server.performAll(planned.steps);
  expect(ana(server)).toMatchObject({ groups: ["ana", "new", "sudo"], shell: "/bin/bash" });
  expect(server.observe().sshd?.["authorizedkeysfile"]).toEqual([
    ".ssh/authorized_keys .ssh/authorized_keys2 /etc/ssh/holdfast-keys/%u",
  ]);
  expect(server.homes.has("ana")).toBe(false);
  server.performAll(system.persist(ANA, server.observe()));
  expect(server.homes.has("ana")).toBe(true);
});

test("what a policy does not say of an account is not ours: it may change, and is not put back", () => {
  const server = new SimulatedSystem();
  const config: SystemConfig = { users: { kim: { state: "present", keys: [KEY] } } };
  confirm(server, config);
  const digest = JSON.stringify(system.ours(server.observe()));
  server.accounts = server.accounts.map((account) =>
    account.name === "kim" ? { ...account, shell: "/bin/zsh" } : account,
  );
  expect(JSON.stringify(system.ours(server.observe()))).toBe(digest);
  expect(system.verify(config, server.observe())).toEqual([]);
  confirm(server, {});
  expect(server.accounts.find(({ name }) => name === "kim")).toMatchObject({ shell: "/bin/zsh" });
});

test("an account ends on the day after its last one, and what was found of that comes back", () => {
  const server = new SimulatedSystem();
  server.accounts = server.accounts.map((one) => (one.name === "lee" ? { ...one, expires: "20000" } : one));
  const last = parseDay("2026-12-31");
  expect(last).toEqual({ ok: true, value: 20_818 });
  const config: SystemConfig = { users: { lee: { state: "present", until: 20_818 } } };
  expect(plan(server, config).steps.at(-1)?.title).toBe(
    "Set the account lee to open until 2026-12-31 (was open until 2024-10-03)",
  );
  confirm(server, config);
  expect(server.accounts.find(({ name }) => name === "lee")?.expires).toBe("20819");
  confirm(server, {});
  expect(server.accounts.find(({ name }) => name === "lee")?.expires).toBe("20000");
});

test("an account that has ended lets nobody in, by the server's own day", () => {
  const server = new SimulatedSystem();
  const only = (until: number): SystemConfig => ({
    ssh: { passwords: false },
    users: { kim: { state: "present", until } },
  });
  expect(plan(server, only(server.today)).codes).not.toContain("system.ssh_nobody_enters");
  expect(plan(server, only(server.today - 1)).codes).toContain("system.ssh_nobody_enters");
});

test.each(["2026-02-30", "2026-13-01", "1969-12-31", "31.12.2026", "2026-1-1", "0000-00-00", ""])(
  "%j is no day",
  (text) => {
    expect(parseDay(text).ok).toBe(false);
  },
);

test("places where a server looks for keys already stay, and ours is added to them", () => {
  const server = new SimulatedSystem();
  server.sshd = { ...server.sshd, authorizedkeysfile: "/etc/keys/%u" };
  const ssh = plan(server, ANA).steps.find(({ id }) => id === "system.ssh");
  expect(JSON.stringify(ssh)).toContain("AuthorizedKeysFile /etc/keys/%u /etc/ssh/holdfast-keys/%u");
});

test("nobody is removed by not being written any more, but what they were given is taken back", () => {
  const server = new SimulatedSystem();
  confirm(server, ANA);
  confirm(server, {});
  expect(ana(server)).toMatchObject({ name: "ana" });
  expect(server.groups).toContain("new");
  expect(server.observe().keyFiles).toEqual({});
  expect(server.entries.has("/etc/sudoers.d/95-holdfast")).toBe(false);
  expect(server.observe().found).toEqual({});
});

test("removed by word: closed on trial, the same account again after an undo, gone only when confirmed, its home never", () => {
  const server = new SimulatedSystem();
  const gone: SystemConfig = { users: { lee: { state: "absent" } } };
  const before = server.picture();
  const snapshot = server.observe();
  const planned = plan(server, gone);
  expect(planned.codes).toContain("system.user_removed");
  server.performAll(planned.steps);
  expect(server.accounts.find(({ name }) => name === "lee")).toMatchObject({ expires: "1", password: "set" });
  server.performAll(system.restore(snapshot, server.observe()));
  expect(server.picture()).toEqual(before);
  confirm(server, gone);
  expect(server.accounts.map(({ name }) => name)).not.toContain("lee");
  expect(server.homes.has("lee")).toBe(true);
  confirm(server, {});
  expect(server.accounts.map(({ name }) => name)).not.toContain("lee");
});

test("the last one who can log in is not closed, and a new one with a key opens the way", () => {
  const server = new SimulatedSystem();
  const onlyKim: SystemConfig = { ssh: { passwords: false }, users: { kim: { state: "absent" } } };
  expect(plan(server, onlyKim).codes).toContain("system.ssh_nobody_enters");
  const andAna: SystemConfig = { ...onlyKim, users: { ...onlyKim.users, ...ANA.users } };
  expect(plan(server, andAna).codes).not.toContain("system.ssh_nobody_enters");
  const notInGroup: SystemConfig = { ...andAna, ssh: { passwords: false, allowGroups: ["ops"] } };
  expect(plan(server, notInGroup).codes).toContain("system.ssh_nobody_enters");
});

test("keys that are taken away are seen by who counts who can log in", () => {
  const server = new SimulatedSystem();
  confirm(server, ANA);
  server.accounts = server.accounts.filter(({ name }) => name === "ana" || name === "root");
  expect(plan(server, { ssh: { maxTries: 3 } }).codes).toContain("system.ssh_nobody_enters");
});

test("the last one who can become root is not lost without a word", () => {
  const server = new SimulatedSystem();
  server.accounts = server.accounts.map((account) => ({
    ...account,
    keys: account.name === "kim" ? 1 : 0,
    password: "locked",
  }));
  const free: SystemConfig = { users: { kim: { state: "present", sudo: "free" } } };
  expect(plan(server, free).codes).toEqual([]);
  confirm(server, free);
  expect(plan(server, {}).codes).toEqual(["system.nobody_administers"]);
  expect(plan(server, { users: { kim: { state: "present", sudo: "password" } } }).codes).toContain(
    "system.nobody_administers",
  );
  expect(plan(server, { users: { ...free.users, ...ANA.users } }).codes).toEqual([]);
});

test("a release of sshd's settings is not refused for what only the trial can show", () => {
  const server = new SimulatedSystem();
  server.accounts = server.accounts.filter(({ name }) => name !== "kim");
  confirm(server, { ...ANA, ssh: { passwords: false } });
  expect(plan(server, {}).codes).toContain("system.ssh_nobody_seen");
  confirm(server, {});
  expect(server.observe().sshd?.["passwordauthentication"]).toEqual(["yes"]);
});

test("an account of the system itself is not for a policy", () => {
  const server = new SimulatedSystem();
  server.accounts = [...server.accounts, { ...(server.accounts[0] ?? expect.fail()), name: "postgres", uid: 110 }];
  expect(plan(server, { users: { postgres: { state: "absent" } } }).codes).toContain("system.not_ours_to_take");
});

test("sudo that asks for a password of somebody without one says so", () => {
  const config: SystemConfig = {
    users: { kim: { state: "present", sudo: "password" }, lee: { state: "present", sudo: "password" } },
  };
  const found = plan(new SimulatedSystem(), config).findings.filter(
    ({ code }) => code === "system.sudo_needs_password",
  );
  expect(found.map(({ path }) => path)).toEqual(["system.users.kim"]);
});

test.each([
  ["options before the key", `command="reboot" ${KEY}`],
  ["two keys", `${KEY}\n${KEY}`],
  ["a kind that is not the key's", KEY.replace("ssh-ed25519 ", "ssh-rsa ")],
  ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----"],
  ["an old kind", "ssh-dss AAAAB3NzaC1kc3MAAACBAP"],
])("%s: no public key", (_what, text) => {
  expect(parsePublicKey(text).ok).toBe(false);
  expect(parseKeysText(keysText([`${text}\nx`])).ok).toBe(false);
});

test.each([
  "kim ALL=(ALL:ALL) ALL\n#include /tmp/evil",
  "kim ALL=(ALL) /bin/sh",
  "%ops ALL=(ALL:ALL) ALL",
  "Defaults !authenticate",
])("sudo is given no line like %j", (line) => {
  const head = "# Made by Holdfast from a policy; changes here are overwritten.\n";
  expect(parseSudoText(`${head}kim ALL=(ALL:ALL) ALL\n`).ok).toBe(true);
  expect(parseSudoText(`${head}${line}\n`).ok).toBe(false);
});
