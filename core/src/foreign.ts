import type { RawFact } from "./domain.ts";

/**
 * What a server has that is not ours, as it stands there: opaque blocks in their order. Nothing of ours reads a meaning into them; whoever takes a
 * server over begins with them. The blocks of one source, put together in their order, are its text byte for byte, where none was withheld.
 */

/** Type aliases, so that they are plain JSON to the compiler too. */
export type ForeignBlock = {
  /** The file that it stands in, or the command that told it. */
  readonly source: string;
  /** Its first line that says something; "" where there is none. */
  readonly title: string;
  /** Null: it may hold a secret, and did not leave the server. */
  readonly text: string | null;
};

export type Foreign = {
  readonly blocks: readonly ForeignBlock[];
  /** Blocks that were left out because of their size, behind those that are told. */
  readonly left: number;
  /** Sources that could not be read, each with the reason. */
  readonly unreadable: readonly string[];
};

/** Characters of one domain's blocks that are told: the tables of a cluster can be megabytes, and people read them on a page. */
const MOST_TEXT = 256 * 1024;

export interface ForeignFormat {
  /** What the first line of a block looks like, with the flags `gm`. A text without one is one block. */
  readonly begins: RegExp;
  /** What a block that may hold a secret says somewhere. */
  readonly secret: RegExp | null;
}

/** A text of others in its blocks. What stands before the first one is a block of its own. */
export function foreignBlocks(source: string, text: string, format: ForeignFormat): readonly ForeignBlock[] {
  const cuts = [...text.matchAll(format.begins)].map(({ index }) => index).filter((index) => index > 0);
  const bounds = [0, ...cuts, text.length];
  return bounds.slice(1).flatMap((end, at): readonly ForeignBlock[] => {
    const block = text.slice(bounds[at], end);
    if (block === "") return [];
    const isSecret = format.secret !== null && format.secret.test(block);
    const title = firstLine(block).slice(0, LONGEST_TITLE);
    // Of what may hold a secret the first word alone: the secret may be the next one.
    return [
      isSecret ? { source, title: /^[[\w.-]*\]?/.exec(title)?.[0] ?? "", text: null } : { source, title, text: block },
    ];
  });
}

const LONGEST_TITLE = 120;

function firstLine(block: string): string {
  const lines = block.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !line.startsWith("#") && !line.startsWith(";")) ?? "";
}

/** As much as is told, in the order of the sources. */
export function toldForeign(blocks: readonly ForeignBlock[], unreadable: readonly string[]): Foreign {
  let told = 0;
  const kept = blocks.findIndex(({ text }) => (told += text?.length ?? 0) > MOST_TEXT);
  const count = kept < 0 ? blocks.length : kept;
  return { blocks: blocks.slice(0, count), left: blocks.length - count, unreadable };
}

/** The files that a `folder` fact gave, in the order of their names; a folder that is not there has none. */
export function foreignFiles(fact: RawFact | undefined): readonly (readonly [name: string, text: string])[] {
  if (fact === undefined || fact.status !== 0) return [];
  let value: unknown;
  try {
    value = JSON.parse(fact.stdout);
  } catch {
    return [];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value)
    .flatMap(([name, text]): readonly (readonly [string, string])[] => (typeof text === "string" ? [[name, text]] : []))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}
