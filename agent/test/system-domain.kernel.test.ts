import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import { BUILT_IN_FOR_TESTS } from "@holdfast/testkit/servers/overlay.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { abort, apply, onTrial, refused, TRIAL, words } from "./change-stage.ts";
import { makeNonce, makeRequestId } from "./commander.ts";
import { SystemdAgent } from "./systemd-agent.ts";

let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfs-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: ["ssh"], attachments: [] });
  await server.start();
  // Somebody who can log in with a key, and whose group the policies name.
  const key = `ssh-ed25519 ${"A".repeat(68)} ops@office`;
  await server.must(["sh", "-c", "groupadd ops && useradd --create-home --groups ops --shell /bin/bash kim"]);
  await server.must([
    "sh",
    "-c",
    `install -d -m 700 -o kim -g kim /home/kim/.ssh && echo '${key}' >/home/kim/.ssh/authorized_keys`,
  ]);
  await server.must([
    "sh",
    "-c",
    "chown kim:kim /home/kim/.ssh/authorized_keys && chmod 600 /home/kim/.ssh/authorized_keys",
  ]);
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

/** Everything of the server that the configs below touch, in its own words. */
const LOOK = [
  "hostname",
  "cat /proc/sys/kernel/hostname /etc/hostname",
  "readlink /etc/localtime; cat /etc/timezone",
  "sha256sum /etc/hosts /etc/motd /etc/issue /etc/issue.net",
  "stat -c '%n %a %U:%G' /etc/hosts /etc/motd /etc/issue /etc/issue.net",
  "cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/tcp_rmem /proc/sys/net/ipv4/ip_forward",
  "grep . /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/*/accept_redirects",
  "ls /etc/sysctl.d /etc/ssh/sshd_config.d",
  "cat /etc/sysctl.d/*holdfast* /etc/ssh/sshd_config.d/*",
  "/usr/sbin/sshd -T | sort",
  "ss -H -ltn | awk '{print $4}' | sort",
  "systemctl is-enabled cron.service; systemctl is-active cron.service",
].join("; ");

async function look(): Promise<string> {
  return (await server.exec(["sh", "-c", LOOK])).stdout;
}

const EVERYTHING: Json = {
  hostname: "web-7",
  timezone: "Asia/Seoul",
  hosts: { "db.internal": ["10.0.0.5", "2001:db8::5"] },
  banners: { motd: "Ask ops before you change anything.", issueNet: "Office use only." },
  sysctl: {
    "net.core.somaxconn": "8192",
    "net.ipv4.tcp_rmem": "4096 131072 4194304",
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.rp_filter": "2",
  },
  ssh: { port: [22, 2222], rootLogin: "never", passwords: false, allowGroups: ["ops"], maxTries: 3, banner: true },
};

// Below /lib/modules, where the walls of a unit end by default: a module that cannot read there takes every kernel for one that has nothing.
test("what is built into the kernel is seen by the module, and by what undoes", async () => {
  const before = await look();
  const { id } = await onTrial(agent, { system: { modules: { load: [BUILT_IN_FOR_TESTS] } } });
  await abort(agent, id);
  expect(await look()).toBe(before);
});

test("a change is in force, and its undo leaves the server as it was, byte for byte", async () => {
  const before = await look();
  const { id } = await onTrial(agent, { system: EVERYTHING });
  const during = await look();
  expect(during).not.toBe(before);
  for (const text of [
    "web-7",
    "Asia/Seoul",
    "8192",
    "131072",
    "maxauthtries 3",
    "allowgroups ops",
    "0.0.0.0:2222",
    "permitrootlogin no",
  ])
    expect(during).toContain(text);
  expect(await server.must(["getent", "hosts", "db.internal"])).toContain("2001:db8::5");
  // Nothing of a trial would survive a reboot by itself where it need not.
  expect(await server.must(["cat", "/etc/hostname"])).toBe("web\n");
  expect((await server.exec(["cat", "/etc/sysctl.d/99-holdfast.conf"])).code).not.toBe(0);
  await abort(agent, id);
  expect(await look()).toBe(before);
  expect(await server.must(["ls", "-A", "/var/lib/holdfast/system"])).toBe("");
});

test("confirmed it survives a reboot; a power cut on the next trial brings the confirmed state back; released, all is as it was found", async () => {
  const found = await look();
  await apply(agent, { system: EVERYTHING });
  const confirmed = await look();
  expect(await server.must(["cat", "/etc/hostname"])).toBe("web-7\n");
  agent.letGo();
  await server.reboot();
  expect(await look()).toBe(confirmed);
  const state = (await (await agent.guard()).getState({})).domains.find(({ domain }) => domain === "system");
  expect(state).toMatchObject({ error: "", drift: false });

  const next = {
    ...(EVERYTHING as object),
    hostname: "web-8",
    timezone: "Europe/Berlin",
    ssh: { port: [22], passwords: false },
  };
  await onTrial(agent, { system: next });
  expect(await look()).not.toBe(confirmed);
  agent.letGo();
  await server.cut();
  await server.startAgain();
  expect(await agent.story()).toContain("server.rebooted");
  expect(await look()).toBe(confirmed);

  await apply(agent, {});
  expect(await look()).toBe(found);
  agent.letGo();
  await server.reboot();
  expect(await look()).toBe(found);
});

test("what sshd would not take, and what the kernel would not let be set, is refused before anything changes", async () => {
  const before = await look();
  const refusal = (system: Json): Promise<string> => refused(agent, { system });
  expect(await refusal({ ssh: { ciphers: ["no-such-cipher"] } })).toContain("sshd would not take this");
  expect(await refusal({ ssh: { allowGroups: ["nobody-is-in-it"], passwords: false } })).toContain(
    "system.ssh_nobody_enters",
  );
  // A setting of the machine under this server. It must never be set from here, also not by a test that goes wrong.
  expect(await refusal({ sysctl: { "vm.swappiness": "10" } })).toContain("this server is a container");
  expect(await refusal({ sysctl: { "net.ipv4.tcp_available_congestion_control": "reno" } })).toContain("EACCES");
  expect(await refusal({ sysctl: { "net.core.no_such_setting": "1" } })).toContain("has no setting");
  expect(await refusal({ timezone: "Asia/Atlantis" })).toContain("does not know the time zone");
  await server.must(["sh", "-c", "echo 'PasswordAuthentication perhaps' >/etc/ssh/sshd_config.d/60-broken.conf"]);
  expect(await refusal({ ssh: { maxTries: 3 } })).toContain("system.ssh_missing");
  await server.must(["rm", "/etc/ssh/sshd_config.d/60-broken.conf"]);
  expect(await look()).toBe(before);
});

test("system and firewall are one change: what the second makes fail, the first goes back with", async () => {
  const before = await look();
  const firewall = {
    mode: "enforce",
    floor: { inbound: [], controlPlane: [] },
    interfaces: {},
    zones: {},
    sets: {},
    needs: [],
    inbound: { default: "drop", rules: [] },
  };
  // A server whose nft takes the batch and forgets it: read back, our table is not there.
  await server.must([
    "sh",
    "-c",
    "mkdir -p /usr/local/sbin && printf '#!/bin/sh\\nexit 0\\n' >/usr/local/sbin/nft && chmod 755 /usr/local/sbin/nft",
  ]);
  const id = makeRequestId();
  const prepared = await agent.prepareDomains(id, { system: EVERYTHING, firewall }, TRIAL);
  if (prepared.phase === TransactionPhase.PREPARED) {
    const executed = await agent.execute(id, makeNonce());
    expect(words(executed)).toMatch(/verify|step/);
  }
  await server.must(["rm", "/usr/local/sbin/nft"]);
  expect(await look()).toBe(before);
});

test("files of ours that somebody changed by hand stand as they were found after an undo, also where we would never write such a text", async () => {
  const files = [
    "/etc/ssh/sshd_config.d/05-holdfast.conf",
    "/etc/security/limits.d/95-holdfast.conf",
    "/etc/modprobe.d/95-holdfast.conf",
  ];
  const wanting = (maxTries: number, core: number): Json => ({
    ssh: { maxTries },
    limits: { everyone: { core: { soft: core, hard: core } } },
    modules: { block: core === 0 ? ["dccp"] : ["dccp", "usb_storage"] },
  });
  await apply(agent, { system: wanting(3, 0) });
  for (const file of files) await server.must(["sh", "-c", `echo '# so that the night shift gets in' >>${file}`]);
  const byHand = await server.must(["cat", ...files]);
  expect(byHand.match(/night shift/g)).toHaveLength(files.length);
  const { id } = await onTrial(agent, { system: wanting(4, 1) }, true);
  expect(await server.must(["cat", ...files])).not.toContain("night shift");
  await abort(agent, id);
  expect(await server.must(["cat", ...files])).toBe(byHand);
  await apply(agent, { system: {} }, true);
});

test("drift of a setting of ours is seen, and nothing else is ours", async () => {
  await apply(agent, { system: { sysctl: { "net.core.somaxconn": "8192" } } });
  const drift = async () =>
    (await (await agent.guard()).getState({})).domains.find(({ domain }) => domain === "system");
  await server.must(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; echo hello >>/etc/motd"]);
  expect(await drift()).toMatchObject({ error: "", drift: false });
  await server.must(["sh", "-c", "echo 17 >/proc/sys/net/core/somaxconn"]);
  expect(await drift()).toMatchObject({ error: "", drift: true });
});
