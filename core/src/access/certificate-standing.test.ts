import { expect, test } from "vitest";
import { EXPIRING_WITHIN_MS } from "../alert/detect.ts";
import { type CertificateFacts, certificateStanding } from "./certificate-standing.ts";

const NOW = 1_800_000_000_000;
const enrolled: CertificateFacts = {
  enrolment: "enrolled",
  lockedCode: null,
  notAfterMs: NOW + 2 * EXPIRING_WITHIN_MS,
};

test.each([
  ["valid", {}],
  ["valid", { notAfterMs: NOW + EXPIRING_WITHIN_MS }],
  ["late", { notAfterMs: NOW + EXPIRING_WITHIN_MS - 1 }],
  ["ended", { notAfterMs: NOW }],
  ["none", { notAfterMs: null }],
  ["none", { enrolment: "expected", notAfterMs: null }],
  ["waits", { enrolment: "pending", notAfterMs: null }],
  ["revoked", { enrolment: "released" }],
  // Another lock is about what the server has, not about who it is.
  ["valid", { lockedCode: "apply.restore_failed" }],
  ["in_two_places", { lockedCode: "server.key_in_two_places" }],
  ["revoked", { enrolment: "released", lockedCode: "server.key_in_two_places" }],
] as const satisfies readonly (readonly [string, Partial<CertificateFacts>])[])("%s: %j", (standing, facts) => {
  expect(certificateStanding({ ...enrolled, ...facts }, NOW)).toBe(standing);
});
