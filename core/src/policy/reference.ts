import { err, ok, type Result } from "../base/result.ts";
import { type AddressSet, addressSetFromText } from "../net/address-set.ts";
import { parseService, type Service } from "../net/service.ts";
import { parseDocumentName, parseItemName, parseLabelValue } from "./name.ts";
import { didYouMean } from "./spelling.ts";

/** What may stand where addresses are meant. */
export type AddressReference =
  | { readonly kind: "any" }
  | { readonly kind: "self" }
  | { readonly kind: "literal"; readonly addresses: AddressSet }
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "zone"; readonly name: string }
  | { readonly kind: "role" | "site"; readonly value: string }
  | { readonly kind: "server"; readonly name: string };

const PREFIXES = ["zone", "role", "site", "server"] as const;

/** Prefixes of the language that need a part of Holdfast which is not there; said rather than "unknown". */
const UNAVAILABLE = {
  end: "end: means something only inside a Tunnel",
  fqdn: "fqdn: names addresses by DNS, which is not part of this version; write the addresses, or a Group of them",
  secret: "secret: is no address",
} as const;

/** Reads an address reference: a literal, the name of a group, `role:` `site:` `server:` `zone:`, `self` or `any`. */
export function parseAddressReference(text: string): Result<AddressReference, string> {
  if (text === "any") return ok({ kind: "any" });
  if (text === "self") return ok({ kind: "self" });
  // An IPv6 address has colons too, but is all hexadecimal before the first of them; no prefix is.
  const prefixed = /^([A-Za-z]{0,20}[g-zG-Z][A-Za-z]{0,20}):(.*)$/.exec(text);
  if (prefixed !== null) return parsePrefixed(text, prefixed[1] ?? "", prefixed[2] ?? "");
  if (/^[A-Za-z]/.test(text) && !text.includes(":")) {
    const name = parseItemName(text);
    return name.ok ? ok({ kind: "group", name: name.value }) : name;
  }
  const literal = addressSetFromText(text);
  return literal.ok ? ok({ kind: "literal", addresses: literal.value }) : literal;
}

function parsePrefixed(text: string, prefix: string, rest: string): Result<AddressReference, string> {
  if (prefix in UNAVAILABLE) return err(UNAVAILABLE[prefix as keyof typeof UNAVAILABLE]);
  const kind = PREFIXES.find((known) => known === prefix);
  switch (kind) {
    case undefined:
      return err(
        `${JSON.stringify(text)} begins with an unknown prefix; known are ${PREFIXES.map((known) => `${known}:`).join(", ")}${didYouMean(prefix, PREFIXES)}`,
      );
    case "zone": {
      const name = parseItemName(rest);
      return name.ok ? ok({ kind, name: name.value }) : name;
    }
    case "role":
    case "site": {
      const value = parseLabelValue(rest);
      return value.ok ? ok({ kind, value: value.value }) : value;
    }
    case "server": {
      const name = parseDocumentName(rest);
      return name.ok ? ok({ kind, name: name.value }) : name;
    }
  }
}

/** What may stand where a service is meant: one written out, or the name of a group of services. */
export type ServiceReference =
  | { readonly kind: "literal"; readonly service: Service }
  | { readonly kind: "group"; readonly name: string };

export function parseServiceReference(text: string): Result<ServiceReference, string> {
  const service = parseService(text);
  if (service.ok) return ok({ kind: "literal", service: service.value });
  // tcp, udp and icmp alone are slips, not names.
  if (!["tcp", "udp", "icmp", "icmpv6"].includes(text)) {
    const name = parseItemName(text);
    if (name.ok) return ok({ kind: "group", name: name.value });
  }
  return service;
}
