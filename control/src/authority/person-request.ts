import "reflect-metadata";
import { createPublicKey, type KeyObject } from "node:crypto";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseRequestText } from "@holdfast/core/policy/request-text.ts";
import * as x509 from "@peculiar/x509";

/** What a person's device asks for: its public key, and the proof that it has the private one. What the request says of names is not read: we say whose it is. */
export interface PersonRequest {
  readonly key: KeyObject;
}

/** Bits. Below, a modulus can be factored (NIST SP 800-131A); above, devices need seconds for a signature. */
const RSA_BITS = { least: 2048, most: 8192 } as const;
const LEAST_EXPONENT = 65_537n;
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

const AGAIN = "make a new key and a new request on the device, with EC P-384 or RSA 3072";

/** A request in PEM, as somebody has pasted it. */
export async function readPersonRequest(text: string): Promise<Result<PersonRequest, string>> {
  const body = parseRequestText(text);
  if (!body.ok) return body;
  const request = requestIn(body.value);
  if (request === null) return err(`this request cannot be read; ${AGAIN}`);
  const key = keyIn(request.publicKey);
  if (key === null) return err(`the public key in this request cannot be read; ${AGAIN}`);
  const weakness = weaknessOf(key);
  if (weakness !== null) return err(`${weakness}; ${AGAIN}`);
  return (await isSignedByItself(request))
    ? ok({ key })
    : err(
        `the signature on this request is not that of its own key, so nobody shows that they have the private one; copy the request again as the device has written it, or ${AGAIN}`,
      );
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

/** In words; null: it is strong enough. */
function weaknessOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | null {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = "" } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === "ec")
    return CURVES.includes(namedCurve)
      ? null
      : `the key of this request is on the curve ${namedCurve}, and P-256, P-384 and P-521 are taken`;
  if (asymmetricKeyType !== "rsa")
    return `the key of this request is of the kind ${asymmetricKeyType ?? "nobody knows"}, and RSA and EC are taken`;
  if (modulusLength < RSA_BITS.least)
    return `the RSA key of this request has ${modulusLength} bits, and ${RSA_BITS.least} are the least`;
  if (modulusLength > RSA_BITS.most)
    return `the RSA key of this request has ${modulusLength} bits, and ${RSA_BITS.most} are the most`;
  return publicExponent < LEAST_EXPONENT ? `the RSA key of this request has the exponent ${publicExponent}` : null;
}

/** What a library throws at is no proof either: a signature of another kind than the key, a digest that nobody computes any more. */
async function isSignedByItself(request: x509.Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    return false;
  }
}
