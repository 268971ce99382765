import type { RequestFlaw, RequestSays, SeenRequest } from "@holdfast/core/api/certificate.ts";
import { personPlace, type PersonPlace } from "@holdfast/core/policy/certify-person.ts";
import type { RequestTextFlaw } from "@holdfast/core/policy/request-text.ts";
import { tunnelBody, tunnelSchema } from "@holdfast/core/policy/tunnel-document.ts";
import type { TunnelPerson } from "@holdfast/core/policy/tunnel-people.ts";
import { parseMail } from "@holdfast/core/policy/tunnel-text.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";

/** What somebody types to have a person's device certified. */
export interface CertifyWish {
  readonly person: string;
  readonly identity: string;
}

/** What is known of the request that was pasted, before anything is certified. */
export type RequestReading =
  /** Nothing to look at, or nobody to ask yet: the server is not chosen. */
  | { readonly state: "none" }
  | { readonly state: "asking" }
  /** The control plane does not say: it refused to look, or is not there. */
  | { readonly state: "unknown"; readonly error: Error }
  | { readonly state: "wrong"; readonly flaw: RequestTextFlaw | RequestFlaw; readonly says: RequestSays | null }
  | { readonly state: "good"; readonly says: RequestSays; readonly holder: SeenRequest["holder"] };

/** The people of a tunnel who can be certified; null: no end of it is people who come in by certificates or passwords. */
export function certifiable(text: string): {
  readonly tunnel: string;
  readonly server: string;
  readonly people: readonly TunnelPerson[];
  placeOf(person: string): PersonPlace | null;
} | null {
  const parsed = tunnelSchema.safeParse(readYaml(text).data);
  if (!parsed.success) return null;
  const tunnel = { name: parsed.data.name, body: tunnelBody(parsed.data) };
  const any = personPlace(tunnel, "x");
  if (!any.ok) return null;
  const people = tunnel.body.ends.find((end) => end.kind === "people");
  return {
    tunnel: tunnel.name,
    server: any.value.server,
    people: people?.people ?? [],
    placeOf: (person) => {
      const place = personPlace(tunnel, person);
      return place.ok ? place.value : null;
    },
  };
}

/** What keeps a person from being certified, at which field. */
export type CertifyGap = "who" | "revoked" | "identity" | "taken" | "request" | "asking" | "holder";

/**
 * @param place null: nobody of this tunnel can be certified
 * @param others who else is in the tunnel
 */
export function gapIn(
  { person, identity }: CertifyWish,
  place: Pick<PersonPlace, "known"> | null,
  others: readonly Pick<TunnelPerson, "name" | "identity">[],
  reading: RequestReading,
): CertifyGap | null {
  if (place === null || !/^[a-z0-9-]{1,24}$/.test(person)) return "who";
  if (place.known !== null && place.known.proof === null) return "revoked";
  if (!parseMail(identity).ok) return "identity";
  if (others.some((one) => one.name !== person && isSame(one.identity, identity))) return "taken";
  switch (reading.state) {
    case "none":
    case "unknown":
    case "wrong":
      return "request";
    case "asking":
      return "asking";
    case "good":
      return isOthers(reading, identity) ? "holder" : null;
  }
}

/** Whether the key of this request is that of somebody who is called otherwise: they could not be told from each other. */
export function isOthers(reading: RequestReading, identity: string): boolean {
  return reading.state === "good" && reading.holder !== null && !isSame(reading.holder.identity, identity);
}

/** As charon compares mail addresses. */
function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
