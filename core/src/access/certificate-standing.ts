import { EXPIRING_WITHIN_MS } from "../alert/detect.ts";

/**
 * How an agent's certificate stands. `late`: it should have been renewed at half its life and was not; the alert of that name stands too.
 * `ended`: the server is shut out until it is enrolled again. `in_two_places`: its key was used from two places at once, so nobody gets in with it.
 * `revoked`: the server was released. `waits`: a key waits for an operator. `none`: nothing was certified yet.
 */
export const CERTIFICATE_STANDINGS = ["in_two_places", "ended", "late", "waits", "valid", "none", "revoked"] as const;
export type CertificateStanding = (typeof CERTIFICATE_STANDINGS)[number];

export interface CertificateFacts {
  readonly enrolment: "expected" | "pending" | "enrolled" | "released";
  readonly lockedCode: string | null;
  /** Of the key that is in use; null: there is none. */
  readonly notAfterMs: number | null;
}

const IN_TWO_PLACES = "server.key_in_two_places";

export function certificateStanding(facts: CertificateFacts, nowMs: number): CertificateStanding {
  if (facts.enrolment === "released") return "revoked";
  if (facts.lockedCode === IN_TWO_PLACES) return "in_two_places";
  if (facts.enrolment === "pending") return "waits";
  if (facts.enrolment === "expected" || facts.notAfterMs === null) return "none";
  if (facts.notAfterMs <= nowMs) return "ended";
  return facts.notAfterMs - nowMs < EXPIRING_WITHIN_MS ? "late" : "valid";
}
