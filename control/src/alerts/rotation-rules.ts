import type { AlertFacts, PersonCertificateFact } from "@holdfast/core/alert/facts.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { dueMs, type RotationRule, rotationRule } from "@holdfast/core/secret/rotation.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { certificatesIn, readCertificate } from "../planning/people-certificates.ts";
import type { Queryable } from "../store/database.ts";
import { keysMade, revisionText, tunnelsInForce } from "./store/facts.ts";

/** What a tunnel says of the age of its key, and until when its people have certificates. */
interface Dated {
  readonly rule: RotationRule | null;
  readonly people: readonly PersonCertificateFact[];
}

const UNDATED: Dated = { rule: null, people: [] };

/** How old keys and certificates of tunnels in force may become. A revision never changes, so each is read once. */
export class RotationRules {
  #known = new Map<string, Dated>();

  async facts(database: Queryable): Promise<Pick<AlertFacts, "keys" | "people">> {
    const before = this.#known;
    const known = new Map<string, Dated>();
    for (const ref of await tunnelsInForce(database)) {
      const key = `${ref.document_id} ${ref.revision}`;
      known.set(key, before.get(key) ?? datedIn((await revisionText(database, ref))?.text ?? ""));
    }
    this.#known = known;
    const people = [...known.values()].flatMap((one) => one.people);
    const rules = [...known.values()].flatMap(({ rule }) => rule ?? []);
    if (rules.length === 0) return { keys: [], people };
    const made = await keysMade(database, [...new Set(rules.map(({ secret }) => secret))]);
    const keys = rules.flatMap((rule) => {
      const one = made.find(({ name, version }) => name === rule.secret && version === rule.version);
      if (one === undefined) return [];
      const madeMs = one.made_at.getTime();
      return [{ secret: rule.secret, tunnel: rule.tunnel, version: rule.version, madeMs, dueMs: dueMs(madeMs, rule) }];
    });
    return { keys, people };
  }
}

function datedIn(text: string): Dated {
  const [document] = parseDocuments(text, { domains: DOMAIN_LANGUAGES }).documents;
  if (document?.kind !== "Tunnel") return UNDATED;
  const people = certificatesIn(document).flatMap(({ tunnel, person, body }) => {
    const read = readCertificate(body);
    return read === null ? [] : [{ tunnel, person, notAfterMs: read.validToDate.getTime() }];
  });
  return { rule: rotationRule(document), people };
}
