import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** RFC 1035: a name of the DNS in text form. */
const LONGEST = 253;

/** A domain for the search list: letters, digits and dashes; lower-case, so that there is one text for one domain. */
export function parseDomainName(text: string): Result<string, string> {
  const isName =
    text.length <= LONGEST &&
    text.split(".").every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
    !/^[0-9.]+$/.test(text);
  return isName
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, LONGEST))} is not a domain; write it like example.com, in lower case`);
}
