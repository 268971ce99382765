import type { EffectiveConfig } from "@holdfast/core/compose/effective-config.ts";
import { secretsOf } from "@holdfast/core/compose/tunnel-key.ts";
import type { ParsedDocument } from "@holdfast/core/policy/document.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import type { House } from "../house.ts";
import type { Queryable } from "../store/database.ts";
import { configsUnderWay, draftedTunnels } from "./store/secret-drafts.ts";
import { loadWorld } from "./world.ts";

/** Who names a secret: while anybody does, it is not deleted. */
export interface SecretUse {
  readonly secret: string;
  readonly version: number;
  readonly document: string;
  readonly as: "head" | "in_force" | "draft" | "under_way";
}

export async function secretUses(house: Pick<House, "documents">, database: Queryable): Promise<readonly SecretUse[]> {
  const world = await loadWorld(database, house.documents);
  const uses: SecretUse[] = [];
  const note = (document: ParsedDocument | null | undefined, as: SecretUse["as"]): void => {
    if (document?.kind !== "Tunnel") return;
    for (const { name, version } of secretsOf(document))
      uses.push({ secret: name, version, document: `Tunnel/${document.name}`, as });
  };
  for (const head of world.heads.values()) if (!head.deleted) note(world.document(head.id, head.revision), "head");
  for (const own of world.assigned.values()) {
    for (const [id, revision] of own) note(world.document(id, revision), "in_force");
  }
  for (const { text } of await draftedTunnels(database)) note(house.documents.parse(text).documents[0], "draft");
  for (const { server, config } of await configsUnderWay(database)) {
    for (const file of (JSON.parse(config) as EffectiveConfig).secrets ?? []) {
      const named = parseSecretFile(file);
      if (named.ok)
        uses.push({
          secret: named.value.name,
          version: named.value.version,
          document: `Server/${server}`,
          as: "under_way",
        });
    }
  }
  const seen = new Set<string>();
  return uses.filter((use) => {
    const key = JSON.stringify(use);
    return seen.has(key) ? false : seen.add(key);
  });
}
