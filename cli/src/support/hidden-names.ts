export type NameKind = "server" | "document" | "person" | "secret";

export interface HiddenNames {
  hide(kind: NameKind, name: string): void;
  /** The name as a whole is one, also where it was not hidden before. */
  standInOf(kind: NameKind, name: string): string;
  /** A text with every hidden name in it replaced, the longest first: web-10 is not web-1 and a nought. */
  hiddenIn(text: string): string;
}

/** Letters and digits, and what stands between them in a name: a name is found between any two of these, so also in `tunnel.NAME` and `NAME_2`. */
const WORDS = /[a-z0-9]+(?:[._-]+[a-z0-9]+)*/gi;
const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * One name has one stand-in, of the kind that it was first hidden as: a server and its document are called the same, and a text does not say
 * which it means.
 */
export function hiddenNames(standIn: (kind: string, original: string) => string): HiddenNames {
  const hidden = new Map<string, string>();
  let longest = 0;

  const standInOf = (kind: NameKind, name: string): string => {
    const key = keyOf(name);
    const known = hidden.get(key);
    if (known !== undefined) return known;
    const made = standIn(kind, key);
    hidden.set(key, made);
    longest = Math.max(longest, key.length);
    return made;
  };
  const inWords = (words: string): string => {
    if (ID.test(words)) return words;
    // Every other part is what stands between two words.
    const parts = words.split(/([._-]+)/);
    let out = "";
    for (let from = 0; from < parts.length;) {
      const to = endOfName(parts, from);
      out += to === null ? (parts[from] ?? "") : (hidden.get(nameOf(parts, from, to)) ?? "");
      from = to ?? from + 1;
    }
    return out;
  };
  const endOfName = (parts: readonly string[], from: number): number | null => {
    if (from % 2 === 1) return null;
    let found: number | null = null;
    let length = 0;
    for (let to = from + 1; to <= parts.length && length <= longest; to += 2) {
      const name = nameOf(parts, from, to);
      length = name.length;
      if (hidden.has(name)) found = to;
    }
    return found;
  };

  return {
    hide(kind, name) {
      // A name without a letter or digit stands between no words and would be found nowhere.
      if (keyOf(name) !== "") standInOf(kind, name);
    },
    standInOf,
    hiddenIn: (text) => (hidden.size === 0 ? text : text.replace(WORDS, inWords)),
  };
}

/** As it is looked for in a text: an account may end in a dot, and a sentence too. */
function keyOf(name: string): string {
  return name.toLowerCase().replace(/[._-]+$/, "");
}

function nameOf(parts: readonly string[], from: number, to: number): string {
  return parts.slice(from, to).join("").toLowerCase();
}
