import type { Finding } from "@holdfast/core/base/finding.ts";
import type { DomainLanguage } from "@holdfast/core/compose/domain-language.ts";
import type { ParsedDocument } from "@holdfast/core/policy/document.ts";
import { type ParsedDocuments, parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import type { Queryable } from "../store/database.ts";
import { readRevisions } from "../store/documents.ts";
import type { RevisionRef } from "../store/tables.ts";

/** Revisions never change, so each is parsed once. Enough for a fleet of thousands; a parsed document of usual size is some kilobytes. */
const MOST = 20_000;

/**
 * Characters of texts whose reading is remembered. One change is read when it is written, shown, planned and applied, each time from the same
 * text; a policy of 10,000 rules takes a second.
 */
const REMEMBERED_CHARACTERS = 16_000_000;

/** Parsed revisions, the least recently used forgotten first. */
export class DocumentCache {
  readonly #languages: readonly DomainLanguage[];
  readonly #parsed = new Map<string, ParsedDocument | null>();
  readonly #read = new Map<string, ParsedDocuments>();
  #readCharacters = 0;

  constructor(languages: readonly DomainLanguage[]) {
    this.#languages = languages;
  }

  parse(text: string, file?: string): ParsedDocuments {
    const key = JSON.stringify([file ?? null]) + text;
    const known = this.#read.get(key);
    const read = known ?? parseDocuments(text, { domains: this.#languages, ...(file === undefined ? {} : { file }) });
    this.#read.delete(key);
    this.#read.set(key, read);
    if (known === undefined) this.#readCharacters += key.length;
    for (const oldest of this.#read.keys()) {
      if (this.#readCharacters <= REMEMBERED_CHARACTERS) break;
      this.#read.delete(oldest);
      this.#readCharacters -= oldest.length;
    }
    return read;
  }

  /** Each wanted revision by its key; null: a deletion, or a text that this version of the language refuses. */
  async read(database: Queryable, refs: readonly RevisionRef[]): Promise<ReadonlyMap<string, ParsedDocument | null>> {
    const found = new Map<string, ParsedDocument | null>();
    const missing: RevisionRef[] = [];
    for (const ref of refs) {
      const key = keyOf(ref);
      const known = this.#parsed.get(key);
      if (known === undefined) missing.push(ref);
      else {
        this.#parsed.delete(key);
        this.#parsed.set(key, known);
        found.set(key, known);
      }
    }
    if (missing.length > 0) {
      for (const row of await readRevisions(database, missing)) {
        const document = row.text === null ? null : (this.parse(row.text).documents[0] ?? null);
        found.set(keyOf(row), document);
        this.#parsed.set(keyOf(row), document);
      }
    }
    for (const key of this.#parsed.keys()) {
      if (this.#parsed.size <= MOST) break;
      this.#parsed.delete(key);
    }
    return found;
  }
}

export function keyOf(ref: RevisionRef): string {
  return `${ref.document_id}/${ref.revision}`;
}

export function hasError(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === "error");
}
