import type { Result } from "@holdfast/core/base/result.ts";
import { withRevoked } from "@holdfast/core/policy/certify-person.ts";
import { tunnelBody, tunnelSchema } from "@holdfast/core/policy/tunnel-document.ts";
import { PERSON_WAYS, type PersonWay } from "@holdfast/core/policy/tunnel-people.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";

/** A person of a tunnel as the text says. */
export interface ToldPerson {
  readonly name: string;
  readonly identity: string;
  /** Null: nothing is written by which they could come in. */
  readonly way: PersonWay | null;
  /** As it stands in the text; null: none. */
  readonly certificate: string | null;
  /** Why they may not come in any more; null: they may. */
  readonly revoked: string | null;
}

/** The people of a tunnel; none where no end of it is people, or the text is not right. */
export function peopleIn(text: string): readonly ToldPerson[] {
  const parsed = tunnelSchema.safeParse(readYaml(text).data);
  if (!parsed.success) return [];
  return Object.values(parsed.data.ends)
    .flatMap(({ people }) => Object.entries(people ?? {}))
    .map(([name, person]) => ({
      name,
      identity: person.identity,
      way: PERSON_WAYS.find((one) => person[one] !== undefined) ?? null,
      certificate: person.certificate ?? null,
      revoked: person.revoked ?? null,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The text in which this person may not come in any more, or, without a reason, may again. */
export function revokedIn(text: string, person: string, reason: string | null): Result<string, string> {
  const parsed = tunnelSchema.parse(readYaml(text).data);
  return withRevoked(text, { name: parsed.name, body: tunnelBody(parsed) }, person, reason);
}

/** Whether two texts are the same certificate, however their lines are broken. */
export function isSamePem(one: string, other: string): boolean {
  return one.replace(/\s/g, "") === other.replace(/\s/g, "");
}
