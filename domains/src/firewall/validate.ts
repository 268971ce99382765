import type { Finding } from "@holdfast/core/base/finding.ts";
import { addressSetToJson, isEmpty, onlyFamily } from "@holdfast/core/net/address-set.ts";
import { isServiceWithin, type Service, servicesOverlap } from "@holdfast/core/net/service.ts";
import { addressesOf, peerAddresses, servicesOf } from "./concrete.ts";
import { ruleMatches } from "./expand.ts";
import { finding } from "./findings.ts";
import { type FirewallConfig, HOOKS, type HookName, type Peer, type Rule } from "./model.ts";
import { findCovered } from "./shadow.ts";

/** What can be said about a desired config alone. Nothing here is an error: the language and the composition refuse what cannot be meant. */
export function validateFirewall(config: FirewallConfig): readonly Finding[] {
  return [...HOOKS.flatMap((hook) => hookFindings(config, hook)), ...publishFindings(config)];
}

/** Rules that have ended. Time is the caller's: a config does not change when the clock moves. */
export function expiredRules(config: FirewallConfig, now: number): readonly Finding[] {
  return HOOKS.flatMap((hook) =>
    (config[hook]?.rules ?? []).flatMap((rule) =>
      rule.expires !== undefined && rule.expires <= now
        ? [
            finding(
              "firewall.rule_expired",
              pathOf(hook, rule),
              `The rule ${rule.name} ended at ${new Date(rule.expires * 1000).toISOString()} and matches nothing.`,
            ),
          ]
        : [],
    ),
  );
}

function pathOf(hook: HookName, rule: Rule): string {
  return `firewall.${hook}.rules.${rule.name}`;
}

/** Of one code in one hook, the first few are told one by one and the rest as a number: ten thousand notes help nobody. */
const MOST_OF_A_KIND = 10;

function bounded(findings: readonly Finding[], rest: (count: number) => Finding): readonly Finding[] {
  if (findings.length <= MOST_OF_A_KIND) return findings;
  return [...findings.slice(0, MOST_OF_A_KIND), rest(findings.length - MOST_OF_A_KIND)];
}

function hookFindings(config: FirewallConfig, hook: HookName): readonly Finding[] {
  const section = config[hook];
  if (section === undefined) return [];
  const { rules } = section;
  const path = `firewall.${hook}.rules`;
  return [
    ...coveredFindings(config, hook, rules),
    ...bounded(
      rules.flatMap((rule) => emptyFinding(config, hook, rule)),
      (count) => finding("firewall.rule_empty", path, `${count} more ${hook} rules match nothing.`),
    ),
    ...bounded(
      rules.flatMap((rule) => ipv6Finding(config, hook, rule)),
      (count) => finding("firewall.ipv6_silent", path, `${count} more ${hook} rules say nothing for IPv6.`),
    ),
    ...rules
      .filter(
        (rule) =>
          rule.verb === "allow" &&
          rule.limit === undefined &&
          rule.services.includes("any") &&
          rule.from.some(isAnybody) &&
          rule.to.some(isAnybody),
      )
      .map((rule) =>
        finding(
          "firewall.allows_everything",
          pathOf(hook, rule),
          `The rule ${rule.name} lets every ${hook} packet through; no later rule and no default is ever asked.`,
        ),
      ),
    ...(hook === "forward" && section.default === "allow"
      ? [
          finding(
            "firewall.forward_default_allow",
            "firewall.forward.default",
            "Every packet that no rule names may pass through this server.",
          ),
        ]
      : []),
    ...(hook === "outbound" && section.default !== "allow" ? egressFindings(rules) : []),
  ];
}

function isAnybody(peer: Peer): boolean {
  return peer.interfaces === undefined && peer.addresses === undefined && peer.set === undefined;
}

function coveredFindings(config: FirewallConfig, hook: HookName, rules: readonly Rule[]): readonly Finding[] {
  const check = findCovered(config, rules);
  const findings = check.covers.map(({ rule, by }) =>
    rule.verb === by.verb
      ? finding(
          "firewall.rule_redundant",
          pathOf(hook, rule),
          `The rule ${rule.name} matches nothing that ${by.name}, above it, has not already decided the same way (${by.verb}).`,
        )
      : finding(
          "firewall.rule_shadowed",
          pathOf(hook, rule),
          `The rule ${rule.name} (${rule.verb}) never matches: ${by.name}, above it, takes all of its packets (${by.verb}).`,
        ),
  );
  const unfinished = check.isComplete
    ? []
    : [
        finding(
          "firewall.shadow_check_bounded",
          `firewall.${hook}.rules`,
          `There are so many alike ${hook} rules that not all were compared with each other.`,
        ),
      ];
  return [
    ...bounded(findings, (count) =>
      finding("firewall.rule_shadowed", `firewall.${hook}.rules`, `${count} more ${hook} rules never match.`),
    ),
    ...unfinished,
  ];
}

function emptyFinding(config: FirewallConfig, hook: HookName, rule: Rule): readonly Finding[] {
  if (ruleMatches(config, hook, rule).length > 0) return [];
  const isNobody = (peers: readonly Peer[]): boolean => peers.every((peer) => isEmpty(peerAddresses(config, peer)));
  if (isNobody(rule.from) || isNobody(rule.to)) {
    const names = [...rule.from, ...rule.to].flatMap((peer) =>
      peer.set !== undefined && isEmpty(peerAddresses(config, peer)) ? [peer.set] : [],
    );
    return [
      finding(
        "firewall.rule_empty",
        pathOf(hook, rule),
        `The rule ${rule.name} matches nothing: ${names.length === 0 ? "it has no addresses" : `${names.join(", ")} has no addresses`}.`,
      ),
    ];
  }
  return [
    finding(
      "firewall.rule_unreachable_family",
      pathOf(hook, rule),
      `The rule ${rule.name} matches nothing: its from is of one family and its to of the other.`,
    ),
  ];
}

/** A rule with IPv4 addresses only: its IPv6 packets meet whatever comes later, which is what most authors do not think of. */
function ipv6Finding(config: FirewallConfig, hook: HookName, rule: Rule): readonly Finding[] {
  const written = [...rule.from, ...rule.to].filter((peer) => peer.addresses !== undefined || peer.set !== undefined);
  if (written.length === 0) return [];
  const sets = written.map((peer) => peerAddresses(config, peer));
  if (sets.some((set) => set.v6.length > 0) || sets.every(isEmpty)) return [];
  return [
    finding(
      "firewall.ipv6_silent",
      pathOf(hook, rule),
      `The rule ${rule.name} (${rule.verb}) says nothing for IPv6: all its addresses are IPv4.`,
    ),
  ];
}

const DNS: Service = { protocol: "udp", ports: { first: 53, last: 53 } };
const NTP: Service = { protocol: "udp", ports: { first: 123, last: 123 } };

function egressFindings(rules: readonly Rule[]): readonly Finding[] {
  const allows = (asked: Service): boolean =>
    rules.some(
      (rule) => rule.verb === "allow" && servicesOf(rule.services).some((service) => isServiceWithin(asked, service)),
    );
  const missing = [...(allows(DNS) ? [] : ["names (udp/53)"]), ...(allows(NTP) ? [] : ["time (udp/123)"])];
  if (missing.length === 0) return [];
  return [
    finding(
      "firewall.egress_names_time",
      "firewall.outbound.default",
      `Outbound closes by default and no rule lets this server ask for ${missing.join(" and ")}.`,
    ),
  ];
}

function publishFindings(config: FirewallConfig): readonly Finding[] {
  return (config.nat?.publish ?? []).flatMap((publish) => {
    const [service] = servicesOf([publish.service]);
    if (service === undefined) return [];
    const inner = addressesOf([publish.to]);
    const served = (config.inbound?.rules ?? []).find(
      (rule) =>
        rule.verb === "allow" &&
        !rule.services.includes("any") &&
        servicesOf(rule.services).some((one) => servicesOverlap(one, service)),
    );
    return [
      ...(served === undefined
        ? []
        : [
            finding(
              "firewall.port_published_and_served",
              `firewall.nat.publish.${publish.name}`,
              `${publish.service} goes to ${publish.to}, so the inbound rule ${served.name} is not asked for packets that come in there.`,
            ),
          ]),
      ...(publish.from.every((peer) => isEmpty(onlyFamily(peerAddresses(config, peer), inner.v4.length > 0 ? 4 : 6)))
        ? [
            finding(
              "firewall.rule_empty",
              `firewall.nat.publish.${publish.name}`,
              `Nobody can use ${publish.name}: none of its sources is of the family of ${addressSetToJson(inner).join()}.`,
            ),
          ]
        : []),
    ];
  });
}
