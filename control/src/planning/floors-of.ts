import type { DocumentId } from "@holdfast/core/base/id.ts";
import type { FloorSettings } from "@holdfast/core/compose/floor-settings.ts";
import { uniteFloors } from "@holdfast/core/compose/floor.ts";
import type { ParsedDocument } from "@holdfast/core/policy/document.ts";
import type { House } from "../house.ts";
import type { PlanHead } from "../store/plans.ts";
import { keyOf } from "./document-cache.ts";

/**
 * The floors that a plan was made on, before and after: of the revisions that hold on its server, the floors are those that select it.
 *
 * @param drafted what a draft holds, whose revisions are not made yet
 */
export async function floorsOf(
  house: Pick<House, "database" | "documents">,
  plan: Pick<PlanHead, "revisions" | "before_revisions">,
  drafted: ReadonlyMap<DocumentId, ParsedDocument>,
): Promise<readonly FloorSettings[]> {
  const parsed = await house.documents.read(house.database, [...plan.revisions, ...plan.before_revisions]);
  const unite = (refs: PlanHead["revisions"], isAfter: boolean): FloorSettings =>
    uniteFloors(
      refs.flatMap((ref) => {
        const document = parsed.get(keyOf(ref)) ?? (isAfter ? drafted.get(ref.document_id) : undefined);
        return document?.kind === "Floor" ? [{ document, revision: ref.revision }] : [];
      }),
    ).settings;
  return [unite(plan.before_revisions, false), unite(plan.revisions, true)];
}
