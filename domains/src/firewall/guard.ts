import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import {
  type AddressSet,
  addressSetFromText,
  addressSetToJson,
  ANY,
  EMPTY,
  isEmpty,
  isSubset,
  subtract,
  union,
} from "@holdfast/core/net/address-set.ts";
import { isServiceWithin, type Service, servicesOverlap } from "@holdfast/core/net/service.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { addressesOf, peerAddresses, servicesOf } from "./concrete.ts";
import { finding } from "./findings.ts";
import type { FirewallConfig, HookName, Peer, Rule } from "./model.ts";

/**
 * Would this cut the way by which the server is mended? The floor of the config stands above every rule, so it cannot be cut by a rule. It can
 * be missing from the config, when the server's own list of management networks holds more than the floor; and people may come in by a rule
 * that is not in the floor at all.
 */
export function guardFindings(
  confirmed: FirewallConfig | null,
  desired: FirewallConfig,
  path: ManagementPath,
): readonly Finding[] {
  return [...cutFindings(desired, path), ...(confirmed === null ? [] : lostFindings(confirmed, desired, path))];
}

function cutFindings(desired: FirewallConfig, path: ManagementPath): readonly Finding[] {
  const findings: Finding[] = [];
  for (const entry of path.inbound) {
    const networks = unionOf(entry.networks);
    for (const port of entry.tcpPorts) {
      const closed = subtract(networks, openPeers(desired, "inbound", port));
      if (isEmpty(closed)) continue;
      findings.push(
        finding(
          "firewall.management_path_cut",
          "firewall.inbound",
          `${addressSetToJson(closed).join(", ")} could no longer reach tcp/${port}, which the management path of this server needs.`,
        ),
      );
    }
  }
  for (const { address, port } of path.controlPlane) {
    if (isSubset(unionOf([address]), openPeers(desired, "outbound", port))) continue;
    findings.push(
      finding(
        "firewall.management_path_cut",
        "firewall.outbound",
        `The agent could no longer reach the control plane at ${address} port ${port}.`,
      ),
    );
  }
  return findings;
}

/** Sources that could certainly reach a management port and certainly could not any more. */
function lostFindings(confirmed: FirewallConfig, desired: FirewallConfig, path: ManagementPath): readonly Finding[] {
  if (desired.mode === "observe" && confirmed.mode === "observe") return [];
  const ports = [
    ...new Set(
      [...path.inbound, ...desired.floor.inbound, ...confirmed.floor.inbound].flatMap((entry) => entry.tcpPorts),
    ),
  ].toSorted((a, b) => a - b);
  return ports.flatMap((port) => {
    const lost = subtract(openPeers({ ...confirmed, mode: "enforce" }, "inbound", port), possiblePeers(desired, port));
    if (isEmpty(lost)) return [];
    return [
      finding(
        "firewall.management_rule_changed",
        "firewall.inbound",
        `${describe(lost)} could reach tcp/${port}, a port of the management path, and no longer can. Who works from there is shut out.`,
      ),
    ];
  });
}

/** Enough to recognise them; a default that closes would list half of the Internet. */
const MOST_NAMED = 8;

function describe(set: AddressSet): string {
  const texts = addressSetToJson(set);
  return texts.length <= MOST_NAMED
    ? texts.join(", ")
    : `${texts.slice(0, MOST_NAMED).join(", ")} and ${texts.length - MOST_NAMED} more`;
}

/** Who certainly gets through on a TCP port: rules bound to an interface, to an own address or to a time count only where they close. */
export function openPeers(config: FirewallConfig, hook: "inbound" | "outbound", port: number): AddressSet {
  const section = config[hook];
  if (section === undefined || config.mode === "observe") return ANY;
  return walk(config, hook, port, (rule, isConditional) => rule.verb !== "allow" || !isConditional);
}

/** Who may get through under some condition. */
function possiblePeers(config: FirewallConfig, port: number): AddressSet {
  if (config.inbound === undefined || config.mode === "observe") return ANY;
  return walk(config, "inbound", port, (rule, isConditional) => rule.verb === "allow" || !isConditional);
}

function walk(
  config: FirewallConfig,
  hook: "inbound" | "outbound",
  port: number,
  counts: (rule: Rule, isConditional: boolean) => boolean,
): AddressSet {
  const service: Service = { protocol: "tcp", ports: { first: port, last: port } };
  let open = floorPeers(config, hook, port);
  let decided = open;
  // Neighbours of one verb are taken together: set by set, ten thousand rules would cost seconds.
  let pending: { verb: Rule["verb"]; sets: AddressSet[] } = { verb: "allow", sets: [] };
  const settle = (): void => {
    const all = union(...pending.sets);
    if (pending.verb === "allow") open = union(open, subtract(all, decided));
    decided = union(decided, all);
  };
  for (const rule of config[hook]?.rules ?? []) {
    if (
      !servicesOf(rule.services).some((one) => isServiceWithin(service, one)) ||
      !counts(rule, isConditional(hook, rule))
    )
      continue;
    const set = union(...peersOf(hook, rule).map((peer) => peerAddresses(config, peer)));
    if (rule.verb !== pending.verb) {
      settle();
      pending = { verb: rule.verb, sets: [] };
    }
    pending.sets.push(set);
  }
  settle();
  return config[hook]?.default === "allow" ? union(open, subtract(ANY, decided)) : open;
}

function peersOf(hook: HookName, rule: Rule): readonly Peer[] {
  return hook === "inbound" ? rule.from : rule.to;
}

function isConditional(hook: HookName, rule: Rule): boolean {
  const others = hook === "inbound" ? rule.to : rule.from;
  return (
    rule.expires !== undefined ||
    peersOf(hook, rule).some((peer) => peer.interfaces !== undefined) ||
    !others.some((peer) => peer.set === undefined && peer.addresses === undefined)
  );
}

function floorPeers(config: FirewallConfig, hook: "inbound" | "outbound", port: number): AddressSet {
  if (hook === "outbound")
    return unionOf(config.floor.controlPlane.filter((entry) => entry.port === port).map((entry) => entry.address));
  return union(
    ...config.floor.inbound
      .filter((entry) => entry.tcpPorts.includes(port))
      .map((entry) => addressesOf(entry.networks)),
  );
}

/** Texts of the management path come checked from the floor, or from the server's own file; one that cannot be read protects nobody. */
function unionOf(texts: readonly string[]): AddressSet {
  return union(
    ...texts.map((text) => {
      const set = addressSetFromText(text);
      return set.ok ? set.value : EMPTY;
    }),
  );
}

/** Whether anything changes that management packets meet: rules about their ports, the default, the mode, the floor, what is translated. */
export function touchesManagementPath(
  confirmed: FirewallConfig | null,
  desired: FirewallConfig | null,
  path: ManagementPath,
): boolean {
  return canonicalJson(managementSlice(confirmed, path)) !== canonicalJson(managementSlice(desired, path));
}

function managementSlice(config: FirewallConfig | null, path: ManagementPath): Json {
  if (config === null) return null;
  const inbound = tcpServices([...path.inbound, ...config.floor.inbound].flatMap((entry) => entry.tcpPorts));
  const outbound = tcpServices([...path.controlPlane, ...config.floor.controlPlane].map((entry) => entry.port));
  const slice = (hook: "inbound" | "outbound", services: readonly Service[]): Json => {
    const section = config[hook];
    if (section === undefined) return null;
    const rules = section.rules.filter((rule) =>
      servicesOf(rule.services).some((one) => services.some((service) => servicesOverlap(one, service))),
    );
    return {
      default: section.default,
      rules,
      members: rules.flatMap((rule) => peersOf(hook, rule).map((peer) => members(config, peer))),
    };
  };
  const publish = (config.nat?.publish ?? []).filter((item) =>
    servicesOf([item.service]).some((one) => inbound.some((service) => servicesOverlap(one, service))),
  );
  return {
    mode: config.mode,
    floor: config.floor,
    inbound: slice("inbound", inbound),
    outbound: slice("outbound", outbound),
    publish,
  };
}

function members(config: FirewallConfig, peer: Peer): Json {
  const zone =
    peer.interfaces?.startsWith("zone:") === true ? (config.zones[peer.interfaces.slice("zone:".length)] ?? []) : [];
  return [peer.set === undefined ? [] : (config.sets[peer.set] ?? []), zone];
}

function tcpServices(ports: readonly number[]): readonly Service[] {
  return [...new Set(ports)].map((port): Service => ({ protocol: "tcp", ports: { first: port, last: port } }));
}
