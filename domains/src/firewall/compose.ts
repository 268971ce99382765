import type { Composed, ComposeInput } from "@holdfast/core/compose/layered-section.ts";
import type { Origin } from "@holdfast/core/compose/effective-config.ts";
import { addressSetFromText, addressSetToJson, union } from "@holdfast/core/net/address-set.ts";
import { parseExpires } from "@holdfast/core/policy/expires.ts";
import { composeNat } from "./compose-nat.ts";
import { rateOf, resolvePeers, resolveServices, type Resolver, type Side } from "./compose-peers.ts";
import { finding } from "./findings.ts";
import { at, type Layer, mergeNamed, type NamedItem, narrowest, type Notes, originAt, strongest } from "./layers.ts";
import type { FirewallConfig, Hook, HookName, Rule } from "./model.ts";
import { orderFindings, type PlacedRule } from "./order.ts";
import type { FirewallSection, HookSection, SectionRule } from "./section.ts";
import { VERBS } from "./section.ts";

/** All layers that reach one server, and the floor, become its firewall config. Every failure is a located finding; no config is made up. */
export function composeFirewall(input: ComposeInput<FirewallSection>): Composed<FirewallConfig> {
  const notes: Notes = { findings: [], provenance: [] };
  if (input.layers.length === 0) return { config: null, ...notes, needs: [] };
  const zones = composeZones(input.layers, notes);
  const resolver: Resolver = { lookup: input.lookup, zones, sets: new Map(), roles: new Set(Object.values(zones).flat()), notes };
  const mode = narrowest(input.layers, "mode", (section) => section.mode, notes);
  if (mode === undefined) missing("firewall.mode_missing", "mode", "No policy of this server says whether the firewall observes or enforces.", input.layers, notes);
  const inbound = composeHook(resolver, input.layers, "inbound", (section) => section.inbound);
  const forward = composeHook(resolver, input.layers, "forward", (section) => section.forward);
  const outbound = composeHook(resolver, input.layers, "outbound", (section) => section.outbound);
  const nat = composeNat(resolver, input.layers);
  for (const need of input.needs) if ("interface" in need) resolver.roles.add(need.interface);
  const config: FirewallConfig = {
    mode: mode ?? "observe",
    floor: {
      inbound: input.floor.management.map(({ name, networks, tcpPorts }) => ({
        name,
        networks: [...addressSetToJson(union(...networks.map((network) => literal(network))))],
        tcpPorts: [...new Set(tcpPorts)].toSorted((a, b) => a - b),
      })),
      controlPlane: input.controlPlane.map(({ address, port }) => ({ address, port })),
    },
    interfaces: Object.fromEntries(Object.entries(input.interfaces).filter(([role]) => resolver.roles.has(role))),
    zones: Object.fromEntries(Object.entries(zones).map(([name, roles]) => [name, [...roles]])),
    sets: Object.fromEntries([...resolver.sets].map(([key, texts]) => [key, [...texts]])),
    ...(inbound === undefined ? {} : { inbound }),
    ...(forward === undefined ? {} : { forward }),
    ...(outbound === undefined ? {} : { outbound }),
    ...(nat === undefined ? {} : { nat }),
    needs: [...input.needs],
  };
  // With an error the rest is shown but never applied: half a policy is another policy.
  const isBroken = notes.findings.some((one) => one.severity === "error");
  return { config: isBroken ? null : config, ...notes, needs: [] };
}

/** Networks of the floor were checked where the floor was read. */
function literal(text: string) {
  const set = addressSetFromText(text);
  if (!set.ok) throw new Error(`a floor that was not checked: ${set.error}`);
  return set.value;
}

function missing(code: "firewall.mode_missing" | "firewall.default_missing", path: string, message: string, layers: readonly Layer[], notes: Notes): void {
  const [first] = layers;
  notes.findings.push(finding(code, `firewall.${path}`, message, first === undefined ? {} : at(first.origin)));
}

function composeZones(layers: readonly Layer[], notes: Notes): Readonly<Record<string, readonly string[]>> {
  const names = [...new Set(layers.flatMap(({ section }) => Object.keys(section.zones ?? {})))].toSorted();
  const zones: Record<string, readonly string[]> = {};
  const zoneOf = new Map<string, string>();
  for (const name of names) {
    const stated = layers.flatMap(({ origin, section }) => {
      const roles = section.zones?.[name];
      return roles === undefined ? [] : [{ value: [...new Set(roles)].toSorted(), origin: originAt(origin, `zones.${name}`) }];
    });
    const winner = strongest(stated, `firewall.zones.${name}`, notes);
    if (winner === undefined) continue;
    zones[name] = winner.value;
    for (const role of winner.value) {
      const other = zoneOf.get(role);
      if (other !== undefined) {
        notes.findings.push(finding("firewall.zone_overlap", winner.origin.path, `The interface ${role} is in the zones ${other} and ${name}.`, at(winner.origin)));
      }
      zoneOf.set(role, name);
    }
  }
  return zones;
}

function composeHook(resolver: Resolver, layers: readonly Layer[], hook: HookName, pick: (section: FirewallSection) => HookSection | undefined): Hook | undefined {
  const stating = layers.filter(({ section }) => pick(section) !== undefined);
  if (stating.length === 0) return undefined;
  const { notes } = resolver;
  const verdict = narrowest(stating, `${hook}.default`, (section) => pick(section)?.default, notes);
  if (verdict === undefined) missing("firewall.default_missing", `${hook}.default`, `No policy of this server says what happens to other ${hook} packets.`, stating, notes);
  const log = narrowest(stating, `${hook}.log`, (section) => pick(section)?.log, notes);
  const mssClamp = hook === "forward" ? narrowest(stating, "forward.mssClamp", (section) => section.forward?.mssClamp, notes) : undefined;
  const rules = composeRules(resolver, stating, hook, pick);
  return {
    default: verdict ?? "drop",
    ...(log === undefined ? {} : { log: rateOf(log) }),
    rules: [...rules],
    ...(mssClamp === undefined ? {} : { mssClamp }),
  };
}

function composeRules(resolver: Resolver, layers: readonly Layer[], hook: HookName, pick: (section: FirewallSection) => HookSection | undefined): readonly Rule[] {
  const items = (place: "first" | "rules", order: readonly Layer[]): readonly NamedItem<SectionRule>[] =>
    order.flatMap(({ origin, section }) => (pick(section)?.[place] ?? []).map((item, index) => ({ item, origin: originAt(origin, `${hook}.${place}[${index}]`) })));
  const without = layers.flatMap(({ origin, section }) => (pick(section)?.without ?? []).map(({ name }, index) => ({ name, origin: originAt(origin, `${hook}.without[${index}]`) })));
  const first = items("first", layers);
  // `rules` run from the server to the fleet; inside one layer the documents keep their order.
  const rest = items("rules", narrowToWide(layers));
  const merged = mergeNamed([...first, ...rest], without, `${hook}.rules`, resolver.notes);
  const placed = merged.flatMap(({ item, origin }): PlacedRule[] => {
    const place = first.some((one) => one.origin === origin) ? "first" : "rules";
    const rule = item.enabled === false ? null : concreteRule(resolver, hook, item, origin);
    return rule === null ? [] : [{ rule, origin, place }];
  });
  resolver.notes.findings.push(...orderFindings(resolver, hook, placed));
  return placed.map(({ rule }) => rule);
}

function narrowToWide(layers: readonly Layer[]): readonly Layer[] {
  const kinds: readonly Origin["layer"][] = ["server", "role", "site", "fleet", "implied"];
  return kinds.flatMap((kind) => layers.filter(({ origin }) => origin.layer === kind));
}

function concreteRule(resolver: Resolver, hook: HookName, rule: SectionRule, origin: Origin): Rule | null {
  const verb = VERBS.find((one) => rule[one] !== undefined);
  if (verb === undefined) return null;
  const side = (key: "from" | "to"): Side => ({
    origin,
    path: `${origin.path}.${key}`,
    key: `rule:${hook}.${rule.name}.${key}`,
    zones: (key === "from" && hook !== "outbound") || (key === "to" && hook !== "inbound"),
    isSelf: (key === "from" && hook === "outbound") || (key === "to" && hook === "inbound"),
  });
  const peers = (key: "from" | "to"): readonly Rule["from"][number][] => {
    const where = side(key);
    const written = rule[key];
    if (written === undefined) {
      if (!where.isSelf) {
        resolver.notes.findings.push(finding("firewall.peer_missing", where.path, `The rule ${rule.name} does not say ${key === "from" ? "where its packets come from" : "where they go"}.`, at(origin)));
      }
      return [{}];
    }
    return resolvePeers(resolver, written, where);
  };
  const expires = rule.expires === undefined ? undefined : parseExpires(rule.expires);
  const rate = rule.limit === undefined ? undefined : rateOf(rule.limit.rate);
  return {
    name: rule.name,
    verb,
    services: [...resolveServices(resolver, rule[verb] ?? [], origin, `${origin.path}.${verb}`)],
    from: [...peers("from")],
    to: [...peers("to")],
    ...(rule.limit === undefined || rate === undefined ? {} : { limit: { rate, per: rule.limit.per, burst: rule.limit.burst ?? Math.min(rate.count, HIGHEST_BURST) } }),
    ...(rule.log === undefined ? {} : { log: rateOf(rule.log) }),
    ...(expires?.ok === true ? { expires: Number(expires.value) } : {}),
  };
}

/** What the schema allows an author to write. */
const HIGHEST_BURST = 65_535;
