import type { Json } from "../base/canonical-json.ts";
import type { ProvenanceEntry } from "../compose/effective-config.ts";
import { type DomainName, DOMAINS } from "../domain.ts";
import { type Lack, type LacksByDomain, WHOLE } from "./lack.ts";

/** What a config needs of the server that it is for, and where it says so. */
export interface Requirement {
  /** As in `Lack`; of which each domain has a few, named in its README. */
  readonly feature: string;
  /** Where it stands in the effective config, as provenance names it. */
  readonly item: string;
}

/** With the domain that has it, and the place in a document where people wrote it. */
export interface PlacedRequirement extends Requirement {
  readonly domain: DomainName;
  readonly document?: string;
  readonly path?: string;
  readonly line?: number;
}

/** What the configs of all domains need. That there is a config of a domain at all needs the whole of it. */
export function placedRequirements(
  domains: { readonly [Name in DomainName]?: Json },
  stated: readonly (Requirement & { readonly domain: DomainName })[],
  provenance: readonly ProvenanceEntry[],
): readonly PlacedRequirement[] {
  return DOMAINS.flatMap((domain) => {
    if (domains[domain] === undefined) return [];
    const own = stated.filter((one) => one.domain === domain);
    return [{ domain, feature: WHOLE, item: domain }, ...own].map((one) => ({
      ...one,
      ...placeOf(one.item, provenance),
    }));
  });
}

/** Where the item was written, or the first part of it that somebody wrote. */
function placeOf(
  item: string,
  provenance: readonly ProvenanceEntry[],
): Omit<PlacedRequirement, keyof Requirement | "domain"> {
  const entry =
    provenance.find((one) => one.item === item) ??
    provenance.find((one) => one.item.startsWith(`${item}.`)) ??
    provenance.find((one) => item.startsWith(`${one.item}.`));
  // What Holdfast adds by itself stands in no document.
  if (entry === undefined || entry.from.layer === "implied") return {};
  const { document, path, line } = entry.from;
  return { document, path, ...(line === undefined ? {} : { line }) };
}

/** A requirement that the server does not meet. */
export interface Unmet {
  readonly requirement: PlacedRequirement;
  readonly lack: Lack;
}

/** Where all of a domain is missing, its parts are not told one by one. */
export function unmetRequirements(requirements: readonly PlacedRequirement[], lacks: LacksByDomain): readonly Unmet[] {
  return requirements.flatMap((requirement) => {
    const missing = lacks[requirement.domain] ?? [];
    if (requirement.feature !== WHOLE && missing.some(({ feature }) => feature === WHOLE)) return [];
    return missing.filter(({ feature }) => feature === requirement.feature).map((lack) => ({ requirement, lack }));
  });
}
