import type { Json } from "../base/canonical-json.ts";
import { formatAddress, parseAddress } from "../net/address.ts";
import type { ParsedDocument } from "./document.ts";
import { formatPath, type Path } from "./path.ts";
import { locate } from "./yaml-source.ts";

/** A place where a document says a name or an address itself, instead of a reference that follows it. */
export interface Mention {
  readonly word: string;
  readonly path: string;
  readonly line: number | undefined;
}

/** What people write for people: an address in it decides nothing. */
const PROSE: ReadonlySet<string> = new Set(["description", "why", "comment", "banners"]);

/** Every place of a document that says one of these words (canonicalWord). */
export function mentionsOf(document: ParsedDocument, words: ReadonlySet<string>): readonly Mention[] {
  const found: Mention[] = [];
  const look = (value: Json | undefined, path: Path): void => {
    if (typeof value === "string") {
      for (const word of new Set(value.split(/[\s,]+/).map(canonicalWord)))
        if (words.has(word)) found.push({ word, path: formatPath(path), line: locate(document.positions, path)?.line });
      return;
    }
    if (typeof value !== "object" || value === null) return;
    const isList = Array.isArray(value);
    for (const [key, one] of Object.entries<Json | undefined>(value))
      if (isList || !PROSE.has(key)) look(one, [...path, isList ? Number(key) : key]);
  };
  look(document.data, []);
  return found;
}

/**
 * The one form of an address or a host name. `10.1.0.5/32` is one address; in `10.1.0.5/24` it is the address of whoever holds it.
 */
export function canonicalWord(text: string): string {
  const parsed = parseAddress(text.replace(/\/\d{1,3}$/, ""));
  return parsed.ok ? formatAddress(parsed.value) : text.toLowerCase();
}
