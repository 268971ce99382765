import type { RawFacts } from "@holdfast/core/domain.ts";
import { expect, test } from "vitest";
import { firewall } from "./firewall/domain.ts";
import { network } from "./network/domain.ts";
import { system } from "./system/domain.ts";
import { vpn } from "./vpn/domain.ts";

const said = (stdout: string) => ({ status: 0, stdout, stderr: "" });
/** Of a file that is not there. */
const ABSENT = { status: 1, stdout: "", stderr: "there is no such file" };
const folder = (files: Readonly<Record<string, string>>) => said(JSON.stringify(files));
const told = (domain: { readonly foreign: typeof vpn.foreign }, raw: RawFacts): readonly string[] =>
  domain.foreign.read(raw).blocks.map(({ source, title, text }) => `${source} | ${title} | ${text ?? "WITHHELD"}`);

test("tables of others, and neither ours nor the one by which packets are looked at", () => {
  const theirs = 'table ip docker {\n\tchain forward {\n\t\tiifname "br-1" accept\n\t}\n}\n';
  const ours = "table inet holdfast { # progname nft\n}\ntable inet holdfast {\n}\ntable inet holdfast_watch {\n}\n";
  const similar = "table inet holdfast2 {\n}\n";
  expect(
    told(firewall, {
      "nft list ruleset": said(theirs + ours + similar),
      "/etc/nftables.conf": said("flush ruleset\n"),
    }),
  ).toEqual([
    `nft list ruleset | table ip docker { | ${theirs}`,
    `nft list ruleset | table inet holdfast2 { | ${similar}`,
    "/etc/nftables.conf | flush ruleset | flush ruleset\n",
  ]);
  expect(
    firewall.foreign.read({
      "nft list ruleset": { status: 1, stdout: "", stderr: "no rights\n" },
      "/etc/nftables.conf": ABSENT,
    }).unreadable,
  ).toEqual(["nft list ruleset: no rights"]);
});

test("files of networkd, netplan and ifupdown in their order, without ours; keys and passwords stay on the server", () => {
  const raw = {
    "/etc/systemd/network *.network": folder({
      "05-holdfast-wan.network": "[Match]\nName=eth0\n",
      "50-lan.network": "[Match]\nName=eth1\n[Network]\nDHCP=yes\n",
    }),
    "/etc/systemd/network *.netdev": folder({ "wg.netdev": "[NetDev]\nName=wg0\n[WireGuard]\nPrivateKey=hunter2\n" }),
    "/run/systemd/network *.network": folder({ "04-holdfast-wan.network": "[Match]\nName=eth0\n" }),
    "/etc/netplan *.yaml": folder({ "50-cloud-init.yaml": "network:\n  wifis: {w: {password: hunter2}}\n" }),
    "/etc/network/interfaces": said("auto lo\niface lo inet loopback\n"),
  };
  const seen = told(network, raw);
  expect(seen).toEqual([
    "/etc/systemd/network/wg.netdev | [NetDev] | [NetDev]\nName=wg0\n",
    "/etc/systemd/network/wg.netdev | [WireGuard] | WITHHELD",
    "/etc/systemd/network/50-lan.network | [Match] | [Match]\nName=eth1\n",
    "/etc/systemd/network/50-lan.network | [Network] | [Network]\nDHCP=yes\n",
    "/etc/netplan/50-cloud-init.yaml | network | WITHHELD",
    "/etc/network/interfaces | auto lo | auto lo\n",
    "/etc/network/interfaces | iface lo inet loopback | iface lo inet loopback\n",
  ]);
  expect(seen.join()).not.toContain("hunter2");
});

test("files for sshd and for the kernel's settings, without ours", () => {
  const raw = {
    "/etc/ssh/sshd_config.d *.conf": folder({
      "05-holdfast.conf": "Port 22\n",
      "50-cloud.conf": "PasswordAuthentication no\n",
    }),
    "/etc/ssh/sshd_config": said("UsePAM yes\nMatch User kim\n  X11Forwarding no\n"),
    "/etc/sysctl.d *.conf": folder({ "99-holdfast.conf": "a = 1\n", "10-net.conf": "net.ipv4.ip_forward = 1\n" }),
  };
  expect(told(system, raw)).toEqual([
    "/etc/ssh/sshd_config.d/50-cloud.conf | PasswordAuthentication no | PasswordAuthentication no\n",
    "/etc/ssh/sshd_config | UsePAM yes | UsePAM yes\n",
    "/etc/ssh/sshd_config | Match User kim | Match User kim\n  X11Forwarding no\n",
    "/etc/sysctl.d/10-net.conf | net.ipv4.ip_forward = 1 | net.ipv4.ip_forward = 1\n",
  ]);
});

test.each([
  ["a section of their own", "secrets {\n  ike-1 { secret = hunter2 }\n}\n"],
  ["one line with a connection", "connections { a { } } secrets { ike-1 { secret = hunter2 } }\n"],
  ["a value over several lines", 'secrets {\n ike {\n  secret = "x\nhunter2"\n }\n}\n'],
])("of strongSwan's files no secret leaves the server: %s", (_what, text) => {
  const conn = "connections {\n  site { version = 2 }\n}\n";
  const raw = {
    "/etc/swanctl/swanctl.conf": said(conn + text),
    "/etc/swanctl/conf.d *.conf": folder({ "holdfast.conf": "connections { ours { } }\n" }),
    "/etc/ipsec.conf": said("config setup\nconn old\n  left=%any\n"),
  };
  const seen = told(vpn, raw);
  expect(seen[0]).toBe(`/etc/swanctl/swanctl.conf | connections { | ${conn}`);
  expect(seen.join()).not.toMatch(/hunter2|ours/);
  expect(seen.at(-1)).toBe("/etc/ipsec.conf | conn old | conn old\n  left=%any\n");
});
