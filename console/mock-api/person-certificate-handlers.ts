import type { ListedPersonCertificate, PersonCertificate, SeenRequest } from "@holdfast/core/api/certificate.ts";
import type { RouteName } from "@holdfast/core/api/route.ts";
import { parseRequestText } from "@holdfast/core/policy/request-text.ts";
import { refuse } from "./answer.ts";
import type { MockHandler } from "./call.ts";
import { CERTIFIED, certificateText } from "./texts.ts";

const DAY_MS = 86_400_000;
function certificateOf(identity: string, endsMs: number, pem: string): PersonCertificate {
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
    pem,
  };
}

/** What a request says is chosen by what stands in it: nothing is read here. */
function saidBy(request: string): SeenRequest {
  const says = {
    subject: "CN=laptop-17",
    names: ["email:alice@example.com", "dns:laptop-17.example.com"],
    key: request.includes("WEAK") ? "RSA 1024" : "EC P-384",
    keyFingerprint: Array.from({ length: 32 }, (_, at) => request.charCodeAt(at).toString(16)).join(""),
  };
  if (request.includes("WEAK"))
    return { says, flaw: { kind: "short", message: "the RSA key of this request has 1024 bits" }, holder: null };
  if (request.includes("FAKE"))
    return { says, flaw: { kind: "signature", message: "the signature is not that of its own key" }, holder: null };
  const holder = { tunnel: "remote-staff", person: "dana", identity: "dana@example.com" };
  return { says, flaw: null, holder: request.includes("DANA") ? holder : null };
}

/** Nothing is signed here: whatever has the form of a request gets what has the form of a certificate. */
export const PERSON_CERTIFICATE_HANDLERS = {
  lookAtPersonRequest: ({ body }) => {
    const request = parseRequestText(String(body["request"]));
    if (!request.ok) return refuse("request.invalid", `request: ${request.error}.`);
    return { status: 200, body: saidBy(request.value) };
  },
  certifyPerson: ({ body, nowMs }) => {
    const request = parseRequestText(String(body["request"]));
    if (!request.ok) return refuse("certificate.request", `request: ${request.error}.`);
    const certificate = certificateOf(String(body["identity"]), nowMs + 365 * DAY_MS, certificateText("C"));
    return { status: 201, body: { ...certificate, authorityPem: certificateText("A") } };
  },
  listCertifiedPeople: ({ nowMs }) => {
    const one = (person: keyof typeof CERTIFIED, days: number): ListedPersonCertificate => ({
      ...certificateOf(`${person}@example.com`, nowMs + days * DAY_MS, CERTIFIED[person]),
      tunnel: "remote-staff",
      person,
      as: ["head", "in_force"],
    });
    return { status: 200, body: { items: [one("dana", 12), one("min-ji", 290)], nextCursor: null } };
  },
} as const satisfies Partial<Record<RouteName, MockHandler>>;
