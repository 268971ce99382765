import { type Family, FAMILY_BITS, formatAddress, parseAddress } from "@holdfast/core/net/address.ts";
import { formatNetwork, networkOf } from "@holdfast/core/net/network.ts";
import type { IpHop } from "@holdfast/core/plan/ip-state.ts";
import { MAIN_TABLE } from "./model.ts";
import type { ObservedNeighbour, ObservedRoute, ObservedRule } from "./observed.ts";
import { type Fields, jsonOf, listOf, numberIn, partOf, textIn } from "./read-json.ts";

/** The table in which the kernel keeps its own addresses. */
const LOCAL_TABLE = 255;
/** Numbers of rtnetlink(7); unicast is not printed. */
const KINDS: Readonly<Record<string, ObservedRoute["kind"]>> = {
  "": "unicast",
  "1": "unicast",
  "6": "blackhole",
  "7": "unreachable",
  "8": "prohibit",
};
/** What an IPv6 route gets that states no metric. */
const USUAL_METRIC = { 4: 0, 6: 1024 } as const satisfies Record<Family, number>;

/** Routes of every table but the kernel's own. Null: `ip` did not answer. */
export function readRoutes(text: string | null, family: Family): readonly ObservedRoute[] | null {
  const value = text === null ? null : jsonOf(text);
  if (!Array.isArray(value)) return null;
  return listOf(value)
    .flatMap((fields) => readRoute(fields, family))
    .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

function sortKey(value: object): string {
  return JSON.stringify(value);
}

function readRoute(fields: Fields, family: Family): readonly ObservedRoute[] {
  const table = numberIn(fields, "table") ?? MAIN_TABLE;
  const kind = KINDS[textIn(fields, "type") ?? ""];
  const to = destinationOf(textIn(fields, "dst") ?? "", family);
  if (kind === undefined || table === LOCAL_TABLE || to === null) return [];
  const nextHops = listOf(fields["nexthops"]);
  const hops = (nextHops.length > 0 ? nextHops : [fields]).map((hop) => readHop(hop));
  return [
    {
      family,
      kind,
      to,
      table,
      metric: numberIn(fields, "metric") ?? USUAL_METRIC[family],
      protocol: numberIn(fields, "protocol") ?? 3,
      hops: kind === "unicast" ? hops : [],
      source: textIn(fields, "prefsrc"),
    },
  ];
}

function readHop(fields: Fields): IpHop {
  const flags: readonly unknown[] = Array.isArray(fields["flags"]) ? fields["flags"] : [];
  return {
    via: canonical(textIn(fields, "gateway") ?? textIn(partOf(fields, "via"), "host")),
    dev: textIn(fields, "dev"),
    weight: numberIn(fields, "weight") ?? 1,
    onLink: flags.includes("onlink"),
  };
}

function canonical(text: string | null): string | null {
  const parsed = text === null ? null : parseAddress(text);
  return parsed === null || !parsed.ok ? null : formatAddress(parsed.value);
}

function destinationOf(text: string, family: Family): string | null {
  if (text === "default") return family === 4 ? "0.0.0.0/0" : "::/0";
  const [head = "", length = String(FAMILY_BITS[family])] = text.split("/");
  const address = parseAddress(head);
  return address.ok ? formatNetwork(networkOf(address.value, Number(length))) : null;
}

/** What a rule may hold that is understood here; with anything else it is strange. */
const PLAIN_RULE = new Set([
  "priority",
  "src",
  "srclen",
  "dst",
  "dstlen",
  "fwmark",
  "fwmask",
  "iif",
  "table",
  "protocol",
]);
const ALL_BITS = 4_294_967_295;

export function readRules(text: string | null, family: Family): readonly ObservedRule[] | null {
  const value = text === null ? null : jsonOf(text);
  if (!Array.isArray(value)) return null;
  return listOf(value)
    .map((fields) => readRule(fields, family))
    .toSorted((a, b) => a.priority - b.priority || (sortKey(a) < sortKey(b) ? -1 : 1));
}

function readRule(fields: Fields, family: Family): ObservedRule {
  const value = numberIn(fields, "fwmark");
  return {
    family,
    priority: numberIn(fields, "priority") ?? 0,
    from: sideOf(fields, "src", family),
    to: sideOf(fields, "dst", family),
    mark: value === null ? null : { value, mask: numberIn(fields, "fwmask") ?? ALL_BITS },
    in: textIn(fields, "iif"),
    table: numberIn(fields, "table"),
    protocol: numberIn(fields, "protocol") ?? 0,
    isStrange: Object.keys(fields).some((key) => !PLAIN_RULE.has(key)) || numberIn(fields, "table") === null,
  };
}

function sideOf(fields: Fields, key: "src" | "dst", family: Family): string | null {
  const text = textIn(fields, key);
  if (text === null || text === "all") return null;
  const address = parseAddress(text);
  return address.ok
    ? formatNetwork(networkOf(address.value, numberIn(fields, `${key}len`) ?? FAMILY_BITS[family]))
    : null;
}

/** For people only: nothing is decided by them. */
export function readNeighbours(text: string | null): readonly ObservedNeighbour[] {
  return listOf(text === null ? null : jsonOf(text))
    .flatMap((fields) => {
      const address = canonical(textIn(fields, "dst"));
      const link = textIn(fields, "dev");
      if (address === null || link === null) return [];
      const states: readonly unknown[] = Array.isArray(fields["state"]) ? fields["state"] : [];
      const state = typeof states[0] === "string" ? states[0].toLowerCase() : "unknown";
      return [{ address, link, mac: textIn(fields, "lladdr"), state }];
    })
    .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}
