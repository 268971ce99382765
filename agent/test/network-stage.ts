import type { InterfaceConfig, NetworkConfig } from "@holdfast/domains/network/model.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { until } from "@holdfast/testkit/until.ts";
import type { SystemdAgent } from "./systemd-agent.ts";

/** What tests of the network domain on real servers share: configs in few words, and the server in its own words. */

const NO_FAMILY = { method: "none", addresses: [], gateways: [], use: [] } as const;
const EVERYTHING_LEARNT = ["address", "dns", "gateway", "routes", "search"] as const;

export const NONE: { readonly ipv4: InterfaceConfig["ipv4"]; readonly ipv6: InterfaceConfig["ipv6"] } = {
  ipv4: { ...NO_FAMILY, addresses: [], gateways: [], use: [] },
  ipv6: { ...NO_FAMILY, addresses: [], gateways: [], use: [] },
};

export function static4(...addresses: readonly string[]): InterfaceConfig["ipv4"] {
  return { method: "static", addresses: [...addresses], gateways: [], use: [] };
}

export function static6(...addresses: readonly string[]): InterfaceConfig["ipv6"] {
  return { method: "static", addresses: [...addresses], gateways: [], use: [] };
}

export function dhcp4(use: readonly InterfaceConfig["ipv4"]["use"][number][] = EVERYTHING_LEARNT) {
  return { method: "dhcp" as const, addresses: [], gateways: [], use: [...use] };
}

/** An interface with what is said, and nothing else. */
export function link(name: string, what: Partial<InterfaceConfig>): InterfaceConfig {
  return { bound: { name }, enable: true, ...NONE, routes: [], rules: [], dns: [], search: [], ...what };
}

export function network(
  interfaces: Readonly<Record<string, InterfaceConfig>>,
  more: Partial<NetworkConfig> = {},
): NetworkConfig {
  return { reachedAt: [], forwarding: {}, interfaces: { ...interfaces }, ...more };
}

/** What networkd and the kernel have, without what counts and what is lent for a time. */
const WITHOUT_NUMBERS = "sed -E 's/@if[0-9]+//; s/^[0-9]+: //; s/ +/ /g' | sort";
const LOOK = [
  // Whether a bridge has a carrier, and with it a link-local address, is the matter of the spanning tree, which takes its time.
  `ip -br link show | sed -E '/^lan0/s/(UP|DOWN|UNKNOWN) |NO-CARRIER,|,LOWER_UP//g' | ${WITHOUT_NUMBERS}`,
  `ip -o link show | grep -oE '^[0-9]+: [^:]+|mtu [0-9]+|master [^ ]+' | sed -E 's/@if[0-9]+//; s/^[0-9]+: //'`,
  `ip -o address show | grep -v 'lan0.*inet6 fe80' | sed 's/valid_lft.*//' | ${WITHOUT_NUMBERS}`,
  "ip -4 route show table all | grep -v -e 'table local' -e 'proto dhcp' -e 'proto ra' | sed 's/ linkdown//' | sort",
  "ip -6 route show table all | grep -v -e 'table local' -e 'proto ra' -e multicast -e 'fe80.*lan0' | sed -e 's/ expires [^ ]*//' -e 's/ linkdown//' | sort",
  "ip -4 rule show; ip -6 rule show",
  "ip -d -o link show type bridge | grep -oE '(forward_delay|hello_time|max_age|ageing_time|stp_state| priority|mcast_snooping|topology_change) [0-9]+'",
  "ip -d -o link show | grep -oE 'bridge_slave|(priority 0x[0-9a-f]+|cost|isolated) ?[a-z0-9]*'",
  "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding",
  "head -n 100 /etc/systemd/network/* /etc/sysctl.d/*holdfast*",
].join("; ");

/** Milliseconds. A topology change lasts forward delay and maximum age, 4 s and 20 s here. */
const SETTLED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 500;

export async function look(server: LabServer): Promise<string> {
  return withoutTopology((await server.exec(["sh", "-c", LOOK])).stdout);
}

/** As `look`, but of no bridge in the middle of a topology change: for that time the kernel makes the ageing twice the forward delay (br_stp.c). */
export async function lookSettled(server: LabServer): Promise<string> {
  let seen = "";
  const isSettled = async (): Promise<boolean> => {
    seen = (await server.exec(["sh", "-c", LOOK])).stdout;
    return !seen.includes("topology_change 1");
  };
  await until(() => `a topology that stays, but\n${seen}`, isSettled, SETTLED_WITHIN_MS, LOOK_EVERY_MS);
  return withoutTopology(seen);
}

function withoutTopology(text: string): string {
  return text.replaceAll(/^topology_change \d\n/gm, "");
}

export async function driftOf(agent: SystemdAgent) {
  return (await (await agent.guard()).getState({})).domains.find(({ domain }) => domain === "network");
}
