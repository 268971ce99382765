import { wantedOf, type Wanted } from "./conn.ts";
import type { VpnObserved } from "./facts.ts";
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
  readonly blocksToAdd: readonly string[];
  readonly blocksToRemove: readonly string[];
  /** What the record must hold before anything is loaded. */
  readonly record: LoadedRecord;
}

export function vpnDiff(desired: VpnConfig | null, observed: VpnObserved): VpnDiff {
  const wanted = wantedOf(desired);
  const live = liveOf(observed);
  const changed = wanted.filter(({ conn, key }) => !isThere(live, conn, key.id));
  const blocks = blocksOf(wanted);
  return {
    wanted,
    changed,
    gone: (live?.conns ?? []).map(({ name }) => name).filter((name) => !wanted.some(({ conn }) => conn.name === name)),
    keys: changed.map(({ key }) => key).filter(({ id }) => live?.keys.includes(id) !== true),
    blocksToAdd: blocks.filter((network) => !observed.blocks.includes(network)),
    blocksToRemove: observed.blocks.filter((network) => !blocks.includes(network)),
    record: { ...observed.record, ...recordOf(wanted) },
  };
}

function isThere(live: Live | null, conn: Wanted["conn"], keyId: string): boolean {
  return live !== null && isLoaded(conn, listedOf(live, conn.name)) && live.keys.includes(keyId);
}

/** Networks to which nothing may leave unencrypted. */
export function blocksOf(wanted: readonly Wanted[]): readonly string[] {
  const networks = wanted.flatMap(({ config }) => (config.clearText === "block" ? config.remote.networks : []));
  return [...new Set(networks)].toSorted();
}

export function recordOf(wanted: readonly Wanted[]): LoadedRecord {
  return Object.fromEntries(wanted.map(({ conn, key }) => [conn.label, { conn, key }]));
}
