import type { Finding } from "../base/finding.ts";
import type { DomainName } from "../domain.ts";

/**
 * Something that a server cannot do, as the module of a domain found it there: told before anybody plans on it. It is what was so at the last
 * look; the module looks again before anything changes.
 */
export type Lack = {
  /** What would not work: a word of the domain, which a config that needs it says too; empty for all of the domain. */
  readonly feature: string;
  /** Of the finding with which a plan would refuse it. */
  readonly code: string;
  readonly reason: string;
  readonly remedy: string;
};

/** By domain; a domain that is not there was not told of. */
export type LacksByDomain = { readonly [Name in DomainName]?: readonly Lack[] };

/** All of a domain. */
export const WHOLE = "";

/** What a plan would refuse, as what is missing for it. */
export function lackOf(feature: string, { code, message, remedy }: Finding): Lack {
  return { feature, code, reason: message, remedy };
}
