/**
 * Splits an ordered list of rules into chains of about 64. A boundary is decided by the name of the rule it stands before, never by position,
 * so that inserting, removing or changing one rule among ten thousand changes one or two chains and leaves the others byte for byte.
 */

/** About one name in 64 starts a chunk. Smaller: more jumps for each packet. Larger: more text for each change. */
const AVERAGE = 64;
/** A run of names without a boundary is split again above this length, at its smallest hash. */
const LONGEST = 128;
/** No second split closer than this to an end of a run, or chunks of one rule would appear. */
const MARGIN = 16;

export interface Chunk<Item> {
  /** The name of the rule it starts at; null for the first chunk. */
  readonly first: string | null;
  readonly items: readonly Item[];
}

export function chunksOf<Item extends { readonly name: string }>(items: readonly Item[]): readonly Chunk<Item>[] {
  const hashes = items.map((item) => hashOf(item.name));
  const chunks: Chunk<Item>[] = [];
  const add = (start: number, end: number): void => {
    if (end - start > LONGEST) {
      let split = start + MARGIN;
      for (let at = split; at < end - MARGIN; at += 1) if ((hashes[at] ?? 0) < (hashes[split] ?? 0)) split = at;
      add(start, split);
      add(split, end);
      return;
    }
    chunks.push({ first: start === 0 ? null : (items[start]?.name ?? null), items: items.slice(start, end) });
  };
  let start = 0;
  for (let at = 1; at < items.length; at += 1) {
    if ((hashes[at] ?? 1) % AVERAGE !== 0) continue;
    add(start, at);
    start = at;
  }
  if (items.length > 0) add(start, items.length);
  return chunks;
}

/** FNV-1a with the finalizer of MurmurHash3: spreads well over names that differ in one digit. Not for security. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
