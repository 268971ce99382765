import type { FactQuery, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import { DESCRIBE, describedLinks, NETWORKD_STATE } from "./describe.ts";
import type { ForeignFile, NetworkObserved, Renderer } from "./observed.ts";
import { CONFIRMED_PREFIX, confirmedPath, FORWARDING_FILE, type OwnFiles, TRIAL_PREFIX } from "./own-file.ts";
import { jsonOf } from "./read-json.ts";
import { readLinks } from "./read-links.ts";
import { readNeighbours, readRoutes, readRules } from "./read-routes.ts";

const NETWORKD = "systemd-networkd.service";
const UNITS = [NETWORKD, "systemd-resolved.service", "NetworkManager.service", "networking.service"] as const;
const FOLDERS = ["/etc/systemd/network", "/run/systemd/network", "/usr/lib/systemd/network"] as const;
const SUFFIXES = ["network", "netdev"] as const;

/** `-N` gives numbers where names would depend on files of the server; `-d` what bridges are set to, and who made a rule. */
export const networkFacts: readonly FactQuery[] = [
  {
    kind: "command",
    name: "units",
    argv: ["systemctl", "show", ...UNITS, "--property=Id,LoadState,ActiveState,UnitFileState,Job"],
  },
  { kind: "command", name: "networkd", argv: DESCRIBE, onlyWith: NETWORKD_STATE },
  { kind: "command", name: "links", argv: ["ip", "-j", "-d", "-s", "address", "show"] },
  { kind: "command", name: "bridge vlans", argv: ["bridge", "-j", "vlan", "show"] },
  { kind: "command", name: "routes4", argv: ["ip", "-N", "-j", "-4", "route", "show", "table", "all"] },
  { kind: "command", name: "routes6", argv: ["ip", "-N", "-j", "-6", "route", "show", "table", "all"] },
  { kind: "command", name: "rules4", argv: ["ip", "-N", "-d", "-j", "-4", "rule", "show"] },
  { kind: "command", name: "rules6", argv: ["ip", "-N", "-d", "-j", "-6", "rule", "show"] },
  { kind: "command", name: "neighbours", argv: ["ip", "-j", "neighbour", "show"] },
  { kind: "file", name: "forwarding4", path: "/proc/sys/net/ipv4/ip_forward" },
  { kind: "file", name: "forwarding6", path: "/proc/sys/net/ipv6/conf/all/forwarding" },
  ...FOLDERS.flatMap((path) =>
    SUFFIXES.map((suffix): FactQuery => ({ kind: "folder", name: `${path} ${suffix}`, path, suffix: `.${suffix}` })),
  ),
  { kind: "file", name: "forwarding run", path: `${TRIAL_PREFIX}${FORWARDING_FILE}` },
  { kind: "file", name: "forwarding etc", path: confirmedPath(FORWARDING_FILE) },
  { kind: "folder", name: "netplan", path: "/etc/netplan", suffix: ".yaml" },
  { kind: "file", name: "ifupdown", path: "/etc/network/interfaces" },
  { kind: "file", name: "vlans", path: "/proc/net/vlan/config" },
  { kind: "file", name: "bonds", path: "/sys/class/net/bonding_masters" },
  { kind: "command", name: "vlan module", argv: ["modprobe", "--dry-run", "--quiet", "8021q"] },
  { kind: "command", name: "bond module", argv: ["modprobe", "--dry-run", "--quiet", "bonding"] },
];

export function observeNetwork(raw: RawFacts): NetworkObserved {
  const renderer = rendererOf(raw);
  const networkd = renderer.state === "running" ? textOf(raw, "networkd") : null;
  const links = readLinks(textOf(raw, "links"), networkd, textOf(raw, "bridge vlans"));
  const routes4 = readRoutes(textOf(raw, "routes4"), 4);
  const routes6 = readRoutes(textOf(raw, "routes6"), 6);
  const rules4 = readRules(textOf(raw, "rules4"), 4);
  const rules6 = readRules(textOf(raw, "rules6"), 6);
  const folders = foldersOf(raw);
  const failed = [
    ...(links === null ? ["links"] : []),
    ...(routes4 === null || routes6 === null ? ["routes"] : []),
    ...(rules4 === null || rules6 === null ? ["rules"] : []),
    ...(folders === null ? ["the folders of networkd"] : []),
  ];
  return {
    renderer,
    competing: competitorsOf(raw),
    unreadable: failed.length === 0 ? null : failed.join(" and "),
    own: {
      run: { ...ownOf(folders ?? [], TRIAL_PREFIX), ...forwardingOf(raw, "forwarding run") },
      etc: { ...ownOf(folders ?? [], CONFIRMED_PREFIX), ...forwardingOf(raw, "forwarding etc") },
    },
    foreign: foreignOf(folders ?? []),
    links: links ?? [],
    routes: [...(routes4 ?? []), ...(routes6 ?? [])],
    rules: [...(rules4 ?? []), ...(rules6 ?? [])],
    neighbours: readNeighbours(textOf(raw, "neighbours")),
    forwarding: { ipv4: switchOf(raw["forwarding4"]), ipv6: switchOf(raw["forwarding6"]) },
    resolved: unitsOf(raw).get("systemd-resolved.service")?.["ActiveState"] === "active",
    kernel: { vlan: canMake(raw, "vlans", "vlan module"), bond: canMake(raw, "bonds", "bond module") },
  };
}

function textOf(raw: RawFacts, name: string): string | null {
  const fact = raw[name];
  return fact === undefined || fact.status !== 0 ? null : fact.stdout;
}

type Unit = Readonly<Record<string, string>>;

function unitsOf(raw: RawFacts): ReadonlyMap<string, Unit> {
  const blocks = (textOf(raw, "units") ?? "").split("\n\n").map((block): Unit =>
    Object.fromEntries(
      block.split("\n").flatMap((line) => {
        const cut = line.indexOf("=");
        return cut < 0 ? [] : [[line.slice(0, cut), line.slice(cut + 1)]];
      }),
    ),
  );
  return new Map(blocks.map((unit) => [unit["Id"] ?? "", unit]));
}

function rendererOf(raw: RawFacts): Renderer {
  if (textOf(raw, "units") === null)
    return {
      state: "foreign",
      name: "nobody we know",
      why: "systemd does not answer on this server, so systemd-networkd does not set its network up",
    };
  const units = unitsOf(raw);
  const networkd = units.get(NETWORKD);
  const active = (unit: string): boolean => ["active", "activating"].includes(units.get(unit)?.["ActiveState"] ?? "");
  if (networkd?.["ActiveState"] === "active") {
    const answer = raw["networkd"];
    if (answer?.status === 0 && describedLinks(answer.stdout) !== null) return { state: "running" };
    return { state: "foreign", name: "systemd-networkd", why: `it does not answer as expected: ${firstLine(answer)}` };
  }
  // A job waits: this boot has not come so far yet.
  if (networkd?.["Job"] !== undefined && networkd["Job"] !== "" && networkd["Job"] !== "0")
    return { state: "starting" };
  const installed = networkd !== undefined && networkd["LoadState"] === "loaded";
  if (active("NetworkManager.service"))
    return { state: "foreign", name: "NetworkManager", why: "NetworkManager sets the network of this server up" };
  if (active("networking.service") && (textOf(raw, "ifupdown") ?? "").includes("iface "))
    return {
      state: "foreign",
      name: "ifupdown",
      why: "ifupdown (/etc/network/interfaces) sets the network of this server up",
    };
  if (installed && networkd["UnitFileState"] === "enabled")
    return {
      state: "foreign",
      name: "systemd-networkd",
      why: `systemd-networkd does not run (${networkd["ActiveState"] ?? "unknown"})`,
    };
  return { state: "foreign", name: "nobody we know", why: "systemd-networkd is not in use on this server" };
}

function firstLine(fact: RawFact | undefined): string {
  return (fact?.stderr ?? "").trim().split("\n")[0] ?? "";
}

function competitorsOf(raw: RawFacts): readonly string[] {
  const units = unitsOf(raw);
  const networkManager = units.get("NetworkManager.service")?.["ActiveState"] === "active";
  const netplan = filesIn(raw["netplan"]) ?? {};
  const interfaces = [...(textOf(raw, "ifupdown") ?? "").matchAll(/^\s*iface\s+(\S+)/gm)]
    .map((found) => found[1] ?? "")
    .filter((name) => name !== "lo");
  return [
    ...(networkManager ? ["NetworkManager runs beside systemd-networkd"] : []),
    ...(interfaces.length > 0
      ? [`ifupdown has ${[...new Set(interfaces)].toSorted().join(", ")} in /etc/network/interfaces`]
      : []),
    ...(Object.keys(netplan).some((name) => name.includes("cloud-init"))
      ? ["cloud-init writes /etc/netplan/50-cloud-init.yaml at each boot"]
      : []),
    ...(Object.keys(netplan).length > 0
      ? [`netplan writes files of networkd from ${Object.keys(netplan).toSorted().join(", ")}`]
      : []),
  ];
}

interface FolderFile {
  readonly path: string;
  readonly kind: "network" | "netdev";
  readonly text: string;
}

function foldersOf(raw: RawFacts): readonly FolderFile[] | null {
  const files: FolderFile[] = [];
  for (const folder of FOLDERS) {
    for (const kind of SUFFIXES) {
      const found = filesIn(raw[`${folder} ${kind}`]);
      if (found === null) return null;
      for (const [name, text] of Object.entries(found)) files.push({ path: `${folder}/${name}`, kind, text });
    }
  }
  return files;
}

/** A folder that is not there has no files. */
function filesIn(fact: RawFact | undefined): Readonly<Record<string, string>> | null {
  if (fact === undefined || fact.status !== 0) return null;
  const value = jsonOf(fact.stdout);
  if (typeof value !== "object" || value === null) return null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, text]) => (typeof text === "string" ? [[name, text]] : [])),
  );
}

function ownOf(files: readonly FolderFile[], prefix: string): OwnFiles {
  return Object.fromEntries(
    files.flatMap(({ path, text }) => (path.startsWith(prefix) ? [[path.slice(prefix.length), text]] : [])),
  );
}

function forwardingOf(raw: RawFacts, name: string): OwnFiles {
  const text = textOf(raw, name);
  return text === null ? {} : { [FORWARDING_FILE]: text };
}

/** A .netdev can hold a key (WireGuard), so only its name is kept. */
function foreignOf(files: readonly FolderFile[]): readonly ForeignFile[] {
  const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
  return files
    .filter(({ path }) => !path.startsWith(TRIAL_PREFIX) && !path.startsWith(CONFIRMED_PREFIX))
    .toSorted((a, b) => (base(a.path) < base(b.path) ? -1 : base(a.path) > base(b.path) ? 1 : 0))
    .map(({ path, kind, text }) => ({ path, kind, text: kind === "netdev" ? "" : text }));
}

function switchOf(fact: RawFact | undefined): boolean | null {
  if (fact === undefined || fact.status !== 0) return null;
  return fact.stdout.trim() !== "0";
}

/** In the kernel already, or a module that could be loaded; without modprobe nothing can be loaded. Nothing is loaded to find out. */
function canMake(raw: RawFacts, file: string, module: string): boolean | null {
  if (raw[file]?.status === 0) return true;
  const asked = raw[module];
  if (asked === undefined) return null;
  if (asked.status === 0) return true;
  return /ENOENT/.test(asked.stderr) || asked.status === 1 ? false : null;
}
