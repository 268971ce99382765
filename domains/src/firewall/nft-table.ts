/**
 * Our table as a value: what we want and what is read back have this one form, so equality is equality of values. Counters' values, handles
 * and the members of dynamic sets are no part of it. Type aliases, so that it is plain JSON to the compiler too.
 */
export type NativeTable = {
  readonly chains: Readonly<Record<string, NativeChain>>;
  readonly sets: Readonly<Record<string, NativeSet>>;
  /** Names of counters, sorted. */
  readonly counters: readonly string[];
  /** Objects that are never ours (maps, quotas, flow tables), as `kind name`, sorted. */
  readonly strange: readonly string[];
};

export type NativeChain = {
  /** Null for a chain that is only jumped to. */
  readonly hook: NativeHook | null;
  /** Canonical text of each rule, in order (nft-text.ts). */
  readonly rules: readonly string[];
};

export type NativeHook = {
  readonly type: string;
  readonly hook: string;
  readonly priority: number;
  readonly policy: string;
};

export type NativeSet = {
  readonly type: string;
  readonly interval: boolean;
  /** Seconds; only sets that rules fill have one, and their members are not compared. */
  readonly timeout: number | null;
  readonly size: number | null;
  readonly elements: readonly string[];
};

export const EMPTY_TABLE: NativeTable = { chains: {}, sets: {}, counters: [], strange: [] };

/** What in an existing declaration cannot be changed in place. */
export function setShape(set: NativeSet): string {
  return `${set.type} ${set.interval} ${set.timeout} ${set.size}`;
}

/** The policy of a hook can be redeclared; its place cannot (nft answers "Operation not supported"). */
export function chainShape(chain: NativeChain): string {
  return chain.hook === null ? "plain" : `${chain.hook.type} ${chain.hook.hook} ${chain.hook.priority}`;
}

export function sameChain(a: NativeChain, b: NativeChain): boolean {
  return chainShape(a) === chainShape(b) && a.hook?.policy === b.hook?.policy && sameTexts(a.rules, b.rules);
}

export function sameSet(a: NativeSet, b: NativeSet): boolean {
  return setShape(a) === setShape(b) && sameTexts(a.elements, b.elements);
}

export function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
