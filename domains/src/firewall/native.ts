import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { assertNever } from "@holdfast/core/base/never.ts";
import { addressSetToJson, onlyFamily } from "@holdfast/core/net/address-set.ts";
import type { Family } from "@holdfast/core/net/address.ts";
import { chunksOf } from "./chunk.ts";
import { addressesOf } from "./concrete.ts";
import { ruleMatches } from "./expand.ts";
import { kernelNamesOfKey, type ObservedInterface } from "./interfaces.ts";
import { lockedRules } from "./locked.ts";
import { matchStatements } from "./match-text.ts";
import type { AddressTest, InterfaceTest, Match } from "./match.ts";
import { type FirewallConfig, type Hook, HOOKS, type HookName, type Rate, type Rule } from "./model.ts";
import { chainNames, counterNames, setNames } from "./names.ts";
import { natChains, publishRules } from "./native-nat.ts";
import {
  accept,
  counter,
  drop,
  goto,
  inlineCounter,
  jump,
  limit,
  log,
  match,
  meta,
  payload,
  type Statement,
} from "./nft-expression.ts";
import type { NativeChain, NativeHook, NativeSet, NativeTable } from "./nft-table.ts";
import { ruleText, sortedElements } from "./nft-text.ts";

/** What the table is built into: whatever a rule refers to is declared by writing the rule. */
export interface TableDraft {
  readonly config: FirewallConfig;
  readonly chains: Map<string, NativeChain>;
  /** Whether plain rules count by name, so that their numbers outlive every change. */
  readonly hasOwnCounters: boolean;
  /** A rule that counts under `counterName`, if given. */
  rule(of: Match | null, statements: readonly Statement[], counterName?: string): string;
  /** The shared chain that tells the sender. */
  rejectChain(): string;
  readonly sourceSets: Map<string, NativeSet>;
}

/** The whole table that a config asks for on a server with these interfaces. */
export function nativeTable(config: FirewallConfig, observed: readonly ObservedInterface[]): NativeTable {
  const links = canonicalJson(observed.map(({ name, mac, kind }) => [name, mac, kind]));
  const known = built.get(config);
  if (known?.links === links) return known.table;
  const table = buildTable(config, observed);
  built.set(config, { links, table });
  return table;
}

/** A config never changes, and plan, verify and read-back all ask for its table. */
const built = new WeakMap<FirewallConfig, { readonly links: string; readonly table: NativeTable }>();

function buildTable(config: FirewallConfig, observed: readonly ObservedInterface[]): NativeTable {
  const used = {
    interfaces: new Set<string>(),
    addresses: new Map<string, { key: string; family: Family }>(),
    counters: new Set<string>(),
  };
  const chains = new Map<string, NativeChain>();
  const sourceSets = new Map<string, NativeSet>();
  const draft: TableDraft = {
    config,
    chains,
    hasOwnCounters: HOOKS.reduce((sum, hook) => sum + (config[hook]?.rules.length ?? 0), 0) <= MOST_NAMED_COUNTERS,
    sourceSets,
    rule(of, statements, counterName) {
      if (of !== null) noteUse(of, used);
      if (counterName !== undefined) used.counters.add(counterName);
      const verdictAt = statements.length - 1;
      const withCounter =
        counterName === undefined
          ? statements
          : [...statements.slice(0, verdictAt), counter(counterName), ...statements.slice(verdictAt)];
      return ruleText([...(of === null ? [] : matchStatements(of)), ...withCounter]);
    },
    rejectChain() {
      chains.set(REJECT_CHAIN, {
        hook: null,
        rules: [
          ruleText([match(meta("l4proto"), TCP), { reject: { type: "tcp reset" } }]),
          ruleText([{ reject: { type: "icmpx", expr: "admin-prohibited" } }]),
        ],
      });
      return REJECT_CHAIN;
    },
  };
  for (const hook of HOOKS) {
    const section = config[hook];
    if (section !== undefined) buildHook(draft, hook, section);
  }
  natChains(draft);
  const sets: Record<string, NativeSet> = Object.fromEntries(sourceSets);
  for (const key of used.interfaces)
    sets[setNames.interfaces(key)] = interfaceSet(kernelNamesOfKey(config, key, observed));
  for (const [name, { key, family }] of used.addresses) sets[name] = addressSet(config, key, family);
  return { chains: Object.fromEntries(chains), sets, counters: [...used.counters].toSorted(), strange: [] };
}

/**
 * Before it adds a rule, nft 1.0.6 fetches every named object there is: with 10,000 counters a change of one rule took 45 ms instead of 3.
 * Larger rule sets count inside the rule, and a chain that is written again (about 64 rules) begins at zero.
 */
const MOST_NAMED_COUNTERS = 1024;
const REJECT_CHAIN = "act_reject";
/** IANA protocol number. */
const TCP = 6;
/** Log lines at once before the rate holds; nft's own default. */
const LOG_BURST = 5;
/** Would-be drops are logged without being asked: seeing them is what observing is for. */
const OBSERVE_LOG: Rate = { count: 5, per: "second" };

function noteUse(
  of: Match,
  used: { interfaces: Set<string>; addresses: Map<string, { key: string; family: Family }> },
): void {
  for (const test of [of.in, of.out] as readonly (InterfaceTest | undefined)[])
    if (test?.kind === "set") used.interfaces.add(test.key);
  for (const test of [of.source, of.destination] as readonly (AddressTest | undefined)[]) {
    if (test?.kind === "set" && of.family !== undefined)
      used.addresses.set(setNames.addresses(test.key, of.family), { key: test.key, family: of.family });
  }
}

function interfaceSet(names: readonly string[]): NativeSet {
  return {
    type: "ifname",
    interval: false,
    timeout: null,
    size: null,
    elements: sortedElements(names.map((name) => `"${name}"`)),
  };
}

function addressSet(config: FirewallConfig, key: string, family: Family): NativeSet {
  const members = addressSetToJson(onlyFamily(addressesOf(config.sets[key] ?? []), family));
  return {
    type: family === 4 ? "ipv4_addr" : "ipv6_addr",
    interval: true,
    timeout: null,
    size: null,
    elements: sortedElements(members),
  };
}

const NATIVE_HOOKS = { inbound: "input", forward: "forward", outbound: "output" } as const satisfies Record<
  HookName,
  string
>;
/** NF_IP_PRI_FILTER. */
const FILTER_PRIORITY = 0;

function buildHook(draft: TableDraft, hook: HookName, section: Hook): void {
  const observing = draft.config.mode === "observe";
  draft.chains.set(chainNames.locked(hook), { hook: null, rules: lockedChain(draft, hook) });
  const rules: string[] = [
    ...(section.mssClamp === undefined ? [] : [mssClampRule(section.mssClamp)]),
    ruleText([jump(chainNames.locked(hook))]),
  ];
  if (hook === "forward") rules.push(...publishRules(draft));
  for (const chunk of chunksOf(section.rules)) {
    const name = chainNames.chunk(hook, chunk.first);
    draft.chains.set(name, { hook: null, rules: chunk.items.flatMap((rule) => buildRule(draft, hook, rule)) });
    rules.push(ruleText([jump(name)]));
  }
  rules.push(...defaultRules(draft, hook, section));
  const native: NativeHook = {
    type: "filter",
    hook: NATIVE_HOOKS[hook],
    priority: FILTER_PRIORITY,
    policy: observing || section.default === "allow" ? "accept" : "drop",
  };
  draft.chains.set(chainNames.hook(hook), { hook: native, rules });
}

/** Only the first packets of a connection carry the option. */
function mssClampRule(size: "path" | number): string {
  const syn = { "&": [payload("tcp", "flags"), ["syn", "rst"]] };
  const key = { "tcp option": { name: "maxseg", field: "size" } };
  return ruleText([match(syn, "syn"), { mangle: { key, value: size === "path" ? { rt: { key: "mtu" } } : size } }]);
}

function lockedChain(draft: TableDraft, hook: HookName): readonly string[] {
  return lockedRules(draft.config, hook).flatMap((rule) => {
    const isFrequent = rule.name === "established" || rule.name === "loopback";
    const verdict = rule.verdict === "accept" || draft.config.mode === "observe" ? accept : drop;
    return rule.matches.map((of) =>
      draft.rule(of, [verdict], isFrequent ? undefined : counterNames.locked(hook, rule.name)),
    );
  });
}

function logStatements(rate: Rate, words: readonly string[]): readonly Statement[] {
  return [limit(rate, LOG_BURST, false), log(`holdfast ${words.join(" ")} `)];
}

/** What ends the evaluation of a packet, after counting. */
function verdictStatement(draft: TableDraft, verb: Rule["verb"]): Statement {
  switch (verb) {
    case "allow":
      return accept;
    case "drop":
      return drop;
    case "reject":
      return goto(draft.rejectChain());
    default:
      return assertNever(verb, "verb");
  }
}

function defaultRules(draft: TableDraft, hook: HookName, section: Hook): readonly string[] {
  if (section.default === "allow") return [draft.rule(null, [accept], counterNames.default(hook))];
  if (draft.config.mode === "observe") {
    return [
      ruleText(logStatements(section.log ?? OBSERVE_LOG, ["observe", hook, "default", section.default])),
      draft.rule(null, [accept], counterNames.observedDefault(hook)),
    ];
  }
  return [
    ...(section.log === undefined ? [] : [ruleText(logStatements(section.log, [hook, "default", section.default]))]),
    draft.rule(null, [verdictStatement(draft, section.default)], counterNames.default(hook)),
  ];
}

function buildRule(draft: TableDraft, hook: HookName, rule: Rule): readonly string[] {
  const matches = ruleMatches(draft.config, hook, rule);
  if (matches.length === 0) return [];
  const wouldDrop = draft.config.mode === "observe" && rule.verb !== "allow";
  if (rule.limit === undefined && rule.log === undefined && !wouldDrop) {
    const verdict = verdictStatement(draft, rule.verb);
    if (draft.hasOwnCounters) return matches.map((of) => draft.rule(of, [verdict], counterNames.rule(hook, rule.name)));
    return matches.map((of) => draft.rule(of, [inlineCounter, verdict]));
  }
  const action = chainNames.action(hook, rule.name);
  draft.chains.set(action, { hook: null, rules: actionRules(draft, hook, rule, matches, wouldDrop) });
  return matches.map((of) => draft.rule(of, [goto(action)]));
}

/** The shared end of all native rules of one rule, so that a limit is one limit however many native rules lead here. */
function actionRules(
  draft: TableDraft,
  hook: HookName,
  rule: Rule,
  matches: readonly Match[],
  wouldDrop: boolean,
): readonly string[] {
  const observing = draft.config.mode === "observe";
  const rate = rule.log ?? (wouldDrop ? OBSERVE_LOG : undefined);
  return [
    ...limitRules(draft, hook, rule, matches),
    ...(rate === undefined
      ? []
      : [ruleText(logStatements(rate, [...(observing ? ["observe"] : []), hook, rule.name, rule.verb]))]),
    wouldDrop
      ? draft.rule(null, [accept], counterNames.observed(hook, rule.name))
      : draft.rule(null, [verdictStatement(draft, rule.verb)], counterNames.rule(hook, rule.name)),
  ];
}

/** Seconds in a unit of rate. */
const SECONDS = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const satisfies Record<Rate["per"], number>;
/** A source is forgotten when its allowance is long full again; at least a minute, so that a busy set is not churned. */
const LEAST_MEMORY_SECONDS = 60;
/** Sources remembered at once. Beyond it a new source is not limited: the rule still lets it through, and nobody known is forgotten. */
const SOURCES = 65_535;
/** One IPv6 subscriber has at least a /64: a limit per single address would be no limit. */
const IPV6_SOURCE_MASK = "ffff:ffff:ffff:ffff::";

function limitRules(draft: TableDraft, hook: HookName, rule: Rule, matches: readonly Match[]): readonly string[] {
  if (rule.limit === undefined) return [];
  const { rate, burst, per } = rule.limit;
  const observing = draft.config.mode === "observe";
  const verdict = observing ? accept : drop;
  const count = observing ? counterNames.observedLimited(hook, rule.name) : counterNames.limited(hook, rule.name);
  if (per === "rule") return [draft.rule(null, [limit(rate, burst, true), verdict], count)];
  const families = ([4, 6] as const).filter((family) =>
    matches.some((of) => of.family === undefined || of.family === family),
  );
  const timeout = Math.max(LEAST_MEMORY_SECONDS, Math.ceil((2 * burst * SECONDS[rate.per]) / rate.count));
  return families.map((family) => {
    const name = setNames.sources(hook, rule.name, family, timeout);
    draft.sourceSets.set(name, {
      type: family === 4 ? "ipv4_addr" : "ipv6_addr",
      interval: false,
      timeout,
      size: SOURCES,
      elements: [],
    });
    const source = payload(family === 4 ? "ip" : "ip6", "saddr");
    const elem = family === 4 ? source : { "&": [source, IPV6_SOURCE_MASK] };
    return draft.rule(
      null,
      [{ set: { op: "update", elem, set: `@${name}`, stmt: [limit(rate, burst, true)] } }, verdict],
      count,
    );
  });
}
