import type { Finding } from "@holdfast/core/base/finding.ts";
import type { PlanInput } from "@holdfast/core/domain.ts";
import { hardwareWith, kernelName, linkOf } from "./binding.ts";
import { needsVlans } from "./capability.ts";
import { finding } from "./findings.ts";
import { foreignFileFor, sortsFirst } from "./foreign-file.ts";
import { linksMatched, ownDevices } from "./live.ts";
import { type NetworkConfig, rolesOf } from "./model.ts";
import { LEARNT_PROTOCOLS, type NetworkObserved, type ObservedLink, SET_PROTOCOLS } from "./observed.ts";
import { confirmedPath, inForce, trialPath } from "./own-file.ts";
import { verifyNetwork } from "./verify.ts";
import { comparable, routeInWords } from "./wanted.ts";

export interface PlanFacts extends PlanInput<NetworkConfig, NetworkObserved> {
  /** Kernel names of the links that are set up anew. */
  readonly touched: ReadonlySet<string>;
  readonly reloads: boolean;
}

/** Everything there is to say about this plan on this server, besides the management path. */
export function findingsOfPlan(facts: PlanFacts): readonly Finding[] {
  const { desired, observed } = facts;
  return [
    ...(desired === null
      ? [
          finding(
            "network.released",
            "network",
            "No policy has a network section for this server any more: our files are removed.",
          ),
        ]
      : [
          ...rolesOf(desired).flatMap((role) => interfaceFindings(facts, desired, role)),
          ...kernelFindings(desired, observed),
          ...competitorFindings(desired, observed),
          ...dnsFindings(desired, observed),
        ]),
    ...releaseFindings(facts),
    ...driftFindings(facts),
    ...(facts.reloads ? strangeFindings(observed) : []),
  ];
}

function interfaceFindings(facts: PlanFacts, desired: NetworkConfig, role: string): readonly Finding[] {
  const { observed } = facts;
  const one = desired.interfaces[role];
  const path = `network.interfaces.${role}`;
  if (one === undefined) return [];
  const link = linkOf(desired, role, observed);
  const { bound } = one;
  if ("mac" in bound && hardwareWith(bound.mac, observed.links).length > 1) {
    const names = hardwareWith(bound.mac, observed.links).map((each) => each.name);
    return [
      finding(
        "network.interface_ambiguous",
        path,
        `Several interfaces have the hardware address ${bound.mac} of ${role}: ${names.join(", ")}.`,
      ),
    ];
  }
  if (link === null) {
    if (one.device !== undefined) return [];
    const how = "mac" in bound ? `with the hardware address ${bound.mac}` : `called ${bound.name}`;
    return [
      finding(
        "network.interface_missing",
        path,
        `The server has no interface ${how} for ${role}; its settings wait until it is there.`,
      ),
    ];
  }
  const isOwnDevice = ownDevices(inForce(observed.own)).has(link.name);
  if (one.device !== undefined && !isOwnDevice)
    return [
      finding(
        "network.device_foreign",
        path,
        `The server has a ${link.kind ?? "hardware interface"} called ${link.name} already, which Holdfast did not make.`,
      ),
    ];
  const waits = one.enable && (one.ipv4.method === "dhcp" || one.ipv6.method === "dhcp" || one.ipv6.method === "ra");
  return [
    ...(waits && !link.carrier
      ? [
          finding(
            "network.no_carrier",
            path,
            `${link.name} has no carrier, and ${role} is to learn its addresses there.`,
          ),
        ]
      : []),
    ...fileFindings(path, role, link),
    ...removedFindings(facts, desired, role, link),
  ];
}

function fileFindings(path: string, role: string, link: ObservedLink): readonly Finding[] {
  const { file } = link;
  const own = [trialPath(`${role}.network`), confirmedPath(`${role}.network`)];
  if (file === null || own.includes(file)) return [];
  return sortsFirst(file)
    ? [finding("network.foreign_first", path, `networkd takes ${file} for ${link.name} before any file of ours.`)]
    : [
        finding(
          "network.takes_over",
          path,
          `${link.name} is set up by ${file} now; the file of ours holds in its place.`,
        ),
      ];
}

/** What stands on the link by hand or by a file that is not ours, and will not any more. */
function removedFindings(
  facts: PlanFacts,
  desired: NetworkConfig,
  role: string,
  link: ObservedLink,
): readonly Finding[] {
  const { confirmed, observed, touched } = facts;
  const one = desired.interfaces[role];
  if (one === undefined || !touched.has(link.name)) return [];
  const path = `network.interfaces.${role}`;
  const known = [desired, confirmed].flatMap((config) => {
    const each = config?.interfaces[role];
    return each === undefined ? [] : [...each.ipv4.addresses, ...each.ipv6.addresses];
  });
  const addresses = link.addresses.filter((each) => each.source === "set" && !known.includes(each.address));
  const wasOurs = confirmed?.interfaces[role] !== undefined;
  const routes = wasOurs
    ? []
    : observed.routes.filter(
        (route) => SET_PROTOCOLS.has(route.protocol) && route.hops.some((hop) => hop.dev === link.name),
      );
  return [
    ...addresses.map((each) =>
      finding(
        "network.address_removed",
        path,
        `${each.address} of ${link.name} is not in the policy and is taken away.`,
      ),
    ),
    ...routes.flatMap((route) => {
      const words = `the route ${routeInWords(comparable(route))}`;
      return isStated(one, route)
        ? []
        : [finding("network.route_removed", path, `On ${link.name}, ${words} is not in the policy and is taken away.`)];
    }),
  ];
}

function isStated(one: NetworkConfig["interfaces"][string], route: NetworkObserved["routes"][number]): boolean {
  const gateways = route.family === 4 ? one.ipv4.gateways : one.ipv6.gateways;
  const isDefault = route.to === "0.0.0.0/0" || route.to === "::/0";
  return (
    (isDefault && gateways.some(({ via }) => route.hops.some((hop) => hop.via === via))) ||
    one.routes.some((each) => each.to === route.to && each.table === route.table)
  );
}

function kernelFindings(desired: NetworkConfig, observed: NetworkObserved): readonly Finding[] {
  return rolesOf(desired).flatMap((role) => {
    const device = desired.interfaces[role]?.device;
    const kind = needsVlans(device) ? "vlan" : device?.kind === "bond" ? "bond" : null;
    if (kind === null) return [];
    const can = observed.kernel[kind];
    if (can === true) return [];
    const path = `network.interfaces.${role}`;
    if (device?.kind === "bridge")
      return can === false
        ? [
            finding(
              "network.kernel_lacks",
              path,
              `The kernel of this server knows no VLANs, and the bridge ${role} is to tell them apart.`,
            ),
          ]
        : [];
    return can === false
      ? [finding("network.kernel_lacks", path, `The kernel of this server cannot make a ${kind}, which ${role} is.`)]
      : [
          finding(
            "network.kernel_unknown",
            path,
            `It could not be found out whether the kernel of this server can make a ${kind}.`,
          ),
        ];
  });
}

function competitorFindings(desired: NetworkConfig, observed: NetworkObserved): readonly Finding[] {
  if (rolesOf(desired).length === 0) return [];
  return observed.competing.map((what) => finding("network.competing_manager", "network", `On this server ${what}.`));
}

function dnsFindings(desired: NetworkConfig, observed: NetworkObserved): readonly Finding[] {
  if (observed.resolved) return [];
  return rolesOf(desired).flatMap((role) =>
    (desired.interfaces[role]?.dns.length ?? 0) === 0
      ? []
      : [
          finding(
            "network.dns_unused",
            `network.interfaces.${role}.dns`,
            `systemd-resolved does not run on this server, so the name servers of ${role} are asked by nobody.`,
          ),
        ],
  );
}

function releaseFindings({ desired, observed }: PlanFacts): readonly Finding[] {
  const wanted = new Set(
    desired === null ? [] : rolesOf(desired).map((role) => kernelName(desired, role, observed.links)),
  );
  return Object.entries(inForce(observed.own)).flatMap(([name, text]) => {
    if (!name.endsWith(".network")) return [];
    const devices = ownDevices(inForce(observed.own));
    return linksMatched(text, observed.links)
      .filter((link) => !wanted.has(link.name) && !devices.has(link.name) && foreignFileFor(link, observed) === null)
      .map((link) =>
        finding(
          "network.released_bare",
          "network",
          `${link.name} is in no policy any more, and no other file of networkd is for it: it keeps nothing.`,
        ),
      );
  });
}

/** Most differences that are told one by one. */
const MOST_TOLD = 5;

function driftFindings({ confirmed, observed }: PlanFacts): readonly Finding[] {
  if (confirmed === null) return [];
  return verifyNetwork(confirmed, observed)
    .slice(0, MOST_TOLD)
    .map((one) =>
      finding(
        "network.drift",
        `network.${one.path}`,
        `The server is not as confirmed: expected ${one.expected}, found ${one.found}.`,
      ),
    );
}

/** Rules and routes of others that networkd may drop and that we could not make again. */
function strangeFindings(observed: NetworkObserved): readonly Finding[] {
  return observed.rules
    .filter((rule) => rule.isStrange && !LEARNT_PROTOCOLS.has(rule.protocol))
    .map((rule) =>
      finding(
        "network.cannot_put_back",
        "network",
        `The routing rule with priority ${rule.priority} is of a kind that cannot be made again, and networkd drops rules that it does not know.`,
      ),
    );
}
