import type { Finding } from "@holdfast/core/base/finding.ts";
import type { DomainPlan, PlanInput } from "@holdfast/core/domain.ts";
import { refusalOf } from "./capability.ts";
import { changesTitle, firewallChanges } from "./diff.ts";
import type { FirewallObserved, ObservedHook } from "./facts.ts";
import { finding } from "./findings.ts";
import { guardFindings, touchesManagementPath } from "./guard.ts";
import { kernelNames, rolesOf } from "./interfaces.ts";
import { type FirewallConfig, HOOKS, type HookName, type Peer } from "./model.ts";
import { nativeTable } from "./native.ts";
import { batchBetween } from "./nft-batch.ts";
import type { NativeTable } from "./nft-table.ts";
import { isOpaque } from "./nft-text.ts";
import { batchStep } from "./step.ts";
import { tableDiff } from "./unified-diff.ts";
import { tableMismatches } from "./verify.ts";

/** From what is there to what shall be there in one step: one batch that the kernel takes whole or not at all. */
export function planFirewall(input: PlanInput<FirewallConfig, FirewallObserved>): DomainPlan {
  const { desired, confirmed, observed, managementPath } = input;
  const refusal = refusalOf(observed);
  if (refusal !== null) return { steps: [], nativeDiff: "", findings: [refusal], touchesManagementPath: false };
  const table = desired === null ? null : nativeTable(desired, observed.interfaces);
  const batch = batchBetween(observed.table, table);
  return {
    steps: batch === "" ? [] : [batchStep("firewall.batch", changesTitle(firewallChanges(confirmed, desired)), batch)],
    nativeDiff: tableDiff(observed.table, table),
    findings: [
      ...(desired === null
        ? releaseFindings(observed)
        : [
            ...guardFindings(confirmed, desired, managementPath),
            ...enforcementFindings(confirmed, desired),
            ...placeFindings(desired, observed),
          ]),
      ...driftFindings(confirmed, observed),
      ...(desired === null ? [] : foreignFindings(desired, observed)),
    ],
    touchesManagementPath:
      touchesManagementPath(confirmed, desired, managementPath) || (batch !== "" && confirmed === null),
  };
}

function releaseFindings(observed: FirewallObserved): readonly Finding[] {
  if (observed.table === null) return [];
  return [
    finding(
      "firewall.released",
      "firewall",
      "No policy has a firewall section for this server any more: our table is removed, and nothing of ours is filtered.",
    ),
  ];
}

/** Sessions that began before conntrack knew of them die at the first drop, unless the same rules were observed for a while. */
function enforcementFindings(confirmed: FirewallConfig | null, desired: FirewallConfig): readonly Finding[] {
  if (desired.mode === "observe") return [];
  return HOOKS.flatMap((hook) => {
    const section = desired[hook];
    if (section === undefined || confirmed?.[hook] !== undefined) return [];
    const drops = section.default !== "allow" || section.rules.some((rule) => rule.verb !== "allow");
    if (!drops) return [];
    return [
      finding(
        "firewall.first_enforcement",
        `firewall.${hook}`,
        `The ${hook} rules of this server were never observed: open sessions that the floor does not name may be cut at once, and what would be dropped is not known.`,
      ),
    ];
  });
}

function placeFindings(desired: FirewallConfig, observed: FirewallObserved): readonly Finding[] {
  const roles = usedRoles(desired);
  const names = new Set(observed.interfaces.map((link) => link.name));
  const places = roles.flatMap((role): readonly Finding[] => {
    const found = kernelNames(desired, role, observed.interfaces);
    const binding = desired.interfaces[role];
    const how = binding !== undefined && "mac" in binding ? `hardware address ${binding.mac}` : `name ${found.join()}`;
    if (found.length === 0 || !found.some((name) => names.has(name))) {
      return [
        finding(
          "firewall.interface_missing",
          `firewall.interfaces.${role}`,
          `The server has no interface for the role ${role} (${how}); rules about it match nothing until it is there.`,
        ),
      ];
    }
    if (found.length === 1) return [];
    return [
      finding(
        "firewall.interface_ambiguous",
        `firewall.interfaces.${role}`,
        `Several interfaces have the ${how} of the role ${role}: ${found.join(", ")}. The rules hold for all of them.`,
      ),
    ];
  });
  return [...places, ...forwardingFindings(desired, observed)];
}

function usedRoles(config: FirewallConfig): readonly string[] {
  const peers: readonly Peer[] = [
    ...HOOKS.flatMap((hook) => (config[hook]?.rules ?? []).flatMap((rule) => [...rule.from, ...rule.to])),
    ...(config.nat?.masquerade ?? []).flatMap((item) => [...item.from, ...item.to]),
    ...(config.nat?.publish ?? []).flatMap((item) => item.from),
  ];
  const keys = new Set([
    ...peers.flatMap((peer) => (peer.interfaces === undefined ? [] : [peer.interfaces])),
    ...(config.nat?.publish ?? []).flatMap((item) => [...item.at.interfaces, ...item.hairpin]),
    ...config.needs.flatMap((need) => ("interface" in need ? [`interface:${need.interface}`] : [])),
  ]);
  return [...new Set([...keys].flatMap((key) => rolesOf(config, key)))].toSorted();
}

const FAMILY_WORD = { ipv4: "IPv4", ipv6: "IPv6" } as const;

function forwardingFindings(desired: FirewallConfig, observed: FirewallObserved): readonly Finding[] {
  const wantsFour =
    (desired.forward?.rules.length ?? 0) > 0 ||
    (desired.nat?.masquerade.length ?? 0) > 0 ||
    (desired.nat?.publish ?? []).some((item) => !item.to.includes(":"));
  const wantsSix = (desired.nat?.publish ?? []).some((item) => item.to.includes(":"));
  const off = [
    ...(wantsFour && observed.forwarding.ipv4 === false ? (["ipv4"] as const) : []),
    ...(wantsSix && observed.forwarding.ipv6 === false ? (["ipv6"] as const) : []),
  ];
  return off.map((family) =>
    finding(
      "firewall.forwarding_off",
      `network.forwarding.${family}`,
      `This server does not pass ${FAMILY_WORD[family]} packets on, so forward rules and translations for others do nothing.`,
    ),
  );
}

/** Most differences of one kind of trouble that are told one by one. */
const MOST_TOLD = 5;

function driftFindings(confirmed: FirewallConfig | null, observed: FirewallObserved): readonly Finding[] {
  const expected = confirmed === null ? null : nativeTable(confirmed, observed.interfaces);
  const mismatches = tableMismatches(expected, observed.table);
  const told = mismatches
    .slice(0, MOST_TOLD)
    .map((one) =>
      finding(
        "firewall.drift",
        `firewall.${one.path}`,
        `The live table is not as confirmed: expected ${one.expected}, found ${one.found}.`,
      ),
    );
  const more = mismatches.length - told.length;
  const rest =
    more > 0
      ? [
          finding(
            "firewall.drift",
            "firewall",
            `${more} more differences between the live table and what is confirmed.`,
          ),
        ]
      : [];
  return [...told, ...rest, ...strangeFindings(observed.table)];
}

function strangeFindings(table: NativeTable | null): readonly Finding[] {
  if (table === null) return [];
  const things = [
    ...table.strange,
    ...Object.entries(table.chains).flatMap(([name, chain]) =>
      chain.rules.some(isOpaque) ? [`rules in chain ${name}`] : [],
    ),
    ...Object.entries(table.sets).flatMap(([name, set]) =>
      set.elements.some(isOpaque) ? [`members of set ${name}`] : [],
    ),
  ];
  if (things.length === 0) return [];
  return [
    finding(
      "firewall.strange_in_table",
      "firewall",
      `Somebody else put ${things.join(", ")} into the table inet holdfast; applying removes it.`,
    ),
  ];
}

const NATIVE_HOOKS = { inbound: "input", forward: "forward", outbound: "output" } as const satisfies Record<
  HookName,
  string
>;

/** An accept of ours ends our table only: every other table in the same hook is asked as well, and one drop is enough. */
function foreignFindings(desired: FirewallConfig, observed: FirewallObserved): readonly Finding[] {
  const drops = HOOKS.flatMap((hook) => {
    const closed = observed.foreignHooks.filter((chain) => isInWay(chain, NATIVE_HOOKS[hook]));
    if (desired[hook] === undefined || closed.length === 0) return [];
    const names = closed.map((chain) => `${chain.family} ${chain.table} (chain ${chain.name})`).join(", ");
    return [
      finding(
        "firewall.other_drops",
        `firewall.${hook}`,
        `Another firewall drops ${hook} packets that it does not accept itself: table ${names}. An allow here opens nothing that is closed there.`,
      ),
    ];
  });
  const present = observed.foreignOwners.map((owner) =>
    finding(
      "firewall.other_present",
      "firewall",
      `${owner} has rules of its own on this server; they are left alone and hold beside ours.`,
    ),
  );
  const legacy =
    observed.legacyTables.length === 0
      ? []
      : [
          finding(
            "firewall.legacy_iptables",
            "firewall",
            `The older iptables is loaded on this server (${observed.legacyTables.join(", ")}), and nft cannot show its rules.`,
          ),
        ];
  return [...drops, ...present, ...legacy];
}

function isInWay(chain: ObservedHook, hook: string): boolean {
  const family = chain.family === "ip" || chain.family === "ip6" || chain.family === "inet";
  return family && chain.type === "filter" && chain.hook === hook && chain.policy === "drop";
}
