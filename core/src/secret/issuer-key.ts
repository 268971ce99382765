/**
 * Whether a certificate, as the base64 of its DER, says that this key has signed it: by the extension authorityKeyIdentifier in the form that ours have
 * (RFC 5280, 4.2.1.1). Whether it did is judged where there is a library, and by whoever is shown the certificate.
 *
 * @param keyId SHA-1 of the issuer's public key, lower-case hex
 */
export function namesIssuerKey(certificate: string, keyId: string): boolean {
  return hexOf(certificate).includes(`${AUTHORITY_KEY_IDENTIFIER}${keyId}`);
}

/** Its object identifier, 2.5.29.35, an octet string of 24 bytes, and in it a sequence with one key identifier of 20. */
const AUTHORITY_KEY_IDENTIFIER = "0603551d23041830168014";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function hexOf(base64: string): string {
  const signs = base64.replace(/=+$/, "").split("");
  const bits = signs.map((sign) => ALPHABET.indexOf(sign).toString(2).padStart(6, "0")).join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return bytes.map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, "0")).join("");
}
