import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Origin } from "@holdfast/core/compose/effective-config.ts";
import type { Composed, ComposeInput, LayeredSection } from "@holdfast/core/compose/layered-section.ts";
import { namedMerge } from "@holdfast/core/compose/named-merge.ts";
import { scalarMerge } from "@holdfast/core/compose/scalar-merge.ts";
import { addressSetFromText, addressSetToJson, union } from "@holdfast/core/net/address-set.ts";
import { parseExpires } from "@holdfast/core/policy/expires.ts";
import { composeNat } from "./compose-nat.ts";
import { rateOf, resolvePeers, resolveServices, type Resolver, type Side } from "./compose-peers.ts";
import { finding } from "./findings.ts";
import { kernelOf } from "./kernel.ts";
import type { FirewallConfig, Hook, HookName, Rule } from "./model.ts";
import { at, type Notes, within } from "./notes.ts";
import { orderFindings, type PlacedRule } from "./order.ts";
import { type FirewallSection, type HookSection, type SectionRule, VERBS } from "./section.ts";

export type Layer = LayeredSection<FirewallSection>;

/** All layers that reach one server, and the floor, become its firewall config. Every failure is a located finding; no config is made up. */
export function composeFirewall(input: ComposeInput<FirewallSection>): Composed<FirewallConfig> {
  const notes: Notes = { findings: [], provenance: [] };
  if (input.layers.length === 0) return { config: null, ...notes, needs: [] };
  const zones = composeZones(input.layers, notes);
  const resolver: Resolver = {
    lookup: input.lookup,
    zones,
    sets: new Map(),
    roles: new Set(Object.values(zones).flat()),
    notes,
  };
  const mode = narrowest(input.layers, "mode", (section) => section.mode, notes);
  if (mode === undefined)
    missing(
      "firewall.mode_missing",
      "mode",
      "No policy of this server says whether the firewall observes or enforces.",
      input.layers,
      notes,
    );
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
  return isBroken ? { config: null, ...notes, needs: [] } : { config, ...notes, needs: [], kernel: kernelOf(config) };
}

/** Networks of the floor were checked where the floor was read. */
function literal(text: string) {
  const set = addressSetFromText(text);
  if (!set.ok) throw new Error(`a floor that was not checked: ${set.error}`);
  return set.value;
}

function missing(
  code: "firewall.mode_missing" | "firewall.default_missing",
  path: string,
  message: string,
  layers: readonly Layer[],
  notes: Notes,
): void {
  const [first] = layers;
  notes.findings.push(finding(code, `firewall.${path}`, message, first === undefined ? {} : at(first.origin)));
}

function narrowest<Value extends Json>(
  layers: readonly Layer[],
  path: string,
  pick: (section: FirewallSection) => Value | undefined,
  notes: Notes,
): Value | undefined {
  const stated = layers.flatMap(({ origin, section }) => {
    const value = pick(section);
    return value === undefined ? [] : [{ value, origin: within(origin, path) }];
  });
  const merged = scalarMerge(`firewall.${path}`, stated);
  notes.findings.push(...merged.findings);
  notes.provenance.push(...merged.provenance);
  return merged.value;
}

function composeZones(layers: readonly Layer[], notes: Notes): Readonly<Record<string, readonly string[]>> {
  const names = [...new Set(layers.flatMap(({ section }) => Object.keys(section.zones ?? {})))].toSorted();
  const zones: Record<string, readonly string[]> = {};
  const zoneOf = new Map<string, string>();
  for (const name of names) {
    const roles = narrowest(layers, `zones.${name}`, (section) => section.zones?.[name], notes) ?? [];
    zones[name] = [...new Set(roles)].toSorted();
    for (const role of zones[name]) {
      const other = zoneOf.get(role);
      const place = layers.findLast(({ section }) => section.zones?.[name] !== undefined);
      if (other !== undefined && place !== undefined) {
        notes.findings.push(
          finding(
            "firewall.zone_overlap",
            within(place.origin, `zones.${name}`).path,
            `The interface ${role} is in the zones ${other} and ${name}.`,
            at(place.origin),
          ),
        );
      }
      zoneOf.set(role, name);
    }
  }
  return zones;
}

function composeHook(
  resolver: Resolver,
  layers: readonly Layer[],
  hook: HookName,
  pick: (section: FirewallSection) => HookSection | undefined,
): Hook | undefined {
  const stating = layers.filter(({ section }) => pick(section) !== undefined);
  if (stating.length === 0) return undefined;
  const { notes } = resolver;
  const verdict = narrowest(stating, `${hook}.default`, (section) => pick(section)?.default, notes);
  if (verdict === undefined)
    missing(
      "firewall.default_missing",
      `${hook}.default`,
      `No policy of this server says what happens to other ${hook} packets.`,
      stating,
      notes,
    );
  const log = narrowest(stating, `${hook}.log`, (section) => pick(section)?.log, notes);
  const mssClamp =
    hook === "forward"
      ? narrowest(stating, "forward.mssClamp", (section) => section.forward?.mssClamp, notes)
      : undefined;
  const rules = composeRules(resolver, stating, hook, pick);
  return {
    default: verdict ?? "drop",
    ...(log === undefined ? {} : { log: rateOf(log) }),
    rules: [...rules],
    ...(mssClamp === undefined ? {} : { mssClamp }),
  };
}

type Place = "first" | "rules";

/** Both lists share their names, so they are merged as one and told apart afterwards. */
function composeRules(
  resolver: Resolver,
  layers: readonly Layer[],
  hook: HookName,
  pick: (section: FirewallSection) => HookSection | undefined,
): readonly Rule[] {
  const merged = namedMerge(
    `firewall.${hook}.rules`,
    layers.map(({ origin, section }) => ({
      origin,
      items: (["first", "rules"] as const).flatMap((place) =>
        (pick(section)?.[place] ?? []).map((rule, index) => ({
          name: rule.name,
          value: { place, rule },
          origin: within(origin, `${hook}.${place}[${index}]`),
        })),
      ),
      without: (pick(section)?.without ?? []).map((one, index) => ({
        ...one,
        origin: within(origin, `${hook}.without[${index}]`),
      })),
    })),
    "narrow_first",
  );
  resolver.notes.findings.push(...merged.findings);
  resolver.notes.provenance.push(...merged.provenance);
  const at = (place: Place) => merged.items.filter(({ value }) => value.place === place);
  // `first:` runs from the fleet to the server, `rules:` from the server to the fleet; inside one layer the documents keep their order.
  const placed = [...wideToNarrow(at("first")), ...at("rules")].flatMap(({ value, origin }): PlacedRule[] => {
    const rule = value.rule.enabled === false ? null : concreteRule(resolver, hook, value.rule, origin);
    return rule === null ? [] : [{ rule, origin, place: value.place }];
  });
  resolver.notes.findings.push(...orderFindings(resolver, hook, placed));
  return placed.map(({ rule }) => rule);
}

function wideToNarrow<Item extends { readonly origin: Origin }>(items: readonly Item[]): readonly Item[] {
  const layers: readonly Origin["layer"][] = ["implied", "floor", "fleet", "site", "role", "server"];
  return layers.flatMap((layer) => items.filter(({ origin }) => origin.layer === layer));
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
    if (written !== undefined) return resolvePeers(resolver, written, where);
    if (!where.isSelf) {
      const what = key === "from" ? "where its packets come from" : "where they go";
      resolver.notes.findings.push(
        finding("firewall.peer_missing", where.path, `The rule ${rule.name} does not say ${what}.`, at(origin)),
      );
    }
    return [{}];
  };
  const expires = rule.expires === undefined ? undefined : parseExpires(rule.expires);
  const rate = rule.limit === undefined ? undefined : rateOf(rule.limit.rate);
  return {
    name: rule.name,
    verb,
    services: [...resolveServices(resolver, rule[verb] ?? [], origin, `${origin.path}.${verb}`)],
    from: [...peers("from")],
    to: [...peers("to")],
    ...(rule.limit === undefined || rate === undefined
      ? {}
      : { limit: { rate, per: rule.limit.per, burst: rule.limit.burst ?? Math.min(rate.count, HIGHEST_BURST) } }),
    ...(rule.log === undefined ? {} : { log: rateOf(rule.log) }),
    ...(expires?.ok === true ? { expires: Number(expires.value) } : {}),
  };
}

/** What the schema allows an author to write. */
const HIGHEST_BURST = 65_535;
