import type { ListedPersonCertificate, PersonCertificate } from "@holdfast/core/api/certificate.ts";
import type { RouteName } from "@holdfast/core/api/route.ts";
import { parseRequestText } from "@holdfast/core/policy/request-text.ts";
import { refuse } from "./answer.ts";
import type { MockHandler } from "./call.ts";

const DAY_MS = 86_400_000;
const PEM = (sign: string): string =>
  `-----BEGIN CERTIFICATE-----\nMIIB${sign.repeat(60)}\n${sign.repeat(64)}\n-----END CERTIFICATE-----\n`;

function certificateOf(identity: string, endsMs: number): PersonCertificate {
  return {
    identity,
    subject: `CN=${identity}, OU=tunnel remote-staff`,
    issuer: "CN=Holdfast tunnels 1",
    serial: "4be1d0c3",
    fingerprint: "9a".repeat(32),
    notBefore: new Date(endsMs - 365 * DAY_MS).toISOString(),
    notAfter: new Date(endsMs).toISOString(),
    dueAt: new Date(endsMs - 30 * DAY_MS).toISOString(),
    isChained: true,
    pem: PEM("C"),
  };
}

/** Nothing is signed here: whatever has the form of a request gets what has the form of a certificate. */
export const PERSON_CERTIFICATE_HANDLERS = {
  certifyPerson: ({ body, nowMs }) => {
    const request = parseRequestText(String(body["request"]));
    if (!request.ok) return refuse("certificate.request", `request: ${request.error}.`);
    const certificate = certificateOf(String(body["identity"]), nowMs + 365 * DAY_MS);
    return { status: 201, body: { ...certificate, authorityPem: PEM("A") } };
  },
  listCertifiedPeople: ({ nowMs }) => {
    const one = (person: string, days: number): ListedPersonCertificate => ({
      ...certificateOf(`${person}@example.com`, nowMs + days * DAY_MS),
      tunnel: "remote-staff",
      person,
      as: ["head", "in_force"],
    });
    return { status: 200, body: { items: [one("dana", 12), one("min-ji", 290)], nextCursor: null } };
  },
} as const satisfies Partial<Record<RouteName, MockHandler>>;
