import type { Answer } from "../api/client.ts";

export type Difference = Answer<"getServerLive">["domains"][number]["differences"][number];
export type Provenance = Answer<"getServerConfig">["provenance"][number];

/** What differs at an item or below it. */
export function differencesAt(differences: readonly Difference[], item: string): readonly Difference[] {
  return differences.filter(({ path }) => isAtOrBelow(path, item));
}

/** Where an item comes from: what is said of itself, else of what it stands in. */
export function originOf(provenance: readonly Provenance[], item: string): Provenance | undefined {
  return provenance
    .filter((entry) => isAtOrBelow(item, entry.item))
    .toSorted((a, b) => b.item.length - a.item.length)[0];
}

/** Where an item comes from that is written in parts: the documents of those parts, each once. */
export function originsBelow(provenance: readonly Provenance[], item: string): readonly Provenance[] {
  const below = provenance.filter((entry) => isAtOrBelow(entry.item, item));
  const own = below.length > 0 ? below : [originOf(provenance, item)].filter((entry) => entry !== undefined);
  return own.filter((entry, index) => own.findIndex(({ from }) => from.document === entry.from.document) === index);
}

function isAtOrBelow(path: string, item: string): boolean {
  return path === item || path.startsWith(`${item}.`) || path.startsWith(`${item}[`) || path.startsWith(`${item}:`);
}
