import type { Finding } from "@holdfast/core/base/finding.ts";
import { parseWhole } from "@holdfast/core/base/parse-whole.ts";
import { addressSetFromJson } from "@holdfast/core/net/address-set.ts";
import { parseCanonicalAddress } from "@holdfast/core/net/address.ts";
import { parseInterfaceName } from "@holdfast/core/net/interface-name.ts";
import { parseMac } from "@holdfast/core/net/mac.ts";
import { parseService } from "@holdfast/core/net/service.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { finding } from "./findings.ts";
import { type FirewallConfig, firewallConfigSchema, HOOKS, type Peer } from "./model.ts";

export type ParsedFirewall =
  | { readonly ok: true; readonly config: FirewallConfig }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/**
 * Checks a config that comes from outside, every text of it: names become identifiers and interface names become strings of nft, so here is
 * the door where nothing else may pass.
 */
export function parseFirewallConfig(value: unknown): ParsedFirewall {
  const parsed = parseWhole(firewallConfigSchema, value);
  if (!parsed.success) {
    const findings = parsed.error.issues.map((issue) =>
      finding(
        "firewall.config",
        formatPath(["firewall", ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))]),
        `The config cannot be read: ${issue.message}.`,
      ),
    );
    return { ok: false, findings };
  }
  const findings = complaintsAbout(parsed.data);
  return findings.length === 0 ? { ok: true, config: parsed.data } : { ok: false, findings };
}

function complaintsAbout(config: FirewallConfig): readonly Finding[] {
  const findings: Finding[] = [];
  const complain = (path: string, message: string): void => {
    findings.push(finding("firewall.config", path, `The config cannot be used: ${message}.`));
  };
  const check = (
    path: string,
    result: { readonly ok: true } | { readonly ok: false; readonly error: string },
  ): void => {
    if (!result.ok) complain(path, result.error);
  };
  const unique = (path: string, items: readonly { readonly name: string }[]): void => {
    const seen = new Set<string>();
    for (const [index, { name }] of items.entries()) {
      check(`${path}[${index}].name`, parseItemName(name));
      if (seen.has(name)) complain(`${path}[${index}].name`, `${name} stands twice`);
      seen.add(name);
    }
  };
  const role = (path: string, name: string): void => {
    const binding = config.interfaces[name];
    if (binding === undefined) check(path, parseInterfaceName(name));
    else if ("mac" in binding) check(path, parseMac(binding.mac));
    else check(path, parseInterfaceName(binding.name));
  };
  const place = (path: string, key: string): void => {
    const [kind, name = ""] = key.split(":", 2);
    if (kind === "interface") role(path, name);
    else if (kind !== "zone" || config.zones[name] === undefined)
      complain(path, `${key} is neither a zone of this config nor an interface`);
  };
  const peers = (path: string, list: readonly Peer[]): void => {
    for (const [index, peer] of list.entries()) {
      const at = `${path}[${index}]`;
      if (peer.interfaces !== undefined) place(at, peer.interfaces);
      if (peer.addresses !== undefined) check(at, addressSetFromJson(peer.addresses));
      if (peer.set !== undefined && config.sets[peer.set] === undefined)
        complain(at, `the set ${peer.set} is not in this config`);
      if (peer.set !== undefined && peer.addresses !== undefined) complain(at, "a peer has either addresses or a set");
    }
  };
  const ports = (path: string, list: readonly number[]): void => {
    if (list.length === 0 || list.some((port) => port < 1 || port > 65_535))
      complain(path, "ports are numbers from 1 to 65535");
  };

  for (const [index, entry] of config.floor.inbound.entries()) {
    const at = `firewall.floor.inbound[${index}]`;
    check(`${at}.name`, parseItemName(entry.name));
    check(`${at}.networks`, addressSetFromJson(entry.networks));
    ports(`${at}.tcpPorts`, entry.tcpPorts);
  }
  for (const [index, entry] of config.floor.controlPlane.entries()) {
    check(`firewall.floor.controlPlane[${index}].address`, parseCanonicalAddress(entry.address));
    ports(`firewall.floor.controlPlane[${index}].port`, [entry.port]);
  }
  for (const [name, roles] of Object.entries(config.zones)) {
    check(`firewall.zones.${name}`, parseItemName(name));
    for (const one of roles) role(`firewall.zones.${name}`, one);
  }
  for (const [key, texts] of Object.entries(config.sets))
    check(`firewall.sets[${JSON.stringify(key)}]`, addressSetFromJson(texts));
  for (const hook of HOOKS) {
    const section = config[hook];
    if (section === undefined) continue;
    const at = `firewall.${hook}.rules`;
    unique(at, section.rules);
    for (const [index, rule] of section.rules.entries()) {
      peers(`${at}[${index}].from`, rule.from);
      peers(`${at}[${index}].to`, rule.to);
      if (rule.services.length === 0) complain(`${at}[${index}].services`, "a rule names at least one service");
      for (const service of rule.services) check(`${at}[${index}].services`, parseService(service));
    }
  }
  unique("firewall.nat.masquerade", config.nat?.masquerade ?? []);
  unique("firewall.nat.publish", config.nat?.publish ?? []);
  for (const [index, item] of (config.nat?.masquerade ?? []).entries()) {
    peers(`firewall.nat.masquerade[${index}].from`, item.from);
    peers(`firewall.nat.masquerade[${index}].to`, item.to);
    if (item.as !== undefined) check(`firewall.nat.masquerade[${index}].as`, parseCanonicalAddress(item.as));
  }
  for (const [index, item] of (config.nat?.publish ?? []).entries()) {
    const at = `firewall.nat.publish[${index}]`;
    peers(`${at}.from`, item.from);
    for (const key of [...item.at.interfaces, ...item.hairpin]) place(`${at}.at`, key);
    check(`${at}.at`, addressSetFromJson(item.at.addresses));
    check(`${at}.to`, parseCanonicalAddress(item.to));
    const service = parseService(item.service);
    if (!service.ok || (service.value.protocol !== "tcp" && service.value.protocol !== "udp"))
      complain(`${at}.service`, "only TCP and UDP ports can be published");
    if (item.port !== undefined) ports(`${at}.port`, [item.port]);
  }
  for (const [index, need] of config.needs.entries()) {
    if ("interface" in need) role(`firewall.needs[${index}]`, need.interface);
    else if (need.peer !== null) check(`firewall.needs[${index}]`, parseCanonicalAddress(need.peer));
  }
  return findings;
}
