import type { KeyFact } from "@holdfast/core/alert/facts.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { dueMs, type RotationRule, rotationRule } from "@holdfast/core/secret/rotation.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import type { Queryable } from "../store/database.ts";
import { keysMade, revisionText, tunnelsInForce } from "./store/facts.ts";

/** How old keys of tunnels in force may become. A revision never changes, so each is read once. */
export class RotationRules {
  #known = new Map<string, RotationRule | null>();

  async keys(database: Queryable): Promise<readonly KeyFact[]> {
    const before = this.#known;
    const known = new Map<string, RotationRule | null>();
    for (const ref of await tunnelsInForce(database)) {
      const key = `${ref.document_id} ${ref.revision}`;
      const rule = before.get(key);
      known.set(key, rule === undefined ? ruleIn((await revisionText(database, ref))?.text ?? "") : rule);
    }
    this.#known = known;
    const rules = [...known.values()].filter((rule) => rule !== null);
    if (rules.length === 0) return [];
    const made = await keysMade(database, [...new Set(rules.map(({ secret }) => secret))]);
    return rules.flatMap((rule): readonly KeyFact[] => {
      const one = made.find(({ name, version }) => name === rule.secret && version === rule.version);
      if (one === undefined) return [];
      const madeMs = one.made_at.getTime();
      return [{ secret: rule.secret, tunnel: rule.tunnel, version: rule.version, madeMs, dueMs: dueMs(madeMs, rule) }];
    });
  }
}

function ruleIn(text: string): RotationRule | null {
  const [document] = parseDocuments(text, { domains: DOMAIN_LANGUAGES }).documents;
  return document?.kind === "Tunnel" ? rotationRule(document) : null;
}
