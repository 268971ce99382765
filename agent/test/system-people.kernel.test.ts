import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { abort, apply, onTrial, refused } from "./change-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

/** People, what they may do, whom programs trust, where logs go and names are asked: on a real server, with its own tools. */
let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;
let keys: string;
let publicKey: string;
let authority: string;

beforeAll(async () => {
  keys = mkdtempSync(join(tmpdir(), "holdfast-keys-"));
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ana@office", "-f", join(keys, "ana")]);
  publicKey = readFileSync(join(keys, "ana.pub"), "utf8").trim();
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=House of the test"];
  const files = ["-keyout", join(keys, "house.key"), "-out", join(keys, "house.pem")];
  execFileSync("openssl", [...request, "-addext", "basicConstraints=critical,CA:TRUE", ...files], { stdio: "ignore" });
  authority = readFileSync(join(keys, "house.pem"), "utf8");

  lab = Lab.open({ prefix: `hfp-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: ["ssh", "rsyslog"], attachments: [] });
  await server.start();
  for (const name of ["kim", "lee"])
    await server.must([
      "sh",
      "-c",
      `useradd --create-home --shell /bin/bash --comment ${name} ${name} && echo ${name}:secret | chpasswd`,
    ]);
  await server.writeFile("/etc/resolv.conf", "# by hand\nnameserver 192.0.2.1\noptions edns0\n");
  await server.writeFile("/root/ana", readFileSync(join(keys, "ana")), 0o600);
  await server.must(["mkdir", "-p", "/etc/modprobe.d"]);
  await server.must(["update-ca-certificates"]);
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
  rmSync(keys, { recursive: true });
});

/** Everything of the server that the configs below touch, in its own words. */
const LOOK = [
  "cat /etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/subuid /etc/subgid",
  "sha256sum /etc/ssl/certs/ca-certificates.crt; find /etc/ssl/certs -type l | sort | sha256sum",
  "ls -A /etc/sudoers.d /etc/rsyslog.d /etc/modules-load.d /etc/modprobe.d /home /usr/local/share/ca-certificates",
  "cat /etc/sudoers.d/*holdfast* /etc/rsyslog.d/*holdfast* /etc/ssh/holdfast-keys/* 2>/dev/null",
  "cat /etc/resolv.conf; stat -c '%n %a %U:%G' /etc/resolv.conf /etc/shadow /etc/gshadow /etc/passwd",
  "/usr/sbin/sshd -T | sort",
  "systemctl is-active rsyslog.service ssh.service",
].join("; ");

async function look(): Promise<string> {
  return (await server.exec(["sh", "-c", LOOK])).stdout;
}

/** Over a connection of its own, with the key that the policy gives, and what sudo makes of it. */
function logIn(command: string) {
  const options = ["StrictHostKeyChecking=no", "BatchMode=yes", "ConnectTimeout=10"].flatMap((one) => ["-o", one]);
  return server.exec(["ssh", "-q", "-i", "/root/ana", ...options, "ana@127.0.0.1", command]);
}

const everything = (): Json => ({
  users: {
    ana: { state: "present", comment: "Ana, operations", groups: ["adm", "on-call"], keys: [publicKey], sudo: "free" },
    kim: { state: "present", groups: ["on-call"], until: 21_914 },
  },
  resolver: { servers: ["192.0.2.53"], search: ["internal"] },
  logs: { to: [{ host: "127.0.0.1", port: 5514, by: "tcp" }] },
  authorities: { house: authority },
  modules: { block: ["usb_storage"] },
});

test("on trial people come in with their keys and rights, logs arrive, the authority is trusted; the undo leaves nothing of it", async () => {
  const before = await look();
  await server.must(["systemd-run", "--unit=log-server", "sh", "-c", "exec nc -l -k 127.0.0.1 5514 >/run/received"]);
  const { id } = await onTrial(agent, { system: everything() });
  expect(await logIn("id -un; sudo -n id -u; id -Gn")).toMatchObject({ code: 0, stdout: "ana\n0\nana adm on-call\n" });
  expect(await server.must(["cat", "/etc/resolv.conf"])).toBe(
    "# Made by Holdfast from a policy; changes here are overwritten.\nnameserver 192.0.2.53\nsearch internal\noptions edns0\n",
  );
  // The day after the last one, as useradd(8) and everybody else counts.
  expect(await server.must(["getent", "shadow", "kim"])).toMatch(/:21915:\n$/);
  await server.writeFile("/run/house.pem", authority);
  expect(await server.must(["openssl", "verify", "-CApath", "/etc/ssl/certs", "/run/house.pem"])).toContain("OK");
  await server.must(["logger", "holdfast-was-here"]);
  await server.must([
    "sh",
    "-c",
    "for i in $(seq 100); do grep -q holdfast-was-here /run/received && exit 0; sleep 0.1; done; exit 1",
  ]);
  expect((await server.exec(["test", "-e", "/home/ana"])).code).not.toBe(0);
  await abort(agent, id);
  expect(await look()).toBe(before);
  await server.must(["systemctl", "stop", "log-server"]);
});

test(
  "confirmed it survives a reboot, a power cut on the next trial brings it back, and what was given goes when nothing is said",
  { timeout: 400_000 },
  async () => {
    const found = await look();
    await apply(agent, { system: everything() });
    expect(await server.must(["stat", "-c", "%U:%G %a", "/home/ana"])).toBe("ana:ana 700\n");
    expect((await server.exec(["test", "-e", "/home/ana/.bashrc"])).code).toBe(0);
    const confirmed = await look();
    agent.letGo();
    await server.reboot();
    expect(await look()).toBe(confirmed);
    expect(await logIn("sudo -n id -u")).toMatchObject({ code: 0, stdout: "0\n" });
    const state = (await (await agent.guard()).getState({})).domains.find(({ domain }) => domain === "system");
    expect(state).toMatchObject({ error: "", drift: false });

    await onTrial(agent, {
      system: { users: { ana: { state: "absent" }, bo: { state: "present" } }, authorities: {} },
    });
    expect(await logIn("true")).not.toMatchObject({ code: 0 });
    agent.letGo();
    await server.cut();
    await server.startAgain();
    expect(await agent.story()).toContain("server.rebooted");
    expect(await look()).toBe(confirmed);

    await apply(agent, { system: {} });
    expect(await logIn("true")).not.toMatchObject({ code: 0 });
    const left = await look();
    // People stay, with a home; what they were given does not.
    expect(left).toMatch(/^ana:x:\d+:\d+:Ana, operations:\/home\/ana:/m);
    for (const text of ["Made by Holdfast", "95-holdfast", "holdfast-house", "holdfast-keys", "192.0.2.53"])
      expect(left.includes(text), text).toBe(false);
    expect(left.split("\n").filter((line) => /ca-certificates.crt|nameserver|authorizedkeysfile/.test(line))).toEqual(
      found.split("\n").filter((line) => /ca-certificates.crt|nameserver|authorizedkeysfile/.test(line)),
    );
  },
);

test("removed by word: the same account with its password after an undo, gone when confirmed, its home not", async () => {
  const before = await look();
  const { id } = await onTrial(agent, { system: { users: { kim: { state: "absent" } } } });
  expect(await look()).not.toBe(before);
  await abort(agent, id);
  expect(await look()).toBe(before);
  await apply(agent, { system: { users: { kim: { state: "absent" } } } });
  expect((await server.exec(["getent", "passwd", "kim"])).code).not.toBe(0);
  expect((await server.exec(["test", "-d", "/home/kim"])).code).toBe(0);
  await apply(agent, { system: {} });
  expect((await server.exec(["getent", "passwd", "kim"])).code).not.toBe(0);
});

test("what the server lacks, and what its own checkers would not take, is refused with the reason before anything changes", async () => {
  const before = await look();
  const leaf = authority.replace(/\n[^\n]{64}\n/, (line) => `\n${line.trim().split("").toReversed().join("")}\n`);
  expect(await refused(agent, { system: { authorities: { house: leaf } } })).toContain("certificate");
  expect(await refused(agent, { system: { modules: { load: ["no_such_module"] } } })).toContain(
    "this server is a container",
  );
  expect(await refused(agent, { system: { users: { bo: { state: "present", shell: "/bin/no-shell" } } } })).toContain(
    "no shell",
  );
  expect(await refused(agent, { system: { users: { adm: { state: "present" } } } })).toContain("there is a group adm");

  await server.must(["sh", "-c", "printf 'ana ALL=\\n' >/etc/sudoers.d/broken && chmod 440 /etc/sudoers.d/broken"]);
  const free: Json = { users: { ana: { state: "present", sudo: "free" } } };
  expect(await refused(agent, { system: free })).toContain("before any change");
  await server.must(["rm", "/etc/sudoers.d/broken"]);
  await server.must(["mv", "/usr/sbin/visudo", "/usr/sbin/visudo.away"]);
  expect(await refused(agent, { system: free })).toContain("sudo is not installed");
  await server.must(["mv", "/usr/sbin/visudo.away", "/usr/sbin/visudo"]);

  await server.must(["sh", "-c", "echo '*.* action(type=\"no-such-module\")' >/etc/rsyslog.d/10-broken.conf"]);
  const logs: Json = { logs: { to: [{ host: "192.0.2.9", port: 514, by: "udp" }] } };
  expect(await refused(agent, { system: logs })).toContain("before any change");
  await server.must(["rm", "/etc/rsyslog.d/10-broken.conf"]);
  await server.must(["systemctl", "stop", "rsyslog.service", "syslog.socket"]);
  expect(await refused(agent, { system: logs })).toContain("system.logs_no_rsyslog");
  await server.must(["systemctl", "start", "syslog.socket", "rsyslog.service"]);

  await server.writeFile("/etc/resolv.conf", "# Generated by NetworkManager\nnameserver 192.0.2.1\n");
  expect(await refused(agent, { system: { resolver: { servers: ["192.0.2.53"] } } })).toContain(
    "system.resolver_managed",
  );
  await server.writeFile("/etc/resolv.conf", "# by hand\nnameserver 192.0.2.1\noptions edns0\n");
  expect(await look()).toBe(before);
});
