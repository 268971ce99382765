import type { Entry, FactQuery, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import type { Family } from "@holdfast/core/net/address.ts";
import { parseInterfaceAddress } from "@holdfast/core/net/network.ts";
import type { IpsecReading } from "@holdfast/core/plan/ipsec-state.ts";
import { INTO_METRIC, isOurLink, type TunnelLink } from "./link.ts";
import { isFields, jsonOf, listOf } from "./read-json.ts";
import { type LoadedRecord, readRecord } from "./record.ts";

/** Where an administrator puts pre-shared keys, one file each. Only strongSwan is given what is in them. */
export const KEY_FOLDER = "/etc/holdfast/secrets/vpn";
/** Where the guard puts what the store of secrets sends with a change. */
export const STORE_FOLDER = "/var/lib/holdfast/secrets";
/** strongSwan's own table of routes, and the priority of its rule that leads there: charon.routing_table and routing_table_prio. */
export const LOOKUP_TABLE = 220;

/** What strongSwan reads when it starts. The keys are in a file beside it that is never read by anybody else. */
export const BOOT_FILE = "/etc/swanctl/conf.d/holdfast.conf";
export const BOOT_FOLDER = "/etc/swanctl/conf.d";
export const RECORD_FILE = "/var/lib/holdfast/vpn/loaded.json";

/**
 * RTPROT_KERNEL. systemd-networkd takes away every route that it did not make, of any other protocol, whenever it sets up a link again (tried with
 * version 252), and clear text would leave from then on. These it leaves alone.
 */
export const BLOCK_PROTOCOL = 2;
/** The last of all routes to a network: whatever leads into the tunnel comes before it. By this our dead ends are known; the kernel makes none. */
export const BLOCK_METRIC = 4_294_967_295;

export const vpnFacts: readonly FactQuery[] = [
  { kind: "ipsec", name: "ipsec", path: KEY_FOLDER },
  { kind: "entry", name: "record", path: RECORD_FILE },
  { kind: "entry", name: "boot", path: BOOT_FILE },
  { kind: "entry", name: "folder", path: BOOT_FOLDER },
  { kind: "command", name: "addresses", argv: ["ip", "-j", "address", "show"] },
  { kind: "command", name: "routes4", argv: ["ip", "-j", "-N", "-4", "route", "show", "table", "main"] },
  { kind: "command", name: "routes6", argv: ["ip", "-j", "-N", "-6", "route", "show", "table", "main"] },
  { kind: "command", name: "rules4", argv: ["ip", "-j", "-N", "-4", "rule", "show"] },
  { kind: "command", name: "rules6", argv: ["ip", "-j", "-N", "-6", "rule", "show"] },
  { kind: "command", name: "into4", argv: ["ip", "-j", "-N", "-4", "route", "show", "table", String(LOOKUP_TABLE)] },
  { kind: "command", name: "into6", argv: ["ip", "-j", "-N", "-6", "route", "show", "table", String(LOOKUP_TABLE)] },
  { kind: "command", name: "links", argv: ["ip", "-j", "-d", "link", "show", "type", "xfrm"] },
  { kind: "command", name: "xfrm module", argv: ["modprobe", "--dry-run", "--quiet", "xfrm_interface"] },
  { kind: "file", name: "forwarding4", path: "/proc/sys/net/ipv4/ip_forward" },
];

/** A route of ours into a tunnel's interface. */
export type Into = { readonly network: string; readonly link: string };

export type VpnObserved = {
  readonly ipsec: IpsecReading;
  readonly record: LoadedRecord;
  /** Why the record cannot be read; null where it can, or where there is none. */
  readonly recordProblem: string | null;
  readonly recordText: string | null;
  /** Text of the boot file; null: there is none. */
  readonly boot: string | null;
  readonly swanctl: boolean;
  /** `ADDRESS/PREFIX` of all links. */
  readonly addresses: readonly string[];
  /** Dead ends of ours. */
  readonly blocks: readonly string[];
  /** XFRM interfaces, ours and others'. */
  readonly links: readonly (TunnelLink & { readonly isUp: boolean })[];
  /** Routes of ours into them. */
  readonly into: readonly Into[];
  /** Whether the kernel could make one; null: nobody could say. */
  readonly canMakeLinks: boolean | null;
  /** Other routes of the main table, but for the default ones. */
  readonly routes: readonly string[];
  /** Null: it could not be read. */
  readonly routesProblem: string | null;
  readonly forwarding: boolean;
  /** Families in which strongSwan has routes into tunnels and its rule that leads to them is gone: nothing gets there. */
  readonly lookupLost: readonly Family[];
};

export function observeVpn(raw: RawFacts): VpnObserved {
  const record = entryOf(raw["record"]);
  const read = readRecord(record);
  const boot = entryOf(raw["boot"]);
  const routes = (["routes4", "routes6"] as const).map((name) => readRoutes(raw[name]));
  return {
    ipsec: readIpsec(raw["ipsec"]),
    record: read.ok ? read.value : {},
    recordProblem: read.ok ? null : read.error,
    recordText: record.type === "file" ? record.text : null,
    boot: boot.type === "file" ? boot.text : null,
    swanctl: entryOf(raw["folder"]).type !== "absent",
    addresses: readAddresses(raw["addresses"]),
    blocks: routes.flatMap((one) => one?.blocks ?? []).toSorted(),
    links: readLinks(raw["links"]),
    into: routes.flatMap((one) => one?.into ?? []).toSorted((a, b) => (intoText(a) < intoText(b) ? -1 : 1)),
    canMakeLinks: canMake(raw["links"], raw["xfrm module"]),
    routes: routes.flatMap((one) => one?.others ?? []).toSorted(),
    routesProblem: routes[0] === null ? "`ip route` did not answer" : null,
    forwarding: raw["forwarding4"]?.stdout.trim() === "1",
    lookupLost: FAMILIES.filter((family) => isLookupLost(raw[`rules${family}`], raw[`into${family}`])),
  };
}

const FAMILIES: readonly Family[] = [4, 6];

/** `ip` knows no table without routes: it fails then, and nothing is lost. */
function isLookupLost(rules: RawFact | undefined, routes: RawFact | undefined): boolean {
  if (rules?.status !== 0 || routes?.status !== 0) return false;
  return !leadsToLookup(rules.stdout) && listOf(jsonOf(routes.stdout)).length > 0;
}

/** Whether a listing of rules (`ip -j -N rule show`) has strongSwan's. */
export function leadsToLookup(listing: string): boolean {
  return listOf(jsonOf(listing)).some(({ table }) => String(table) === String(LOOKUP_TABLE));
}

const DOWN: IpsecReading = { charon: { state: "down", why: "nothing was read of it" }, keyFiles: {} };

/** The agent's own words (os/ipsec.ts): they are of this shape, or nothing was read at all. */
function readIpsec(raw: RawFact | undefined): IpsecReading {
  if (raw === undefined) return DOWN;
  if (raw.status !== 0) return { ...DOWN, charon: { state: "down", why: raw.stderr } };
  const value = jsonOf(raw.stdout);
  if (!isFields(value) || !isFields(value["keyFiles"]) || !isFields(value["charon"])) return DOWN;
  const { state, conns, keys, sas } = value["charon"];
  const isWhole = state === "down" || (state === "up" && [conns, keys, sas].every(Array.isArray));
  return isWhole ? (value as unknown as IpsecReading) : DOWN;
}

function entryOf(raw: RawFact | undefined): Entry {
  const value = jsonOf(raw?.stdout ?? "");
  // The agent writes entries itself.
  return isFields(value) && typeof value["type"] === "string"
    ? (value as unknown as Entry)
    : { type: "other", why: "it was not read" };
}

function readAddresses(raw: RawFact | undefined): readonly string[] {
  return listOf(jsonOf(raw?.stdout ?? ""))
    .filter((link) => link["ifname"] !== "lo")
    .flatMap((link) => listOf(link["addr_info"]))
    .flatMap(({ local, prefixlen, scope }) =>
      typeof local === "string" && typeof prefixlen === "number" && scope !== "link" && scope !== "253"
        ? [`${local}/${prefixlen}`]
        : [],
    )
    .filter((text) => parseInterfaceAddress(text).ok)
    .toSorted();
}

export function intoText({ network, link }: Into): string {
  return `${network} dev ${link}`;
}

function readLinks(raw: RawFact | undefined): VpnObserved["links"] {
  return listOf(jsonOf(raw?.stdout ?? ""))
    .flatMap(({ ifname, flags, linkinfo }) => {
      const { info_kind: kind, info_data: data } = isFields(linkinfo) ? linkinfo : {};
      const id = isFields(data) ? Number(data["if_id"]) : Number.NaN;
      if (typeof ifname !== "string" || kind !== "xfrm" || !Number.isInteger(id)) return [];
      return [{ name: ifname, id, isUp: Array.isArray(flags) && flags.includes("UP") }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** One that is there proves it, where the module is built in. */
function canMake(links: RawFact | undefined, asked: RawFact | undefined): boolean | null {
  if (readLinks(links).length > 0 || asked?.status === 0) return true;
  return asked !== undefined && (asked.status === 1 || /ENOENT/.test(asked.stderr)) ? false : null;
}

/** RTN_BLACKHOLE, as `ip -N` writes it. */
const BLACKHOLE = "6";

interface ReadRoutes {
  readonly blocks: string[];
  readonly into: Into[];
  readonly others: string[];
}

function readRoutes(raw: RawFact | undefined): ReadRoutes | null {
  if (raw === undefined || raw.status !== 0) return null;
  const blocks: string[] = [];
  const into: Into[] = [];
  const others: string[] = [];
  for (const { dst, type, metric, protocol, dev } of listOf(jsonOf(raw.stdout))) {
    if (typeof dst !== "string" || dst === "default") continue;
    const network = dst.includes("/") ? dst : `${dst}/${dst.includes(":") ? 128 : 32}`;
    const isOurs = String(protocol) === String(BLOCK_PROTOCOL);
    if (isOurs && type === BLACKHOLE && metric === BLOCK_METRIC) blocks.push(network);
    else if (isOurs && metric === INTO_METRIC && typeof dev === "string" && isOurLink(dev))
      into.push({ network, link: dev });
    else others.push(network);
  }
  return { blocks, into, others };
}
