import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Rule } from "@holdfast/testkit/conformance/check.ts";
import { CHECKS } from "@holdfast/testkit/conformance/run-conformance.ts";
import { runKitOn } from "@holdfast/testkit/conformance/run-on-server.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bothEnds, vpnPair } from "./vpn-pair.ts";

/** The public contract of modules, kept by those of the system and of the tunnels; firewall and network stand in the testkit's own test. */

let lab: Lab;
beforeEach(() => {
  lab = Lab.open({ prefix: `hfk-${process.pid}` });
});
afterEach(() => lab.close());

const sh = (script: string): string[] => ["sh", "-c", script];
const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"K".repeat(43)} kim@office`;

/** Everything live that the two configs of the system touch, and the note of what was found; not what only the next boot will read. */
const OWN_SYSTEM = `
cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/ip_default_ttl
grep -H . /etc/sudoers.d/*holdfast* 2>/dev/null
grep -v -e theirs /etc/hosts
cat /etc/motd /var/lib/holdfast/system/found.json 2>/dev/null; getent passwd kim; cat /etc/ssh/holdfast-keys/* 2>/dev/null
exit 0`;

/** A look at a whole system takes a second, and the kit looks some thousand times: `make conformance` runs all of it. */
const IN_SHORT: readonly Rule[] | undefined = process.env["HOLDFAST_KIT"] === "whole" ? undefined : ["M3", "M6"];
const ASKED = CHECKS.filter(({ rule }) => IN_SHORT?.includes(rule) ?? true);

test("the system module keeps the contract", { timeout: 1_260_000 }, async () => {
  const server = lab.server({ name: "sys", kind: "systemd", enable: ["ssh"], attachments: [] });
  await server.start();
  await server.must(sh("mkdir -p /etc/modprobe.d /run/holdfast /var/lib/holdfast/system && useradd -m kim"));
  const moduleCase = {
    configs: {
      a: {
        sysctl: { "net.core.somaxconn": "5001" },
        hosts: { "db.internal": ["10.0.0.5"] },
        banners: { motd: "Ask ops; $(reboot) `id`.\n" },
      },
      b: {
        sysctl: { "net.core.somaxconn": "5002", "net.ipv4.ip_default_ttl": "70" },
        hosts: { "db.internal": ["10.0.0.6"] },
        users: { kim: { state: "present", comment: "Kim of ops", keys: [KEY], sudo: "password" } },
      },
      invalid: [
        { config: { sysctl: { "net.core.somaxconn; reboot": "1" } }, field: "sysctl" },
        { config: { ssh: { port: [70_000] } }, field: "port" },
        { config: { hosts: { "db.internal": ["10.0.0.5\n0.0.0.0 evil"] } }, field: "hosts" },
        { config: { users: { root: { state: "absent" } } }, field: "users" },
        { config: { shell: "reboot" }, field: "system" },
      ],
    },
    native: sh(OWN_SYSTEM),
    tamper: ["sysctl", "-qw", "net.core.somaxconn=9"],
    foreign: {
      // An administrator's: a kernel setting and its file, a name, a member of a group, a rule of sudo.
      make: sh(
        "sysctl -qw net.ipv4.tcp_fin_timeout=33; echo 'net.ipv4.tcp_fin_timeout = 33' >/etc/sysctl.d/80-theirs.conf; echo '10.9.9.9 theirs' >>/etc/hosts; echo 'kim ALL=(ALL) ALL' >/etc/sudoers.d/theirs; chmod 0440 /etc/sudoers.d/theirs; groupadd theirs; usermod -aG theirs kim",
      ),
      read: sh(
        "cat /proc/sys/net/ipv4/tcp_fin_timeout /etc/sysctl.d/80-theirs.conf /etc/sudoers.d/theirs; grep theirs /etc/hosts; getent passwd kim | cut -d: -f1-4,6-7; getent group theirs",
      ),
      remove: sh(
        "sysctl -qw net.ipv4.tcp_fin_timeout=60; rm -f /etc/sysctl.d/80-theirs.conf /etc/sudoers.d/theirs; sed -i '/theirs/d' /etc/hosts; groupdel theirs; true",
      ),
    },
  };
  const { report, code } = await runKitOn(server, "system", moduleCase, IN_SHORT);
  process.stdout.write(report);
  expect(report).toContain(`${String(ASKED.length)} passed, 0 failed`);
  expect(code).toBe(0);
});

/** What is loaded and blocked; nothing that counts or is agreed anew, and not what the next boot will load. */
const OWN_TUNNELS = "swanctl --list-conns | grep -v -e theirs; ip route show type blackhole | grep -v 10.99; exit 0";

/** One tunnel's config with some of its fields otherwise. */
function otherwise(config: Json, change: Readonly<Record<string, Json>>): Json {
  const { tunnels } = config as { readonly tunnels: Readonly<Record<string, Readonly<Record<string, Json>>>> };
  const changed = Object.entries(tunnels).map(([name, tunnel]) => [name, { ...tunnel, ...change }] as const);
  return { tunnels: Object.fromEntries(changed) };
}

test("the vpn module keeps the contract, with a real charon", { timeout: 1_260_000 }, async () => {
  const { a: server } = await vpnPair(lab);
  const { a } = bothEnds();
  const { report, code } = await runKitOn(server, "vpn", {
    configs: {
      a,
      b: bothEnds({ key: "second" }).a,
      invalid: [
        { config: otherwise(a, { ikeProposals: ["aes256\n}"] }), field: "ikeProposals" },
        { config: otherwise(a, { keyFile: "../../shadow" }), field: "keyFile" },
        { config: otherwise(a, { updown: "reboot" }), field: "tunnels" },
      ],
    },
    native: sh(OWN_TUNNELS),
    tamper: sh("swanctl --load-conns --file /dev/null"),
    foreign: {
      make: sh(
        "ip route add blackhole 10.99.0.0/16; echo '# theirs' >/etc/swanctl/conf.d/theirs.conf; echo theirs >/etc/holdfast/secrets/vpn/theirs",
      ),
      read: sh("ip route show 10.99.0.0/16; cat /etc/swanctl/conf.d/theirs.conf /etc/holdfast/secrets/vpn/theirs"),
      remove: sh(
        "ip route delete blackhole 10.99.0.0/16; rm -f /etc/swanctl/conf.d/theirs.conf /etc/holdfast/secrets/vpn/theirs",
      ),
    },
  });
  process.stdout.write(report);
  expect(report).toContain(`${String(CHECKS.length)} passed, 0 failed`);
  expect(code).toBe(0);
});
