import type { IpRoute, IpRule, LinkChange } from "@holdfast/core/plan/ip-state.ts";
import type { IpsecAct, IpsecConn, IpsecKey, IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";
import type { Action } from "@holdfast/core/plan/step.ts";
import { faillockText } from "@holdfast/domains/system/faillock-text.ts";
import { taskText } from "@holdfast/domains/system/task-text.ts";
import { INTO_METRIC, linkOf } from "@holdfast/domains/vpn/link.ts";
import { lookupRule } from "@holdfast/domains/vpn/step.ts";
import { expect, test } from "vitest";
import { checkAction } from "./action-rules.ts";

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.\n";

function file(path: string, text: string, mode = 0o644): Action {
  return { kind: "write_file", path, mode, text };
}

function taskOf(unit: string): Action {
  const text = taskText("x", { unit: "backup.service", at: "every 1h" }).replace("backup.service", unit);
  return { kind: "task", name: "x", text, runs: true, check: false };
}

test.each<[string, Action]>([
  ["another file of sudo", file("/etc/sudoers.d/evil", "x")],
  ["sudo by the back door", file("/etc/sudoers.d/95-holdfast", "x")],
  ["keys of root", file("/root/.ssh/authorized_keys", "x")],
  ["a list of keys with a way out of the folder", file("/etc/ssh/holdfast-keys/../sshd_config", HEAD)],
  ["a key with a command", file("/etc/ssh/holdfast-keys/kim", `${HEAD}command="reboot" ssh-ed25519 AAAA\n`)],
  ["a module that runs a program", file("/etc/modprobe.d/95-holdfast.conf", `${HEAD}install usb_storage /bin/sh\n`)],
  ["a file that others may write", file("/etc/motd", "x", 0o666)],
  ["a program", file("/etc/motd", "x", 0o755)],
  ["the account root", { kind: "account", name: "root", want: null }],
  ["an account that is an option", { kind: "account", name: "--root=/x", want: null }],
  ["a shell that is none", { kind: "account", name: "kim", want: { make: true, shell: "/bin/sh -c reboot" } }],
  ["a comment that is another field", { kind: "account", name: "kim", want: { make: false, comment: "a:0:0" } }],
  ["a group that is a list", { kind: "account", name: "kim", want: { make: false, groups: ["a,b"] } }],
  ["an end that is an option", { kind: "account", name: "kim", want: { make: false, expires: "--x" } }],
  ["a group that is a path", { kind: "group", name: "../x", exists: true }],
  ["the home of root", { kind: "home", name: "root" }],
  ["sudo for one program", { kind: "sudo", check: true, text: `${HEAD}kim ALL=(ALL) /bin/sh\n` }],
  ["an authority in another folder", { kind: "authority", name: "../../x", text: null }],
  ["an authority that is no certificate", { kind: "authority", name: "house", text: "x" }],
  ["a module that is a path", { kind: "modules", text: `${HEAD}/tmp/evil.ko\n` }],
  ["logs that run a program", { kind: "rsyslog", check: true, text: `${HEAD}*.* ^/bin/sh\n` }],
  ["a task in another folder", { kind: "task", name: "../x", text: null, runs: false, check: false }],
  ["a task that is a program", { kind: "task", name: "x", text: `${HEAD}[Service]\n`, runs: true, check: false }],
  ["a task that stops the server", taskOf("reboot.service")],
  ["limits by which nobody comes in", file("/etc/security/limits.d/95-holdfast.conf", `${HEAD}* hard nproc 1\n`)],
  ["a lock after one failure", file("/etc/security/faillock.conf", faillockText({ after: 5 }, null).replace("5", "1"))],
  [
    "passwords by a list of somebody's",
    file("/etc/security/pwquality.conf.d/95-holdfast.conf", `${HEAD}dictpath = /x\n`),
  ],
  ["passwords in the main file", file("/etc/security/pwquality.conf", `${HEAD}minlen = 12\n`)],
  ["failures by a line of somebody's", file("/etc/security/faillock.conf", "exec = /x\n")],
  ["another setting of new accounts", { kind: "login_setting", key: "ENV_PATH", line: "ENV_PATH\t/tmp" }],
  ["two settings in one line", { kind: "login_setting", key: "PASS_MAX_DAYS", line: "PASS_MAX_DAYS\t90\nUMASK\t000" }],
  [
    "a proxy that apt finds by a program",
    file("/etc/apt/apt.conf.d/95-holdfast-proxy.conf", 'Acquire::http::Proxy-Auto-Detect "/x";\n'),
  ],
  ["limits of another file", file("/etc/security/limits.conf", HEAD)],
  ["a daemon that is not ours to restart", { kind: "unit", unit: "dbus.service", verb: "restart" }],
  ["a unit that the server stands on", { kind: "unit", unit: "sshd.service", verb: "stop" }],
])("whatever a plan says, %s is refused", (_what, action) => {
  expect(checkAction("system", action).ok).toBe(false);
});

test("a snapshot puts back any text, and in the same places only", () => {
  const back = (action: Action): boolean => checkAction("system", action, "snapshot").ok;
  const byHand = "# by hand\n";
  const texts: readonly Action[] = [
    { kind: "sshd", text: byHand, check: false, effective: {}, reload: null, listens: [] },
    { kind: "sudo", text: byHand, check: false },
    { kind: "rsyslog", text: byHand, check: false },
    { kind: "modules", text: byHand },
    { kind: "hosts_block", block: byHand },
    { kind: "authority", name: "house", text: byHand },
    { kind: "task", name: "x", text: byHand, runs: false, check: false },
    {
      kind: "timer",
      path: "/etc/systemd/system/apt-daily-upgrade.timer.d/95-holdfast.conf",
      text: byHand,
      check: false,
    },
    file("/etc/security/limits.d/95-holdfast.conf", byHand),
    file("/etc/apt/apt.conf.d/95-holdfast.conf", byHand),
    file("/etc/ssh/holdfast-keys/kim", byHand),
  ];
  for (const action of texts) {
    expect(back(action), JSON.stringify(action)).toBe(true);
    expect(checkAction("system", action).ok, JSON.stringify(action)).toBe(false);
  }
  for (const action of [
    file("/etc/sudoers.d/evil", byHand),
    file("/etc/security/limits.conf", byHand),
    file("/etc/ssh/holdfast-keys/kim", byHand, 0o4755),
    { kind: "task", name: "../x", text: byHand, runs: false, check: false } as const,
    { kind: "authority", name: "../x", text: byHand } as const,
    { kind: "unit", unit: "sshd.service", verb: "stop" } as const,
  ])
    expect(back(action), JSON.stringify(action)).toBe(false);
  expect(checkAction("vpn", { kind: "sudo", text: byHand, check: false }, "snapshot").ok).toBe(false);
});

test("a task of ours passes, and no other domain has one", () => {
  expect(checkAction("system", taskOf("backup.service"))).toEqual({ ok: true, value: null });
  expect(checkAction("vpn", taskOf("backup.service")).ok).toBe(false);
});

test("of rules the vpn domain may set strongSwan's own, and no other", () => {
  const none = { addresses: [], routes: [], rules: [] };
  const setting = (rule: IpRule): Action => ({ kind: "ip_state", absent: none, present: { ...none, rules: [rule] } });
  for (const family of [4, 6] as const)
    expect(checkAction("vpn", setting(lookupRule(family)))).toEqual({ ok: true, value: null });
  expect(checkAction("vpn", setting({ ...lookupRule(4), table: 254 })).ok).toBe(false);
  expect(checkAction("vpn", setting({ ...lookupRule(4), priority: 1 })).ok).toBe(false);
  expect(checkAction("vpn", setting({ ...lookupRule(4), from: "192.0.2.0/24" })).ok).toBe(false);
});

test("of people and their pools the vpn domain reaches its own, each text of them checked", () => {
  const conn: IpsecConn = {
    name: "holdfast-staff--alice",
    label: "c-0123456789abcdef",
    localAddress: null,
    remoteAddress: null,
    localIdentity: "gw",
    remoteIdentity: "alice@example.com",
    localNetworks: ["10.10.0.0/16"],
    remoteNetworks: [],
    ikeProposals: ["aes256-sha256-ecp256"],
    childProposals: ["aes256-sha256-ecp256"],
    ikeSeconds: 3_600,
    childSeconds: 3_600,
    deadSeconds: 30,
    deadThen: "clear",
    starts: false,
    pools: ["holdfast-pool-0123456789abcdef"],
  };
  const key: IpsecKey = { id: "ike-holdfast-staff--alice--x", file: "x", owners: ["alice@example.com"] };
  const pool: IpsecPool = { name: "holdfast-pool-0123456789abcdef", network: "10.99.0.0/24", dns: ["10.10.0.53"] };
  const isAllowed = (act: IpsecAct): boolean => checkAction("vpn", { kind: "ipsec", act }).ok;
  const end = { op: "end_people", unload: [conn.name], terminate: [conn.name], keys: [key.id] } as const;
  const load = (one: Partial<IpsecConn>, other: Partial<IpsecKey> = {}): IpsecAct => ({
    op: "load_people",
    keys: [{ ...key, ...other }],
    conns: [{ ...conn, ...one }],
  });
  expect(
    [load({}), end, { op: "load_pool", pool } as const, { op: "unload_pool", name: pool.name } as const].every(
      isAllowed,
    ),
  ).toBe(true);
  const others: readonly IpsecAct[] = [
    load({ name: "office" }),
    load({ pools: ["dhcp"] }),
    load({ pools: [] }),
    load({ pools: ["holdfast-pool-x, other"] }),
    load({ remoteIdentity: "%any" }),
    load({}, { file: "../../shadow" }),
    load({}, { owners: [] }),
    load({}, { owners: ["%any"] }),
    { ...end, unload: ["office"] },
    { ...end, terminate: ["office"] },
    { ...end, keys: ["somebody"] },
    { op: "load_pool", pool: { ...pool, name: "office" } },
    { op: "load_pool", pool: { ...pool, network: "10.99.0.1-10.99.0.9" } },
    { op: "load_pool", pool: { ...pool, dns: ["dns.example"] } },
    { op: "unload_pool", name: "office" },
  ];
  for (const act of others) expect(isAllowed(act), JSON.stringify(act)).toBe(false);
});

test("of links the vpn domain makes and removes interfaces of its tunnels, and routes lead into those alone", () => {
  const { name, id } = linkOf("pair");
  const link = (to: string, change: LinkChange): Action => ({ kind: "link", link: to, change });
  const remove: LinkChange = { op: "delete", device: "xfrm" };
  expect(checkAction("vpn", link(name, { op: "xfrm", id }))).toEqual({ ok: true, value: null });
  expect(checkAction("vpn", link(name, remove))).toEqual({ ok: true, value: null });
  const others: readonly Action[] = [
    link("eth0", { op: "xfrm", id }),
    link(name, { op: "xfrm", id: id + 1 }),
    link(name, { op: "xfrm", id: 0 }),
    link("eth0", remove),
    link("hfx-", remove),
    link(`${name}/../eth0`, remove),
    link(name, { op: "delete", device: "bridge" }),
    link(name, { op: "down" }),
  ];
  for (const action of others) expect(checkAction("vpn", action).ok, JSON.stringify(action)).toBe(false);
  expect(checkAction("network", link(name, { op: "xfrm", id })).ok).toBe(false);
  expect(checkAction("network", link(name, remove)).ok).toBe(false);
  const vlans = (first: number, last: number): LinkChange => ({
    op: "vlans",
    isBridge: false,
    absent: [],
    present: [{ first, last, untagged: false }],
  });
  expect(checkAction("network", link("eth0", vlans(20, 29))).ok).toBe(true);
  for (const [first, last] of [
    [0, 1],
    [20, 4095],
    [29, 20],
    ["20; reboot" as unknown as number, 30],
  ] as const)
    expect(checkAction("network", link("eth0", vlans(first, last))).ok).toBe(false);
  expect(checkAction("vpn", link(name, vlans(20, 29))).ok).toBe(false);
  const none = { addresses: [], routes: [], rules: [] };
  expect(checkAction("network", link("eth0", { op: "forget_neighbours" })).ok).toBe(true);
  expect(checkAction("vpn", link("eth0", { op: "forget_neighbours" })).ok).toBe(false);
  const known = { link: "eth0", address: "10.1.0.9", mac: "02:00:00:00:00:09" };
  const keep = (neighbour: typeof known): Action => ({
    kind: "ip_state",
    absent: none,
    present: { ...none, neighbours: [neighbour] },
  });
  expect(checkAction("network", keep(known)).ok).toBe(true);
  for (const wrong of [{ mac: "router" }, { address: "-6" }, { link: "eth0 nud none" }])
    expect(checkAction("network", keep({ ...known, ...wrong })).ok, JSON.stringify(wrong)).toBe(false);

  const hop = { via: null, dev: name, weight: 1, onLink: false };
  const route: IpRoute = {
    family: 4,
    kind: "unicast",
    to: "10.72.0.0/24",
    table: 254,
    metric: INTO_METRIC,
    protocol: 2,
    hops: [hop],
    source: null,
  };
  const setting = (over: Partial<IpRoute>): Action => ({
    kind: "ip_state",
    absent: none,
    present: { ...none, routes: [{ ...route, ...over }] },
  });
  expect(checkAction("vpn", setting({}))).toEqual({ ok: true, value: null });
  const wrong: readonly Partial<IpRoute>[] = [
    { hops: [{ ...hop, dev: "eth0" }] },
    { hops: [{ ...hop, via: "192.0.2.1" }] },
    { hops: [hop, hop] },
    { hops: [] },
    { table: 220 },
    { metric: 0 },
    { protocol: 4 },
    { source: "192.0.2.1" },
    { to: "default" },
  ];
  for (const over of wrong) expect(checkAction("vpn", setting(over)).ok, JSON.stringify(over)).toBe(false);
});

test("what the system domain may do, no other domain may", () => {
  const actions: readonly Action[] = [
    { kind: "account", name: "kim", want: null },
    { kind: "group", name: "ops", exists: true },
    { kind: "home", name: "kim" },
    { kind: "sudo", check: true, text: null },
    { kind: "authority", name: "house", text: null },
    { kind: "modules", text: null },
    { kind: "rsyslog", check: true, text: null },
    { kind: "hostname", name: "web" },
    { kind: "unit", unit: "cron.service", verb: "start" },
    file("/etc/resolv.conf", "nameserver 192.0.2.1\n"),
  ];
  for (const action of actions) {
    expect(checkAction("system", action), JSON.stringify(action)).toEqual({ ok: true, value: null });
    for (const domain of ["firewall", "network", "vpn"] as const) expect(checkAction(domain, action).ok).toBe(false);
  }
});
