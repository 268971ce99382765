/**
 * 64 bits of FNV-1a, in hexadecimal. It tells one's own versions of a connection apart; against somebody who can load connections into charon
 * no sum would help.
 */
export function fingerprint(text: string): string {
  let value = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at += 1)
    value = BigInt.asUintN(64, (value ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  return value.toString(16).padStart(16, "0");
}
