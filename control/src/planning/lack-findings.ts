import type { Finding } from "@holdfast/core/base/finding.ts";
import type { LacksByDomain } from "@holdfast/core/capability/lack.ts";
import { unmetRequirements } from "@holdfast/core/capability/requirement.ts";
import { lacksOf } from "../gateway/told-lacks.ts";
import type { House } from "../house.ts";
import { setLacks } from "../store/servers.ts";
import type { ServerRow } from "../store/tables.ts";
import type { Composition } from "./compose-for.ts";

/**
 * What the change needs and the server does not have, at the place where it is written. What is remembered may have been mended since: before
 * it is held against a plan the server is asked anew. Where it does not answer, what it last said is the best there is.
 */
export async function lackFindings(
  house: Pick<House, "agents" | "database">,
  row: ServerRow,
  composition: Composition,
): Promise<readonly Finding[]> {
  const remembered = findingsFrom(row, composition, lacksOf(row));
  if (remembered.length === 0) return [];
  const asked = await house.agents.lacks(row.id);
  if (asked.kind === "unreachable") return remembered;
  await setLacks(house.database, row.id, asked.value);
  return findingsFrom(row, composition, { ...lacksOf(row), ...asked.value });
}

function findingsFrom({ name }: ServerRow, { composed }: Composition, lacks: LacksByDomain): readonly Finding[] {
  return unmetRequirements(composed.requires, lacks).map(({ requirement, lack }) => {
    const { item, document, path, line } = requirement;
    return {
      severity: "error",
      // The module's own: one thing that is missing has one name, whoever tells it.
      code: lack.code,
      path: path ?? item,
      message: `${name} cannot do this: ${lack.reason}`,
      remedy: lack.remedy,
      ...(document === undefined ? {} : { document }),
      ...(line === undefined ? {} : { line }),
    };
  });
}
