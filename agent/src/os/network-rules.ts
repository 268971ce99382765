import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseCanonicalAddress } from "@holdfast/core/net/address.ts";
import { parseInterfaceName } from "@holdfast/core/net/interface-name.ts";
import { parseNetwork } from "@holdfast/core/net/network.ts";
import {
  BRIDGE_SETTINGS,
  type IpRoute,
  type IpRule,
  type IpState,
  type LinkChange,
  MADE_DEVICES,
  PORT_SETTINGS,
  type VlanRange,
} from "@holdfast/core/plan/ip-state.ts";
import type { Action } from "@holdfast/core/plan/step.ts";

/** What the network domain may ask: every text that would become an argument of `ip` or `networkctl` is of its own kind and cannot be an option. */

type NetworkAction = Extract<Action, { readonly kind: "networkd" | "link" | "ip_state" }>;

/** The highest number of a table, a metric, a mark and a priority: 32 bits. */
const HIGHEST = 4_294_967_295;
const LARGEST_MTU = 65_535;
const ROUTE_KINDS = ["unicast", "blackhole", "unreachable", "prohibit"];

export function checkNetworkAction(action: NetworkAction): Result<null, string> {
  switch (action.kind) {
    case "networkd":
      return first([...action.reconfigure, ...action.settle.map(({ link }) => link)].map(checkLink));
    case "link":
      return first([checkLink(action.link), checkChange(action.change)]);
    case "ip_state":
      return first([checkState(action.absent), checkState(action.present)]);
  }
}

const FORWARDING = new Set(["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]);

export function checkForwarding(key: string, value: string): Result<null, string> {
  return FORWARDING.has(key) && (value === "0" || value === "1")
    ? ok(null)
    : err(`the network domain turns forwarding on and off, and nothing else: not ${key} = ${value}`);
}

function checkLink(name: string): Result<null, string> {
  const parsed = parseInterfaceName(name);
  return parsed.ok ? ok(null) : err(`${JSON.stringify(name)} is no link`);
}

function checkChange(change: LinkChange): Result<null, string> {
  switch (change.op) {
    case "mtu":
      return isNumber(change.mtu, LARGEST_MTU) && change.mtu > 0 ? ok(null) : err(`${change.mtu} is no packet size`);
    case "up":
    case "down":
    case "forget_neighbours":
      return ok(null);
    case "delete":
      return change.device !== "xfrm" && MADE_DEVICES.includes(change.device)
        ? ok(null)
        : err(`a ${change.device} is not removed`);
    case "xfrm":
      return err("interfaces of tunnels are of the vpn domain");
    case "bridge":
      return checkSettings(change.settings, BRIDGE_SETTINGS, "a bridge");
    case "vlans":
      return first([...change.absent, ...change.present].map(checkVlans));
    case "port":
      return checkSettings(change.settings, PORT_SETTINGS, "a port of a bridge");
  }
}

const LAST_VLAN = 4094;

function checkVlans({ first: from, last }: VlanRange): Result<null, string> {
  return isNumber(from, LAST_VLAN) && isNumber(last, LAST_VLAN) && from > 0 && from <= last
    ? ok(null)
    : err(`${from}-${last} are no VLANs`);
}

function checkSettings(
  settings: Readonly<Record<string, number>>,
  known: readonly string[],
  of: string,
): Result<null, string> {
  return first(
    Object.entries(settings).map(([setting, value]) =>
      known.includes(setting) && isNumber(value, HIGHEST) ? ok(null) : err(`${setting} is no setting of ${of}`),
    ),
  );
}

function checkState({ addresses, routes, rules, neighbours = [] }: IpState): Result<null, string> {
  return first([
    ...addresses.flatMap(({ link, address }) => [checkLink(link), checkPrefixed(address)]),
    ...routes.map(checkRoute),
    ...rules.map(checkRule),
    ...neighbours.flatMap(({ link, address, mac }) => [checkLink(link), checkAddress(address), checkMac(mac)]),
  ]);
}

function checkMac(text: string): Result<null, string> {
  return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(text)
    ? ok(null)
    : err(`${JSON.stringify(text)} is no hardware address`);
}

function checkPrefixed(text: string): Result<null, string> {
  const [head = "", length = ""] = text.split("/");
  return parseCanonicalAddress(head).ok && /^[0-9]{1,3}$/.test(length)
    ? ok(null)
    : err(`${JSON.stringify(text)} is no address of a link`);
}

function checkRoute(route: IpRoute): Result<null, string> {
  return first([
    checkNetwork(route.to),
    ROUTE_KINDS.includes(route.kind) ? ok(null) : err(`${route.kind} is no kind of route`),
    checkNumbers(route.table, route.metric, route.protocol),
    ...(route.source === null ? [] : [checkAddress(route.source)]),
    ...route.hops.flatMap((hop) => [
      ...(hop.via === null ? [] : [checkAddress(hop.via)]),
      ...(hop.dev === null ? [] : [checkLink(hop.dev)]),
      checkNumbers(hop.weight),
    ]),
  ]);
}

function checkRule(rule: IpRule): Result<null, string> {
  return first([
    checkNumbers(rule.priority, rule.protocol, rule.table ?? 0),
    ...[rule.from, rule.to].flatMap((side) => (side === null ? [] : [checkNetwork(side)])),
    ...(rule.mark === null ? [] : [checkNumbers(rule.mark.value, rule.mark.mask)]),
    ...(rule.in === null ? [] : [checkLink(rule.in)]),
  ]);
}

function checkAddress(text: string): Result<null, string> {
  const parsed = parseCanonicalAddress(text);
  return parsed.ok ? ok(null) : parsed;
}

function checkNetwork(text: string): Result<null, string> {
  const parsed = parseNetwork(text);
  return parsed.ok ? ok(null) : parsed;
}

function checkNumbers(...values: readonly number[]): Result<null, string> {
  const isGood = (value: unknown): boolean => isNumber(value, HIGHEST);
  const bad = values.find((value) => !isGood(value));
  return bad === undefined ? ok(null) : err(`${bad} is no number of 32 bits`);
}

function isNumber(value: unknown, highest: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= highest;
}

function first(results: readonly Result<null, string>[]): Result<null, string> {
  return results.find((result) => !result.ok) ?? ok(null);
}
