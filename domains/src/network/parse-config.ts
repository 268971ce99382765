import type { Finding } from "@holdfast/core/base/finding.ts";
import { parseWhole } from "@holdfast/core/base/parse-whole.ts";
import { parseCanonicalAddress } from "@holdfast/core/net/address.ts";
import { parseInterfaceName } from "@holdfast/core/net/interface-name.ts";
import { parseMac } from "@holdfast/core/net/mac.ts";
import {
  formatInterfaceAddress,
  formatNetwork,
  parseInterfaceAddress,
  parseNetwork,
} from "@holdfast/core/net/network.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { parseDomainName } from "./domain-name.ts";
import { finding } from "./findings.ts";
import { type InterfaceConfig, type NetworkConfig, networkConfigSchema } from "./model.ts";

export type ParsedNetwork =
  | { readonly ok: true; readonly config: NetworkConfig }
  | { readonly ok: false; readonly findings: readonly Finding[] };

type Checked = { readonly ok: true } | { readonly ok: false; readonly error: string };

/** Checks a config that comes from outside, every text of it: they become lines of networkd's files, so here is the door where nothing else may pass. */
export function parseNetworkConfig(value: unknown): ParsedNetwork {
  const parsed = parseWhole(networkConfigSchema, value);
  if (!parsed.success) {
    const findings = parsed.error.issues.map((issue) =>
      finding(
        "network.config",
        formatPath(["network", ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))]),
        `The config cannot be read: ${issue.message}.`,
      ),
    );
    return { ok: false, findings };
  }
  const findings = complaintsAbout(parsed.data);
  return findings.length === 0 ? { ok: true, config: parsed.data } : { ok: false, findings };
}

function complaintsAbout(config: NetworkConfig): readonly Finding[] {
  const findings: Finding[] = [];
  const check = (path: string, result: Checked): void => {
    if (!result.ok) findings.push(finding("network.config", path, `The config cannot be used: ${result.error}.`));
  };
  const known = (path: string, role: string): void => {
    if (config.interfaces[role] === undefined)
      check(path, { ok: false, error: `${JSON.stringify(role)} is no interface of this config` });
  };
  for (const [index, address] of config.reachedAt.entries())
    check(`network.reachedAt[${index}]`, parseCanonicalAddress(address));
  for (const [role, one] of Object.entries(config.interfaces)) {
    const at = formatPath(["network", "interfaces", role]);
    check(at, parseItemName(role));
    check(`${at}.bound`, "mac" in one.bound ? canonicalMac(one.bound.mac) : parseInterfaceName(one.bound.name));
    if (one.device !== undefined) {
      const { device } = one;
      if ("mac" in one.bound) check(`${at}.bound`, { ok: false, error: "a device that we make has a name" });
      for (const other of device.kind === "vlan" ? [device.parent] : device.members) known(`${at}.device`, other);
    }
    for (const vlans of [one.port?.vlans, one.device?.kind === "bridge" ? one.device.vlans : undefined])
      for (const { first, last } of vlans?.tagged ?? [])
        if (first > last) check(`${at}.vlans`, { ok: false, error: `the VLANs ${first} to ${last} run backwards` });
    checkFamilies(at, one, check);
    for (const [index, route] of one.routes.entries()) {
      const path = `${at}.routes[${index}]`;
      check(path, canonicalNetwork(route.to));
      if (route.via !== undefined) check(path, parseCanonicalAddress(route.via));
      if (route.source !== undefined) check(path, parseCanonicalAddress(route.source));
      for (const way of route.ways ?? []) {
        check(path, parseCanonicalAddress(way.via));
        if (way.by !== undefined) known(path, way.by);
      }
      if (route.ways !== undefined && (route.via !== undefined || route.is !== undefined || route.onLink))
        check(path, { ok: false, error: "a route over several ways has no other next hop" });
      if (route.is !== undefined && (route.via !== undefined || route.source !== undefined))
        check(path, { ok: false, error: "a dead end has neither next hop nor source" });
    }
    for (const [index, rule] of one.rules.entries()) {
      const path = `${at}.rules[${index}]`;
      if (rule.from !== undefined) check(path, canonicalNetwork(rule.from));
      if (rule.to !== undefined) check(path, canonicalNetwork(rule.to));
      if (rule.in !== undefined) known(path, rule.in);
      if (rule.from === undefined && rule.to === undefined && rule.mark === undefined && rule.in === undefined)
        check(path, { ok: false, error: "a rule says for which packets it is" });
    }
    for (const address of [...one.dns, ...(one.dhcpServer?.dns ?? [])])
      check(`${at}.dns`, parseCanonicalAddress(address));
    for (const domain of one.search) check(`${at}.search`, parseDomainName(domain));
  }
  return findings;
}

function checkFamilies(at: string, one: InterfaceConfig, check: (path: string, result: Checked) => void): void {
  for (const [key, family] of [
    ["ipv4", 4],
    ["ipv6", 6],
  ] as const) {
    for (const [index, address] of one[key].addresses.entries())
      check(`${at}.${key}.addresses[${index}]`, canonicalInterfaceAddress(address, family));
    for (const [index, gateway] of one[key].gateways.entries()) {
      const parsed = parseCanonicalAddress(gateway.via);
      check(`${at}.${key}.gateways[${index}]`, parsed);
      if (parsed.ok && parsed.value.family !== family)
        check(`${at}.${key}.gateways[${index}]`, { ok: false, error: `${gateway.via} is not of ${key}` });
    }
  }
}

function canonicalMac(text: string): Checked {
  const mac = parseMac(text);
  return mac.ok && mac.value !== text ? { ok: false, error: `${text} is not in lower case` } : mac;
}

function canonicalNetwork(text: string): Checked {
  const parsed = parseNetwork(text);
  if (!parsed.ok) return parsed;
  const canonical = formatNetwork(parsed.value);
  return canonical === text ? parsed : { ok: false, error: `${text} is written ${canonical}` };
}

function canonicalInterfaceAddress(text: string, family: 4 | 6): Checked {
  const parsed = parseInterfaceAddress(text);
  if (!parsed.ok) return parsed;
  if (parsed.value.address.family !== family) return { ok: false, error: `${text} is not of IPv${family}` };
  const canonical = formatInterfaceAddress(parsed.value);
  return canonical === text ? parsed : { ok: false, error: `${text} is written ${canonical}` };
}
