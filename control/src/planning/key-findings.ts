import type { Finding } from "@holdfast/core/base/finding.ts";
import { documentId } from "@holdfast/core/policy/document.ts";
import { dueMs, type RotationRule, rotationRule } from "@holdfast/core/secret/rotation.ts";
import { keysMade } from "../alerts/store/facts.ts";
import type { House } from "../house.ts";
import type { Queryable } from "../store/database.ts";
import type { Composition } from "./compose-for.ts";
import { planningFinding } from "./planning-findings.ts";
import { loadWorld } from "./world.ts";

/** What tunnels say of the age of keys, as they are in force or shall be next. */
export async function rotationRules(
  house: Pick<House, "documents">,
  database: Queryable,
): Promise<readonly RotationRule[]> {
  const world = await loadWorld(database, house.documents);
  const heads = [...world.heads.values()].filter(({ deleted }) => !deleted);
  const refs = [
    ...heads.map(({ id, revision }) => [id, revision] as const),
    ...[...world.assigned.values()].flatMap((own) => [...own]),
  ];
  return refs.flatMap(([id, revision]) => {
    const document = world.document(id, revision);
    return document?.kind === "Tunnel" ? (rotationRule(document) ?? []) : [];
  });
}

/** Keys of this server's tunnels that are older than the tunnels say. Composing knows no clock; whoever plans does. */
export async function keyFindings(
  { database, nowMs }: Pick<House, "database" | "nowMs">,
  { selected }: Composition,
): Promise<readonly Finding[]> {
  const ruled = selected.documents.flatMap(({ document }) => {
    const rule = document.kind === "Tunnel" ? rotationRule(document) : null;
    return rule === null ? [] : [{ document: documentId(document), rule }];
  });
  if (ruled.length === 0) return [];
  const made = await keysMade(
    database,
    ruled.map(({ rule }) => rule.secret),
  );
  return ruled.flatMap(({ document, rule }) => {
    const one = made.find(({ name, version }) => name === rule.secret && version === rule.version);
    if (one === undefined || dueMs(one.made_at.getTime(), rule) > nowMs()) return [];
    const message = `The key of the tunnel ${rule.tunnel} was made ${one.made_at.toISOString()} and is older than it may be.`;
    return [{ ...planningFinding("plan.key_due", message, "auth.rotate"), document }];
  });
}
