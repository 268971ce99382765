import { err, ok, type Result } from "../base/result.ts";

/** Characters of a request for a certificate in PEM (PKCS #10, RFC 2986); an ordinary one has five hundred to two thousand. */
export const LONGEST_REQUEST = 16_000;

const HOW = "paste one request, from -----BEGIN CERTIFICATE REQUEST----- to -----END CERTIFICATE REQUEST-----";

/** Why a text is no request, before anybody looks into it. */
export const REQUEST_TEXT_FLAWS = ["private_key", "too_long", "several", "certificate", "no_request"] as const;
export type RequestTextFlaw = (typeof REQUEST_TEXT_FLAWS)[number];

const WORDS = {
  private_key: () =>
    `there is a private key in this text, which must never leave the device where it was made. Nothing of it is kept, but it counts as spilt: delete it there, make a new one, and ${HOW}`,
  too_long: ({ length }) => `this text has ${length} characters, and a request at most ${LONGEST_REQUEST}: ${HOW}`,
  several: (text) => `there are ${blocksIn(text)} blocks of PEM in this text: ${HOW}`,
  certificate: () => `this is a certificate, and Holdfast issues one for a request: ${HOW}`,
  no_request: () => `this is no request for a certificate (PKCS #10) in PEM: ${HOW}`,
} as const satisfies Record<RequestTextFlaw, (text: string) => string>;

/**
 * One request in PEM, as the base64 of its DER. What is in it is judged where there is a library. What was pasted by mistake may be a private key: it is not
 * repeated in a message that others read.
 */
export function parseRequestText(text: string): Result<string, string> {
  const read = readRequestText(text);
  return read.ok ? read : err(WORDS[read.error](text));
}

/** The same, for whoever says it in words of their own. */
export function readRequestText(text: string): Result<string, RequestTextFlaw> {
  if (/PRIVATE KEY/i.test(text)) return err("private_key");
  if (text.length > LONGEST_REQUEST) return err("too_long");
  if (blocksIn(text) > 1) return err("several");
  if (/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(text)) return err("certificate");
  const body =
    /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END \1?CERTIFICATE REQUEST-----\s*$/.exec(
      text,
    )?.[2];
  const base64 = body?.replace(/\s/g, "") ?? "";
  return base64.length % 4 === 0 && /^M[A-Za-z0-9+/]{60,}={0,2}$/.test(base64) ? ok(base64) : err("no_request");
}

/** @param body as `readRequestText` has taken it out */
export function requestPem(body: string): string {
  const lines = body.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE REQUEST-----", ...lines, "-----END CERTIFICATE REQUEST-----", ""].join("\n");
}

function blocksIn(text: string): number {
  return text.match(/-----BEGIN /g)?.length ?? 0;
}
