import { personPlace, type PersonPlace } from "@holdfast/core/policy/certify-person.ts";
import { parseRequestText } from "@holdfast/core/policy/request-text.ts";
import { tunnelBody, tunnelSchema } from "@holdfast/core/policy/tunnel-document.ts";
import { parseMail } from "@holdfast/core/policy/tunnel-text.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";
import { isPrivate } from "./tunnel-wizard.ts";

/** What somebody types to have a person's device certified. */
export interface CertifyWish {
  readonly person: string;
  readonly identity: string;
  readonly request: string;
}

/** The people of a tunnel who can be certified; null: no end of it is people who come in by certificates or passwords. */
export function certifiable(
  text: string,
): { readonly tunnel: string; readonly people: readonly string[]; placeOf(person: string): PersonPlace | null } | null {
  const parsed = tunnelSchema.safeParse(readYaml(text).data);
  if (!parsed.success) return null;
  const tunnel = { name: parsed.data.name, body: tunnelBody(parsed.data) };
  if (!personPlace(tunnel, "x").ok) return null;
  const people = tunnel.body.ends.find((end) => end.kind === "people");
  return {
    tunnel: tunnel.name,
    people: (people?.people ?? []).map(({ name }) => name),
    placeOf: (person) => {
      const place = personPlace(tunnel, person);
      return place.ok ? place.value : null;
    },
  };
}

/** What keeps it from being sent: a key that was pasted by mistake never is. */
export type CertifyGap = "who" | "revoked" | "identity" | "private" | "request";

export function gapIn({ person, identity, request }: CertifyWish, place: PersonPlace | null): CertifyGap | null {
  // Before anything else is asked for: it must not stand there while somebody fills in the rest.
  if (isPrivate(request)) return "private";
  if (place === null || !/^[a-z0-9-]{1,24}$/.test(person)) return "who";
  if (place.known !== null && place.known.proof === null) return "revoked";
  if (!parseMail(identity).ok) return "identity";
  return parseRequestText(request).ok ? null : "request";
}
