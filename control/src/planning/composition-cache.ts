import type { Digest } from "@holdfast/core/base/id.ts";
import type { ComposedServer, ComposeServerInput } from "@holdfast/core/compose/compose.ts";
import type { ParsedDocument } from "@holdfast/core/policy/document.ts";

/** A config that could be composed, with its text. */
export interface ComposedConfig {
  readonly composed: ComposedServer;
  readonly config: { readonly text: string; readonly digest: Digest };
}

/**
 * Characters of config texts that are remembered; what they are made of takes several times that. One change is composed when it is planned,
 * for its approvals and when it is applied, each time from the same documents.
 */
const REMEMBERED_CHARACTERS = 16_000_000;
/** What the smallest composition counts for, so that many small ones do not fill the memory either. */
const LEAST_CHARACTERS = 10_000;

const numbers = new WeakMap<ParsedDocument, number>();
let given = 0;

/**
 * Compositions by everything that went into them, the least recently used forgotten first. Documents count by identity: revisions are parsed
 * once and never change, and a document that was read anew is only composed anew.
 */
export class CompositionCache {
  readonly #kept = new Map<string, ComposedConfig>();
  #characters = 0;

  get(key: string): ComposedConfig | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found;
  }

  put(key: string, one: ComposedConfig): void {
    this.#kept.set(key, one);
    this.#characters += costOf(one);
    for (const [oldest, other] of this.#kept) {
      if (this.#characters <= REMEMBERED_CHARACTERS) return;
      this.#kept.delete(oldest);
      this.#characters -= costOf(other);
    }
  }
}

/** `observed` is the text of the observed addresses, which is the same for all servers of one look. */
export function compositionKey(
  input: Pick<ComposeServerInput, "server" | "documents" | "controlPlane" | "secrets">,
  observed: string,
): string {
  const documents = input.documents.map(({ document, revision }) => `${numberOf(document)}.${revision}`);
  const secrets = (input.secrets ?? []).map((one) => [one.name, one.version, one.fingerprint, one.boundTo]);
  return JSON.stringify([input.server, documents.join(), input.controlPlane, observed, secrets]);
}

function costOf({ config }: ComposedConfig): number {
  return Math.max(LEAST_CHARACTERS, config.text.length);
}

function numberOf(document: ParsedDocument): number {
  const known = numbers.get(document);
  if (known !== undefined) return known;
  given += 1;
  numbers.set(document, given);
  return given;
}
