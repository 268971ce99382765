import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** The kernel's limit (linux/utsname.h, 64 bytes), and that of a label in the DNS. */
const LONGEST = 64;
const LONGEST_LABEL = 63;

/** The name of a server: labels of letters, digits and -, with dots between them. */
export function parseHostname(text: string): Result<string, string> {
  const shown = JSON.stringify(text.slice(0, LONGEST));
  if (text.length > LONGEST)
    return err(`${shown}… is longer than ${LONGEST} characters, the most that the kernel takes`);
  const good = text
    .split(".")
    .every((label) => label.length <= LONGEST_LABEL && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label));
  if (!good) return err(`${shown} is not the name of a host; write lower-case letters, digits, - and .`);
  if (/^[0-9.]+$/.test(text)) return err(`${shown} looks like an address, and programs would take it for one`);
  return text === "localhost" ? err("localhost is the name of every host; give this one its own") : ok(text);
}

/** The DNS's limit for a whole name (RFC 1035). */
const LONGEST_DNS_NAME = 253;

/** A name in /etc/hosts or of a time server. */
export function parseDnsName(text: string): Result<string, string> {
  const shown = JSON.stringify(text.slice(0, LONGEST));
  const good = text
    .split(".")
    .every((label) => label.length <= LONGEST_LABEL && /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label));
  if (!good || text.length > LONGEST_DNS_NAME || /^[0-9.]+$/.test(text))
    return err(`${shown} is not the name of a host; write lower-case letters, digits, - and .`);
  return text === "localhost" ? err("localhost is the name of this host alone and is left as it is") : ok(text);
}
