import type { IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";
import { isDoor, PASSWORD_PREFIX, poolsIn, wantedOf, type Wanted } from "./conn.ts";
import { type Into, intoText, type VpnObserved } from "./facts.ts";
import { isOurLink, type TunnelLink } from "./link.ts";
import { isLoaded, listedOf, type Live, liveOf } from "./live.ts";
import type { VpnConfig } from "./model.ts";
import type { LoadedRecord } from "./record.ts";

/** What stands between what charon and the kernel have of ours and what they shall have. */
export interface VpnDiff {
  readonly wanted: readonly Wanted[];
  /** Not loaded, or not as it shall be. */
  readonly changed: readonly Wanted[];
  /** Names of connections of ours that shall go. */
  readonly gone: readonly string[];
  /** Keys that are to be loaded first. */
  readonly keys: readonly Wanted["key"][];
  /** Passwords of ours that nobody shall have any more: of two for one name charon takes either. */
  readonly passwordsToRemove: readonly string[];
  /** Pools that are to be there before anybody's connection is. */
  readonly poolsToAdd: readonly IpsecPool[];
  /** Names of pools of ours that shall go once nobody has an address out of them. */
  readonly poolsToRemove: readonly string[];
  readonly blocksToAdd: readonly string[];
  readonly blocksToRemove: readonly string[];
  readonly linksToMake: readonly TunnelLink[];
  readonly linksToRemove: readonly TunnelLink[];
  readonly intoToAdd: readonly Into[];
  readonly intoToRemove: readonly Into[];
  /** What the record must hold before anything is loaded. */
  readonly record: LoadedRecord;
}

export function vpnDiff(desired: VpnConfig | null, observed: VpnObserved): VpnDiff {
  const wanted = wantedOf(desired);
  const live = liveOf(observed);
  const differing = wanted.filter(({ conn, key }) => !isThere(live, conn, key.id));
  const changed = wanted.filter((one) => differing.includes(one) || differing.some(isDoorOf(one)));
  const blocks = blocksOf(wanted);
  const pools = poolsIn(wanted);
  const there = (live?.pools ?? []).map(({ name }) => name);
  return {
    wanted,
    passwordsToRemove: stalePasswords(wanted, live),
    poolsToAdd: pools.filter(({ name }) => !there.includes(name)),
    poolsToRemove: there.filter((name) => !pools.some((pool) => pool.name === name)),
    changed,
    gone: (live?.conns ?? []).map(({ name }) => name).filter((name) => !wanted.some(({ conn }) => conn.name === name)),
    keys: changed
      .map(({ key }) => key)
      .filter(({ id }, index, all) => all.findIndex((one) => one.id === id) === index)
      .filter(({ id }) => live?.keys.includes(id) !== true),
    blocksToAdd: blocks.filter((network) => !observed.blocks.includes(network)),
    blocksToRemove: observed.blocks.filter((network) => !blocks.includes(network)),
    ...linkDiff({ links: linksOf(wanted), into: intoOf(wanted) }, observed),
    record: { ...observed.record, ...recordOf(wanted) },
  };
}

/** charon takes the first connection that fits anybody, so people's come after the one that asks them for a name. */
function isDoorOf(person: Pick<Wanted, "tunnel" | "group">): (door: Wanted) => boolean {
  return ({ conn, group, tunnel }) => isDoor(conn) && group === person.group && tunnel !== person.tunnel;
}

export function stalePasswords(wanted: readonly Pick<Wanted, "key">[], live: Live | null): readonly string[] {
  return (live?.keys ?? []).filter((id) => id.startsWith(PASSWORD_PREFIX) && !wanted.some(({ key }) => key.id === id));
}

function isThere(live: Live | null, conn: Wanted["conn"], keyId: string): boolean {
  return live !== null && isLoaded(conn, listedOf(live, conn.name)) && live.keys.includes(keyId);
}

/** Networks to which nothing may leave unencrypted. */
export function blocksOf(wanted: readonly Wanted[]): readonly string[] {
  const networks = wanted.flatMap(({ config }) => (config.clearText === "block" ? config.remote.networks : []));
  return [...new Set(networks)].toSorted();
}

export function linksOf(wanted: readonly Wanted[]): readonly TunnelLink[] {
  return wanted.flatMap(({ link }) => (link === null ? [] : [link]));
}

/** What is routed into the tunnels that have an interface. */
export function intoOf(wanted: readonly Wanted[]): readonly Into[] {
  return wanted.flatMap(({ link, config }) =>
    link === null ? [] : config.remote.networks.map((network) => ({ network, link: link.name })),
  );
}

export type LinkDiff = Pick<VpnDiff, "linksToMake" | "linksToRemove" | "intoToAdd" | "intoToRemove">;

/** From what is there to these interfaces and these routes; with an interface its routes go. */
export function linkDiff(
  want: { readonly links: readonly TunnelLink[]; readonly into: readonly Into[] },
  observed: VpnObserved,
): LinkDiff {
  const isThere = (link: TunnelLink): boolean =>
    observed.links.some(({ name, id, isUp }) => name === link.name && id === link.id && isUp);
  const has = (list: readonly Into[], one: Into): boolean => list.some((other) => intoText(other) === intoText(one));
  const isWanted = (name: string): boolean => want.links.some((link) => link.name === name);
  return {
    linksToMake: want.links.filter((link) => !isThere(link)),
    linksToRemove: oursIn(observed).filter(({ name }) => !isWanted(name)),
    intoToAdd: want.into.filter((one) => !has(observed.into, one)),
    intoToRemove: observed.into.filter((one) => isWanted(one.link) && !has(want.into, one)),
  };
}

export function oursIn({ links }: VpnObserved): readonly TunnelLink[] {
  return links.filter(({ name }) => isOurLink(name)).map(({ name, id }) => ({ name, id }));
}

export function isLinkQuiet({ linksToMake, linksToRemove, intoToAdd, intoToRemove }: LinkDiff): boolean {
  return linksToMake.length + linksToRemove.length + intoToAdd.length + intoToRemove.length === 0;
}

export function recordOf(wanted: readonly Wanted[]): LoadedRecord {
  return Object.fromEntries(
    wanted.map(({ conn, key, pools }) => [conn.label, { conn, key, ...(pools.length === 0 ? {} : { pools }) }]),
  );
}
