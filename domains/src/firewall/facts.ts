import type { FactQuery, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import type { ObservedInterface } from "./interfaces.ts";
import { FAMILY, TABLE, WATCH_TABLE } from "./names.ts";
import { type NativeCount, parseChains, parseListing } from "./nft-listing.ts";
import type { NativeHook, NativeTable } from "./nft-table.ts";

/**
 * What is read. Of foreign tables only the chains are listed, never their rules: nft 1.0.6 prints broken JSON for a table with flags, and
 * Docker's alone can be long.
 */
export const firewallFacts: readonly FactQuery[] = [
  { kind: "command", name: "table", argv: ["nft", "-j", "list", "table", FAMILY, TABLE] },
  { kind: "command", name: "chains", argv: ["nft", "-j", "list", "chains"] },
  { kind: "command", name: "addresses", argv: ["ip", "-j", "-d", "address", "show"] },
  { kind: "file", name: "forwarding4", path: "/proc/sys/net/ipv4/ip_forward" },
  { kind: "file", name: "forwarding6", path: "/proc/sys/net/ipv6/conf/all/forwarding" },
  { kind: "file", name: "legacy4", path: "/proc/net/ip_tables_names" },
  { kind: "file", name: "legacy6", path: "/proc/net/ip6_tables_names" },
];

/** A chain of somebody else that stands in a hook. */
export type ObservedHook = NativeHook & { readonly family: string; readonly table: string; readonly name: string };

/** Type alias, so that it is plain JSON to the compiler too. */
export type FirewallObserved = {
  /** Our table; null where there is none. */
  readonly table: NativeTable | null;
  /** What the counters of our table have counted. It moves by itself, so it is no part of what is compared. */
  readonly counts: Readonly<Record<string, NativeCount>>;
  /** Why our table could not be read; null where it was. Then `table` says nothing. */
  readonly unreadable: string | null;
  /** Hooks of other tables, read-only to us. */
  readonly foreignHooks: readonly ObservedHook[];
  /** Programs that other chains and tables tell of, by name. */
  readonly foreignOwners: readonly string[];
  readonly interfaces: readonly ObservedInterface[];
  /** Null: could not be read. */
  readonly forwarding: { readonly ipv4: boolean | null; readonly ipv6: boolean | null };
  /** Tables of the older iptables, which nft does not see. */
  readonly legacyTables: readonly string[];
};

export function observeFirewall(raw: RawFacts): FirewallObserved {
  const chains = parseChains(raw["chains"]?.stdout ?? "");
  // Somebody who looks at packets decides nothing about them.
  const foreign = chains.ok ? chains.value.filter(({ table }) => table !== WATCH_TABLE) : [];
  return {
    ...tableOf(raw["table"]),
    foreignHooks: foreign.flatMap(({ hook, family, table, name }) =>
      hook === null ? [] : [{ ...hook, family, table, name }],
    ),
    foreignOwners: ownersOf(foreign),
    interfaces: interfacesOf(raw["addresses"]),
    forwarding: { ipv4: switchOf(raw["forwarding4"]), ipv6: switchOf(raw["forwarding6"]) },
    legacyTables: [
      ...linesOf(raw["legacy4"]).map((name) => `ip ${name}`),
      ...linesOf(raw["legacy6"]).map((name) => `ip6 ${name}`),
    ],
  };
}

function tableOf(fact: RawFact | undefined): Pick<FirewallObserved, "table" | "counts" | "unreadable"> {
  const none = { table: null, counts: {} };
  if (fact === undefined) return { ...none, unreadable: "the table was not asked for" };
  if (fact.status !== 0) {
    if (/No such file or directory/.test(fact.stderr) && !/(command not found|ENOENT)/.test(fact.stderr))
      return { ...none, unreadable: null };
    return { ...none, unreadable: `nft answered with status ${fact.status}: ${firstLine(fact.stderr)}` };
  }
  const listing = parseListing(fact.stdout);
  return listing.ok ? { ...listing.value, unreadable: null } : { ...none, unreadable: listing.error };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

/** Marks that programs leave in the names of their tables and chains. */
const OWNERS: readonly { readonly owner: string; readonly mark: RegExp }[] = [
  { owner: "Docker", mark: /^(DOCKER|docker)/ },
  { owner: "fail2ban", mark: /^f2b-/ },
  { owner: "firewalld", mark: /^firewalld$/ },
  { owner: "Kubernetes", mark: /^(KUBE-|kube-proxy|cali-|CILIUM_)/ },
  { owner: "libvirt", mark: /^(LIBVIRT_|libvirt_)/ },
  { owner: "Podman", mark: /^(NETAVARK|CNI-|netavark)/ },
  { owner: "Tailscale", mark: /^ts-(input|forward|postrouting)$/ },
  { owner: "ufw", mark: /^ufw6?-/ },
];

function ownersOf(chains: readonly { readonly table: string; readonly name: string }[]): readonly string[] {
  return OWNERS.filter(({ mark }) => chains.some(({ table, name }) => mark.test(table) || mark.test(name))).map(
    ({ owner }) => owner,
  );
}

/** `ip -j` gives JSON of many fields; these are read, and a link without a name is passed over. */
function interfacesOf(fact: RawFact | undefined): readonly ObservedInterface[] {
  if (fact === undefined || fact.status !== 0) return [];
  let links: unknown;
  try {
    links = JSON.parse(fact.stdout === "" ? "[]" : fact.stdout);
  } catch {
    return [];
  }
  if (!Array.isArray(links)) return [];
  return links.flatMap((link: unknown) => {
    if (!isMap(link) || typeof link["ifname"] !== "string") return [];
    const info = link["linkinfo"];
    const addresses: readonly unknown[] = Array.isArray(link["addr_info"]) ? link["addr_info"] : [];
    return [
      {
        name: link["ifname"],
        mac: typeof link["address"] === "string" && link["link_type"] === "ether" ? link["address"] : null,
        kind: isMap(info) && typeof info["info_kind"] === "string" ? info["info_kind"] : null,
        addresses: addresses
          .flatMap((one) => (isMap(one) && typeof one["local"] === "string" ? [one["local"]] : []))
          .toSorted(),
      },
    ];
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function switchOf(fact: RawFact | undefined): boolean | null {
  if (fact === undefined || fact.status !== 0) return null;
  return fact.stdout.trim() !== "0";
}

function linesOf(fact: RawFact | undefined): readonly string[] {
  if (fact === undefined || fact.status !== 0) return [];
  return fact.stdout
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}
