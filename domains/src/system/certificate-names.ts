/**
 * Whom a certificate is for: the common name of its subject and its alternative DNS names (RFC 5280, 4.1.2.6 and 4.2.1.6). Only enough of DER
 * (X.690) is read to find them; what is of another shape has no names.
 */
export function certificateNames(pem: string): readonly string[] {
  const body = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem)?.[1];
  if (body === undefined || body.length > LONGEST) return [];
  const [certificate] = partsOf(bytesOf(body));
  const [signed] = certificate === undefined ? [] : partsOf(certificate.content);
  if (signed === undefined) return [];
  const fields = partsOf(signed.content);
  // [0] is there from version 2 on; then serial number, algorithm, issuer, validity, subject.
  const subject = fields[fields[0]?.tag === VERSION ? 5 : 4];
  const extensions = fields.find(({ tag }) => tag === EXTENSIONS);
  return [
    ...new Set([
      ...(subject === undefined ? [] : commonNames(subject.content)),
      ...(extensions === undefined ? [] : alternativeNames(extensions.content)),
    ]),
  ].toSorted();
}

const LONGEST = 30_000;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const OCTETS = 0x04;
const DNS_NAME = 0x82;
/** Object identifiers as they are encoded: 2.5.4.3 and 2.5.29.17. */
const COMMON_NAME = "55,4,3";
const ALTERNATIVE_NAME = "55,1d,11";

interface Part {
  readonly tag: number;
  readonly content: readonly number[];
}

/** Parts that stand behind one another; one that says to be longer than what is there ends them. */
function partsOf(bytes: readonly number[]): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at + 1 < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const more = first < 0x80 ? 0 : first - 0x80;
    // Four bytes of length are more than any certificate has.
    if (more > 4) return parts;
    const length = more === 0 ? first : bytes.slice(at + 2, at + 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
    const start = at + 2 + more;
    if (start + length > bytes.length) return parts;
    parts.push({ tag, content: bytes.slice(start, start + length) });
    at = start + length;
  }
  return parts;
}

function commonNames(subject: readonly number[]): readonly string[] {
  return partsOf(subject)
    .flatMap(({ content }) => partsOf(content))
    .flatMap(({ content }) => {
      const [name, value] = partsOf(content);
      return value !== undefined && identifier(name) === COMMON_NAME ? [textOf(value.content)] : [];
    });
}

function alternativeNames(extensions: readonly number[]): readonly string[] {
  return partsOf(extensions)
    .flatMap(({ content }) => partsOf(content))
    .flatMap(({ content }) => {
      const [name, ...rest] = partsOf(content);
      // Between them it may say that it is critical.
      const value = rest.find(({ tag }) => tag === OCTETS);
      return value !== undefined && identifier(name) === ALTERNATIVE_NAME ? partsOf(value.content) : [];
    })
    .flatMap(({ content }) => partsOf(content))
    .flatMap(({ tag, content }) => (tag === DNS_NAME ? [textOf(content)] : []));
}

function identifier(part: Part | undefined): string {
  return (part?.content ?? []).map((byte) => byte.toString(16)).join(",");
}

/** Names are plain letters; others are not those of hosts. */
function textOf(bytes: readonly number[]): string {
  return bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCodePoint(byte) : "?")).join("");
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function bytesOf(base64: string): readonly number[] {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of base64) {
    const digit = DIGITS.indexOf(letter);
    if (digit < 0) continue;
    held = held * 64 + digit;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(Math.floor(held / 2 ** bits));
    held %= 2 ** bits;
  }
  return bytes;
}

/** Whether a certificate for these names stops being for the server when its name becomes another. */
export function namesOnly(names: readonly string[], before: string, after: string): boolean {
  const [old, fresh] = [before, after].map((name) => name.toLowerCase());
  const isFor = (host: string | undefined): boolean =>
    host !== undefined &&
    names.map((name) => name.toLowerCase()).some((name) => name === host || name.startsWith(`${host}.`));
  return isFor(old) && !isFor(fresh);
}
