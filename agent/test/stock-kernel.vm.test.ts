import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Device, NetworkConfig } from "@holdfast/domains/network/model.ts";
import { linkOf } from "@holdfast/domains/vpn/link.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import { until } from "@holdfast/testkit/until.ts";
import type { Guest } from "@holdfast/testkit/vm/guest.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answers, guestWithPeer, hands, inGuest, inPeer, layVpnWire, startPeerCharon } from "./guest-stage.ts";
import { link, network, static4 } from "./network-stage.ts";
import { bothEnds, INSIDE } from "./vpn-pair.ts";

/**
 * What the kernel of other test machines lacks, applied for real on a stock Debian kernel: planned, applied, read back, undone by the hands of each
 * domain. The transaction around them is tested where a server starts in a second.
 */

/** The short part is in every run of all tests; `make test-vm` runs the whole. */
const IS_WHOLE = process.env["HOLDFAST_VM"] === "whole";
const SHORT = "not in the short part: make test-vm runs it";
/** An emulated processor, perhaps on a busy machine. */
const PATIENCE_MS = 120_000;

let lab: Lab;
let guest: Guest | undefined;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfk-${process.pid}` });
  guest = await guestWithPeer(lab, "gw");
});
afterAll(async () => {
  await guest?.close();
  await lab.close();
});

function server(): Guest {
  if (guest === undefined) throw new Error("the guest did not boot");
  return guest;
}

/** The other end: a bond of its own, with one VLAN over it. */
const BONDED_PEER = [
  "ip link add bond0 type bond mode active-backup miimon 100",
  "ip link set eth2 master bond0",
  "ip link set eth3 master bond0",
  "ip link set bond0 up",
  "ip address add 10.40.0.2/24 dev bond0",
  "ip link add link bond0 name vlan10 type vlan id 10",
  "ip link set vlan10 up",
  "ip address add 10.41.0.2/24 dev vlan10",
];

const BOND = { kind: "bond", mode: "active-backup", members: ["left", "right"], primary: "left" } as const;

function bonded(device: Device): NetworkConfig {
  return network({
    left: link("eth0", {}),
    right: link("eth1", {}),
    pair: link("pair0", { device, ipv4: static4("10.40.0.1/24") }),
    staff: link("staff", { device: { kind: "vlan", id: 10, parent: "pair" }, ipv4: static4("10.41.0.1/24") }),
  });
}

const BONDED = bonded({ ...BOND, members: [...BOND.members], monitorMs: 100 });

function links(): Promise<string> {
  const addresses = "ip -o -4 address show | sed 's/valid_lft.*//'";
  return inGuest(server(), [`ip -br link show | grep -v '^wan0\\|^in0' | awk '{ print $1, $3 }' | sort; ${addresses}`]);
}

/** Applied and read back. In the whole it is asked for twice: then there is nothing to do. */
async function putInForce(domain: string, desired: Json): Promise<void> {
  const wish = { verb: "put", desired } as const;
  const [put, again] = await hands(server(), domain, IS_WHOLE ? [wish, wish] : [wish]);
  expect(put).toMatchObject({ problems: [] });
  expect(put?.findings.filter(({ severity }) => severity === "error")).toEqual([]);
  if (IS_WHOLE) expect(again).toMatchObject({ problems: [], steps: [] });
}

test("a VLAN over a bond: tried and undone nothing is left of it, put in force packets pass", async () => {
  await inPeer(server(), BONDED_PEER);
  const found = await links();
  const [tried] = await hands(server(), "network", [{ verb: "try", desired: BONDED }]);
  expect(tried).toMatchObject({ problems: [] });
  expect(await links()).toBe(found);
  await putInForce("network", BONDED);
  expect(await server().must(["ip", "-d", "link", "show", "pair0"])).toContain("bond mode active-backup");
  expect(await server().must(["ip", "-d", "link", "show", "staff"])).toMatch(
    /staff@pair0[^]*vlan protocol 802.1Q id 10/,
  );
  await until("the peer to answer on the VLAN", () => answers(server(), "10.41.0.2"), PATIENCE_MS);
  expect(await answers(server(), "10.40.0.2")).toBe(true);
});

test("a pulled cable moves the traffic to the other member of the bond, and back", async ({ skip }) => {
  skip(!IS_WHOLE, SHORT);
  const active = async (): Promise<string> =>
    (await server().must(["cat", "/sys/class/net/pair0/bonding/active_slave"])).trim();
  await server().setCable("eth0", false);
  await until("the other member to carry", async () => (await active()) === "eth1", PATIENCE_MS);
  await server().setCable("eth0", true);
  await until("the primary to carry again", async () => (await active()) === "eth0", PATIENCE_MS);
  // The peer's bond has no cable of its own pulled: it answers on the member on which it is asked.
  await until("the peer to answer on the VLAN", () => answers(server(), "10.41.0.2"), PATIENCE_MS);
});

/** A device that is made anew has another number. */
function unnumbered(listing: string): string {
  return listing.replaceAll(/^\d+: /gm, "");
}

test("the bond asks its neighbour instead of looking at the cable, and is read back so", async ({ skip }) => {
  skip(!IS_WHOLE, SHORT);
  const before = unnumbered(await links());
  const arp = { intervalMs: 200, targets: ["10.40.0.2"] };
  await putInForce("network", bonded({ ...BOND, members: [...BOND.members], arp }));
  expect(await server().must(["cat", "/sys/class/net/pair0/bonding/arp_ip_target"])).toBe("10.40.0.2\n");
  await until("the peer to answer over the bond", () => answers(server(), "10.40.0.2"), PATIENCE_MS);
  await putInForce("network", BONDED);
  expect(unnumbered(await links())).toBe(before);
});

test("released, the bond and the VLAN are gone", async () => {
  const [released] = await hands(server(), "network", [{ verb: "put", desired: null }]);
  expect(released).toMatchObject({ problems: [] });
  expect(await server().must(["ip", "-br", "link", "show"])).not.toMatch(/pair0|staff/);
});

/** Two cables and the server itself on one switch: VLAN 10 for the server with its tag, 20 between the cables alone. */
function switched(first: { tagged: { first: number; last: number }[]; untagged?: number }): NetworkConfig {
  const range = (id: number) => ({ first: id, last: id });
  return network({
    left: link("eth0", { port: { vlans: first } }),
    right: link("eth1", { port: { vlans: { tagged: [range(20)] } } }),
    lan: link("lan0", {
      device: { kind: "bridge", members: ["left", "right"], stp: false, vlans: { tagged: [range(10)] } },
    }),
    staff: link("staff", { device: { kind: "vlan", id: 10, parent: "lan" }, ipv4: static4("10.42.0.1/24") }),
  });
}

test("a bridge that tells VLANs apart lets each cable into its own, and a change takes it out of them again", async ({
  skip,
}) => {
  skip(!IS_WHOLE, SHORT);
  await inPeer(server(), [
    "ip link set eth2 nomaster",
    "ip link set eth2 up",
    "ip link add link eth2 name tagged10 type vlan id 10",
    "ip address add 10.42.0.2/24 dev tagged10",
    "ip link set tagged10 up",
  ]);
  const vlans = async (): Promise<string> =>
    (await server().must(["bridge", "-compressvlans", "vlan", "show"])).replaceAll(/\s+/g, " ");
  const found = await links();
  const with10 = switched({
    tagged: [
      { first: 10, last: 10 },
      { first: 30, last: 35 },
    ],
  });
  const [tried] = await hands(server(), "network", [{ verb: "try", desired: with10 }]);
  expect(tried).toMatchObject({ problems: [] });
  expect(await links()).toBe(found);
  await putInForce("network", with10);
  expect(await vlans()).toMatch(/eth0 10 30-35 .*eth1 20 .*lan0 10/);
  await until("the peer to answer on the VLAN", () => answers(server(), "10.42.0.2"), PATIENCE_MS);

  // networkd takes a port out of no VLAN: that is done for it, tried and undone as well.
  const without = switched({ tagged: [], untagged: 20 });
  const [undone] = await hands(server(), "network", [{ verb: "try", desired: without }]);
  expect(undone).toMatchObject({ problems: [] });
  expect(await vlans()).toMatch(/eth0 10 30-35 .*eth1 20 .*lan0 10/);
  await putInForce("network", without);
  expect(await vlans()).toMatch(/eth0 20 PVID Egress Untagged .*eth1 20 .*lan0 10/);
  expect(await answers(server(), "10.42.0.2")).toBe(false);

  const [released] = await hands(server(), "network", [{ verb: "put", desired: null }]);
  expect(released).toMatchObject({ problems: [] });
  expect(await links()).toBe(found);
});

test("a route-based tunnel over the kernel's ESP: its interface, its routes, packets through it, and never in clear text", async () => {
  const tunnel = linkOf("pair");
  const own = bothEnds({ via: "interface" }).b;
  await layVpnWire(server());
  // The other end chooses packets by their addresses: the two ways understand each other.
  await startPeerCharon(server(), bothEnds().a);
  await putInForce("vpn", own);
  await until("packets to pass", () => answers(server(), INSIDE.a, INSIDE.b), PATIENCE_MS);
  expect(await server().must(["ip", "-d", "link", "show", tunnel.name])).toContain(`if_id 0x${tunnel.id.toString(16)}`);
  expect(await server().must(["ip", "route", "get", INSIDE.a])).toContain(`dev ${tunnel.name}`);
  const states = await server().must(["ip", "-s", "xfrm", "state"]);
  expect(states).toContain(`if_id 0x${tunnel.id.toString(16)}`);
  expect(states).toMatch(/aead rfc4106\(gcm\(aes\)\)/);

  // The tunnel is down and stays down: what is for the other end goes nowhere.
  await inPeer(server(), [
    "systemctl stop peer-charon",
    "ip xfrm state flush",
    "ip xfrm policy flush",
    "nft add table ip seen",
    "nft add chain ip seen in '{ type filter hook prerouting priority 0; }'",
    "nft add rule ip seen in ip daddr 10.71.0.0/24 counter",
  ]);
  await server().must(["swanctl", "--terminate", "--ike", "holdfast-pair", "--force", "--timeout", "1"]);
  expect(await answers(server(), INSIDE.a, INSIDE.b)).toBe(false);
  expect(await inPeer(server(), ["nft list table ip seen"])).toContain("counter packets 0 bytes 0");

  const [released] = await hands(server(), "vpn", [{ verb: "put", desired: null }]);
  expect(released).toMatchObject({ problems: [] });
  expect(await server().must(["ip", "-br", "link", "show"])).not.toContain(tunnel.name);
  expect(await server().must(["ip", "route", "show"])).not.toContain("10.71.0.0");
});
