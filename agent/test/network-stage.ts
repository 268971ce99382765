import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { InterfaceConfig, NetworkConfig } from "@holdfast/domains/network/model.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { expect } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import type { SystemdAgent } from "./systemd-agent.ts";

/** What tests of the network domain on real servers share: configs in few words, the way of a change, and the server in its own words. */

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

export const TRIAL = { windowSeconds: 90, reconnectSeconds: 90 };

export type Domains = Readonly<Record<string, Json>>;

export async function onTrial(agent: SystemdAgent, domains: Domains): Promise<{ id: string; nonce: string }> {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepared = await agent.prepareDomains(id, domains, TRIAL);
  expect(prepared, words(prepared)).toMatchObject({ phase: TransactionPhase.PREPARED, code: "" });
  const executed = await agent.execute(id, nonce);
  expect(executed, words(executed)).toMatchObject({ phase: TransactionPhase.ON_TRIAL, code: "" });
  return { id, nonce };
}

export async function apply(agent: SystemdAgent, domains: Domains): Promise<void> {
  const { id, nonce } = await onTrial(agent, domains);
  const confirmed = await agent.confirm(id, nonce);
  expect(confirmed, words(confirmed)).toMatchObject({ phase: TransactionPhase.FINALIZED });
}

export async function refused(agent: SystemdAgent, domains: Domains): Promise<string> {
  const prepared = await agent.prepareDomains(makeRequestId(), domains, TRIAL);
  expect(prepared.phase, words(prepared)).toBe(TransactionPhase.REFUSED);
  return words(prepared);
}

export async function abort(agent: SystemdAgent, id: string): Promise<void> {
  const aborted = await agent.abort(id);
  expect(aborted, words(aborted)).toMatchObject({ phase: TransactionPhase.REVERTED });
}

export function words(transaction: { code: string; message: string }): string {
  return `${transaction.code}: ${transaction.message}`;
}

/** What networkd and the kernel have, without what counts and what is lent for a time. */
const WITHOUT_NUMBERS = "sed -E 's/@if[0-9]+//; s/^[0-9]+: //; s/ +/ /g' | sort";
const LOOK = [
  `ip -br link show | ${WITHOUT_NUMBERS}`,
  `ip -o link show | grep -oE '^[0-9]+: [^:]+|mtu [0-9]+|master [^ ]+' | sed -E 's/@if[0-9]+//; s/^[0-9]+: //'`,
  `ip -o address show | sed 's/valid_lft.*//' | ${WITHOUT_NUMBERS}`,
  "ip -4 route show table all | grep -v -e 'table local' -e 'proto dhcp' -e 'proto ra' | sed 's/ linkdown//' | sort",
  "ip -6 route show table all | grep -v -e 'table local' -e 'proto ra' -e multicast | sed -e 's/ expires [^ ]*//' -e 's/ linkdown//' | sort",
  "ip -4 rule show; ip -6 rule show",
  "ip -d -o link show type bridge | grep -oE '(forward_delay|hello_time|max_age|ageing_time|stp_state| priority|mcast_snooping) [0-9]+'",
  "ip -d -o link show | grep -oE 'bridge_slave|(priority 0x[0-9a-f]+|cost|isolated) ?[a-z0-9]*'",
  "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding",
  "head -n 100 /etc/systemd/network/* /etc/sysctl.d/*holdfast*",
].join("; ");

export async function look(server: LabServer): Promise<string> {
  return (await server.exec(["sh", "-c", LOOK])).stdout;
}

export async function driftOf(agent: SystemdAgent) {
  return (await (await agent.guard()).getState({})).domains.find(({ domain }) => domain === "network");
}
