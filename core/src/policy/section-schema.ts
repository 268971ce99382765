import type { z } from "zod";
import type { DomainName } from "../domain.ts";

/**
 * The section of one domain in a Policy. The schema sees a section with every parameter put in, so it never has to know `$name`; it checks
 * texts with the language's own parsers (text-schema.ts) and may normalise (one or a list), but it keeps the paths of what was written.
 */
export interface SectionSchema {
  readonly domain: DomainName;
  readonly schema: z.ZodType;
  /** `tunnel`: nobody writes this section; it is made of the Tunnels that end on a server. */
  readonly comesFrom?: "policy" | "tunnel";
}

/** The sections that people write into a Policy. */
export function writtenSections<Section extends SectionSchema>(sections: readonly Section[]): readonly Section[] {
  return sections.filter(({ comesFrom }) => comesFrom !== "tunnel");
}
