import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { system } from "./domain.ts";
import type { SystemConfig } from "./model.ts";

const OPS: ManagementPath = {
  controlPlane: [{ address: "192.0.2.200", port: 7081 }],
  inbound: [{ networks: ["192.0.2.0/24"], tcpPorts: [22] }],
};

function planned(server: SimulatedSystem, desired: SystemConfig, path: ManagementPath = OPS) {
  const plan = system.plan({ desired, confirmed: null, observed: server.observe(), managementPath: path });
  return { ...plan, codes: plan.findings.filter(({ severity }) => severity !== "note").map(({ code }) => code) };
}

test.each<[string, SystemConfig["ssh"], readonly string[]]>([
  ["the port of the management path stays", { port: [22, 2222] }, []],
  ["it goes", { port: [2222] }, ["system.management_path_cut"]],
  ["a key that nobody of the group has", { passwords: false, allowGroups: ["lee"] }, ["system.ssh_nobody_enters"]],
  ["the one with a password is shut out", { passwords: false }, ["system.management_ssh_changed"]],
  ["the one with a key is shut out", { denyGroups: ["ops"] }, ["system.management_ssh_changed"]],
  ["a group that nobody is in", { allowGroups: ["nobody-here"] }, ["system.ssh_nobody_enters"]],
])("who can still come in: %s", (_what, ssh, codes) => {
  expect(planned(new SimulatedSystem(), ssh === undefined ? {} : { ssh }).codes).toEqual(codes);
});

test("people of a directory, and keys from elsewhere, are said to be unseen and never taken for absent", () => {
  const directory = new SimulatedSystem();
  directory.accounts = directory.accounts.filter(({ name }) => name === "root");
  directory.nsswitch = "passwd: files sss\n";
  expect(planned(directory, { ssh: { rootLogin: "never" } }).codes).toEqual(["system.ssh_nobody_seen"]);
  const elsewhere = new SimulatedSystem();
  elsewhere.sshd = { ...elsewhere.sshd, authorizedkeyscommand: "/usr/bin/sss_ssh_authorizedkeys" };
  expect(planned(elsewhere, { ssh: { maxTries: 3 } }).codes).toEqual(["system.ssh_nobody_seen"]);
});

test("a server on which nobody can log in already is not made worse, and says so", () => {
  const server = new SimulatedSystem();
  server.accounts = server.accounts.filter(({ name }) => name === "root");
  expect(planned(server, { ssh: { maxTries: 3 } }).codes).toEqual(["system.ssh_nobody_now"]);
});

test("sshd under a socket does nothing with a port of its own", () => {
  const server = new SimulatedSystem();
  server.units.set("ssh.service", { active: false, enabled: false });
  server.units.set("ssh.socket", { active: true, enabled: true });
  expect(planned(server, { ssh: { port: [2222] } }).codes).toEqual(["system.ssh_socket_ignores_port"]);
  expect(planned(server, { ssh: { maxTries: 3 } }).codes).toEqual([]);
});

test("no sshd, or one that does not take its own files, takes no settings either", () => {
  const server = new SimulatedSystem();
  server.sshd = null;
  expect(planned(server, { ssh: { maxTries: 3 } }).codes).toEqual(["system.ssh_missing"]);
});

test("IPv6 goes off only where the server is not managed over it", () => {
  const off: SystemConfig = { sysctl: { "net.ipv6.conf.all.disable_ipv6": "1" } };
  expect(planned(new SimulatedSystem(), off).codes).toEqual([]);
  const six: ManagementPath = { ...OPS, inbound: [{ networks: ["2001:db8::/32"], tcpPorts: [22] }] };
  expect(planned(new SimulatedSystem(), off, six).codes).toEqual(["system.management_ipv6_off"]);
});

test("what carries management traffic is told, and a banner does not carry any", () => {
  const touches = (config: SystemConfig): boolean => planned(new SimulatedSystem(), config).touchesManagementPath;
  expect(touches({ ssh: { maxTries: 3 } })).toBe(true);
  expect(touches({ sysctl: { "net.ipv4.conf.all.rp_filter": "1" } })).toBe(true);
  expect(touches({ sysctl: { "net.core.somaxconn": "8192" } })).toBe(false);
  expect(touches({ banners: { motd: "hello" }, timezone: "UTC" })).toBe(false);
});

test("another program that sets the same at boot is named", () => {
  const server = new SimulatedSystem();
  server.units.set("cloud-init.service", { active: true, enabled: true });
  expect(planned(server, { hostname: "web-7", hosts: { "web-7": ["127.0.1.1"] } }).codes).toEqual([
    "system.other_manager",
  ]);
  expect(planned(server, { timezone: "Asia/Seoul" }).codes).toEqual([]);
});

test("a small edit that takes much back says so, and one that takes little does not", () => {
  const server = new SimulatedSystem();
  const keys = ["net.core.somaxconn", "vm.swappiness", "kernel.dmesg_restrict", "net.ipv4.conf.eth0.rp_filter"];
  const confirmed: SystemConfig = {
    timezone: "Asia/Seoul",
    banners: { motd: "Ours" },
    sysctl: Object.fromEntries(keys.map((key) => [key, "1"])),
  };
  server.performAll(planned(server, confirmed).steps);
  expect(planned(server, {}).codes).toEqual(["system.many_restored"]);
  const { timezone: _, ...rest } = confirmed;
  expect(planned(server, rest).codes).toEqual([]);
});

test("while the server boots, what is not there yet is neither missing nor wrong", () => {
  const server = new SimulatedSystem();
  server.booted = "starting";
  const config: SystemConfig = {
    sysctl: { "net.netfilter.nf_conntrack_max": "65536", "net.core.somaxconn": "1024" },
    units: { "fail2ban.service": { running: true } },
  };
  const plan = planned(server, config);
  expect(plan.codes).toEqual([]);
  server.performAll(plan.steps);
  expect(system.verify(config, server.observe())).toEqual([]);
});
