import { err, ok, type Result } from "../base/result.ts";

/** Characters of a request for a certificate in PEM (PKCS #10, RFC 2986); an ordinary one has five hundred to two thousand. */
export const LONGEST_REQUEST = 16_000;

const HOW = "paste one request, from -----BEGIN CERTIFICATE REQUEST----- to -----END CERTIFICATE REQUEST-----";

/**
 * One request in PEM, as the base64 of its DER. What is in it is judged where there is a library. What was pasted by mistake may be a private key: it is not
 * repeated in a message that others read.
 */
export function parseRequestText(text: string): Result<string, string> {
  if (/PRIVATE KEY/.test(text))
    return err(
      `there is a private key in this text, which must never leave the device where it was made: make a new one there, and ${HOW}`,
    );
  if (text.length > LONGEST_REQUEST)
    return err(`this text has ${text.length} characters, and a request at most ${LONGEST_REQUEST}: ${HOW}`);
  const count = text.match(/-----BEGIN /g)?.length ?? 0;
  if (count > 1) return err(`there are ${count} blocks of PEM in this text: ${HOW}`);
  if (/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(text))
    return err(`this is a certificate, and Holdfast issues one for a request: ${HOW}`);
  const body =
    /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END \1?CERTIFICATE REQUEST-----\s*$/.exec(
      text,
    )?.[2];
  const base64 = body?.replace(/\s/g, "") ?? "";
  return base64.length % 4 === 0 && /^M[A-Za-z0-9+/]{60,}={0,2}$/.test(base64)
    ? ok(base64)
    : err(`this is no request for a certificate (PKCS #10) in PEM: ${HOW}`);
}
