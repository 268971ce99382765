import type { FactQuery, RawFact, RawFacts } from "./domain.ts";

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
  /** What the first line of a block looks like, with the flags `gm`; null: a text is one block. */
  readonly begins: RegExp | null;
  /** What a block that may hold a secret says somewhere. */
  readonly secret: RegExp | null;
}

/** A text of others in its blocks. What stands before the first one is a block of its own. */
export function foreignBlocks(source: string, text: string, format: ForeignFormat): readonly ForeignBlock[] {
  const found = format.begins === null ? [] : [...text.matchAll(format.begins)];
  const cuts = found.map(({ index }) => index).filter((index) => index > 0);
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
export function toldForeign({ blocks, unreadable }: ForeignReading): Foreign {
  let [told, count] = [0, 0];
  for (const { text } of blocks) {
    told += text?.length ?? 0;
    if (told > MOST_TEXT) break;
    count += 1;
  }
  return { blocks: blocks.slice(0, count), left: blocks.length - count, unreadable };
}

export type ForeignReading = Pick<Foreign, "blocks" | "unreadable">;

/** A file, or those files of a folder whose names end so, and which of them are ours. */
export interface ForeignSource {
  readonly path: string;
  /** Absent: `path` is a file. */
  readonly suffix?: string;
  readonly format: ForeignFormat;
  readonly isOurs?: (path: string) => boolean;
}

const nameOf = ({ path, suffix }: ForeignSource): string => (suffix === undefined ? path : `${path} *${suffix}`);

export function foreignFacts(sources: readonly ForeignSource[]): readonly FactQuery[] {
  return sources.map((source): FactQuery => {
    const [name, { path, suffix }] = [nameOf(source), source];
    return suffix === undefined ? { kind: "file", name, path } : { kind: "folder", name, path, suffix };
  });
}

/** What is not there has no blocks. */
export function readSources(sources: readonly ForeignSource[], raw: RawFacts): ForeignReading {
  const readings = sources.map((source): ForeignReading => {
    const fact = raw[nameOf(source)];
    if (fact?.status === ABSENT) return NOTHING;
    const files = fact?.status === 0 ? filesOf(source, fact.stdout) : null;
    if (files === null) return { blocks: [], unreadable: [unreadableSource(nameOf(source), fact)] };
    const theirs = files.filter(([path]) => source.isOurs?.(path) !== true);
    return { blocks: theirs.flatMap(([path, text]) => foreignBlocks(path, text, source.format)), unreadable: [] };
  });
  return bothReadings(...readings);
}

/** Of a file that is not there (`RawFact`). */
const ABSENT = 1;
const NOTHING: ForeignReading = { blocks: [], unreadable: [] };

export function bothReadings(...readings: readonly ForeignReading[]): ForeignReading {
  return {
    blocks: readings.flatMap(({ blocks }) => blocks),
    unreadable: readings.flatMap(({ unreadable }) => unreadable),
  };
}

export function unreadableSource(source: string, fact: RawFact | undefined): string {
  return `${source}: ${fact?.stderr.trim().split("\n")[0] || "it could not be read"}`;
}

/** In the order of their names; null: the answer is not of its form. */
function filesOf({ path, suffix }: ForeignSource, stdout: string): readonly (readonly [string, string])[] | null {
  if (suffix === undefined) return [[path, stdout]];
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  return Object.entries(value)
    .flatMap(([name, text]): readonly (readonly [string, string])[] =>
      typeof text === "string" ? [[`${path}/${name}`, text]] : [],
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}
