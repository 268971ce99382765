import "reflect-metadata";
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import type { RequestFlaw, RequestSays } from "@holdfast/core/api/certificate.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseRequestText } from "@holdfast/core/policy/request-text.ts";
import * as x509 from "@peculiar/x509";

/**
 * What a person's device asks for: its public key, and the proof that it has the private one. What the request says of names is shown to whoever certifies it
 * and goes nowhere else: we say whose it is.
 */
export interface PersonRequest {
  readonly key: KeyObject;
  readonly says: RequestSays;
}

export interface RefusedRequest {
  readonly flaw: RequestFlaw;
  readonly message: string;
  /** Null: nothing in it can be read. */
  readonly says: RequestSays | null;
}

/** Bits. Below, a modulus can be factored (NIST SP 800-131A); above, devices need seconds for a signature. */
const RSA_BITS = { least: 2048, most: 8192 } as const;
const LEAST_EXPONENT = 65_537n;
/** By the name that OpenSSL has for it. */
const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
/** More is no name that a device has, and nobody reads it. */
const MOST_NAMES = 20;
const LONGEST_NAME = 200;
/** RFC 5280, 4.2.1.6. */
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

const AGAIN = "make a new key and a new request on the device, with EC P-384 or RSA 3072";

/** A request in PEM, as somebody has pasted it. */
export async function readPersonRequest(text: string): Promise<Result<PersonRequest, RefusedRequest>> {
  const body = parseRequestText(text);
  if (!body.ok) return err({ flaw: "unreadable", message: body.error, says: null });
  const request = requestIn(body.value);
  if (request === null)
    return err({ flaw: "unreadable", message: `this request cannot be read; ${AGAIN}`, says: null });
  const key = keyIn(request.publicKey);
  if (key === null)
    return err({ flaw: "unreadable", message: `the public key in this request cannot be read; ${AGAIN}`, says: null });
  const says = saidBy(request, key);
  const weakness = weaknessOf(key);
  if (weakness !== null) return err({ flaw: weakness[0], message: `${weakness[1]}; ${AGAIN}`, says });
  return (await isSignedByItself(request))
    ? ok({ key, says })
    : err({
        flaw: "signature",
        message: `the signature on this request is not that of its own key, so nobody shows that they have the private one; copy the request again as the device has written it, or ${AGAIN}`,
        says,
      });
}

function requestIn(base64: string): x509.Pkcs10CertificateRequest | null {
  try {
    return new x509.Pkcs10CertificateRequest(Buffer.from(base64, "base64"));
  } catch {
    return null;
  }
}

function keyIn({ rawData }: x509.PublicKey): KeyObject | null {
  try {
    return createPublicKey({ key: Buffer.from(rawData), format: "der", type: "spki" });
  } catch {
    return null;
  }
}

function saidBy(request: x509.Pkcs10CertificateRequest, key: KeyObject): RequestSays {
  const spki = key.export({ type: "spki", format: "der" });
  return {
    subject: request.subject.slice(0, LONGEST_NAME),
    names: namesIn(request),
    key: kindOf(key),
    keyFingerprint: createHash("sha256").update(spki).digest("hex"),
  };
}

/** What else it asks to be called. What cannot be read is not shown: nothing is done with it anyway. */
function namesIn(request: x509.Pkcs10CertificateRequest): string[] {
  try {
    const asked = request.getExtension(SUBJECT_ALTERNATIVE_NAME);
    const names = asked instanceof x509.SubjectAlternativeNameExtension ? asked.names.items : [];
    return names.slice(0, MOST_NAMES).map(({ type, value }) => `${type}:${value}`.slice(0, LONGEST_NAME));
  } catch {
    return [];
  }
}

function kindOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { modulusLength, namedCurve = "" } = asymmetricKeyDetails ?? {};
  const kind = asymmetricKeyType ?? "unknown";
  if (kind === "ec") return `EC ${CURVES[namedCurve] ?? namedCurve}`;
  return modulusLength === undefined ? kind : `${kind.toUpperCase()} ${modulusLength}`;
}

/** With what it is, in words; null: it is strong enough. */
function weaknessOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly [RequestFlaw, string] | null {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = "" } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === "ec")
    return CURVES[namedCurve] === undefined
      ? ["curve", `the key of this request is on the curve ${namedCurve}, and P-256, P-384 and P-521 are taken`]
      : null;
  if (asymmetricKeyType !== "rsa")
    return [
      "kind",
      `the key of this request is of the kind ${asymmetricKeyType ?? "nobody knows"}, and RSA and EC are taken`,
    ];
  if (modulusLength < RSA_BITS.least)
    return ["short", `the RSA key of this request has ${modulusLength} bits, and ${RSA_BITS.least} are the least`];
  if (modulusLength > RSA_BITS.most)
    return ["long", `the RSA key of this request has ${modulusLength} bits, and ${RSA_BITS.most} are the most`];
  return publicExponent < LEAST_EXPONENT
    ? ["exponent", `the RSA key of this request has the exponent ${publicExponent}`]
    : null;
}

/** What a library throws at is no proof either: a signature of another kind than the key, a digest that nobody computes any more. */
async function isSignedByItself(request: x509.Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    return false;
  }
}
