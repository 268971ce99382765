import { err, ok, type Result } from "../base/result.ts";
import { type AddressSet, addressSetFromText } from "../net/address-set.ts";
import { parseAddress } from "../net/address.ts";
import { formatNetwork, parseNetwork } from "../net/network.ts";
import { parseItemName } from "./name.ts";
import { checkedText } from "./text-schema.ts";

/** Texts that only a Tunnel has, each with its one reader. */

/** Characters. Names of rules in the firewalls of both ends are made of two of these (`vpn-TUNNEL-RULE-out`, 63 at most). */
const LONGEST_NAME = 24;

/** Names of tunnels and of their rules. */
export function parseTunnelName(text: string): Result<string, string> {
  const name = parseItemName(text);
  // Two dashes part the name of a tunnel from that of its rule.
  if (name.ok && text.includes("--")) return err(`${JSON.stringify(text)} has two dashes in a row; write one`);
  if (!name.ok || text.length <= LONGEST_NAME) return name;
  return err(
    `${JSON.stringify(text)} has ${text.length} characters; the names of tunnels and their rules have at most ${LONGEST_NAME}`,
  );
}

/** Where the pre-shared key is. There is no way to write the key itself. */
export type PskReference =
  /** Made by the control plane for this tunnel; another version is another key. */
  | { readonly from: "generated"; readonly version: number }
  /** Written once into the store of secrets. */
  | { readonly from: "secret"; readonly name: string; readonly version: number }
  /** A file on each managed end, which somebody put there. */
  | { readonly from: "file"; readonly name: string }
  /** Every person has one of their own, named beside them. */
  | { readonly from: "each" };

/** How the ends of a tunnel prove who they are. */
export type KeyReference =
  | PskReference
  /** A certificate for each end of ours, issued by the control plane; another version is other keys and other certificates. */
  | { readonly from: "certificate"; readonly version: number };

export function parseCertificateReference(text: string): Result<{ readonly version: number }, string> {
  const found = /^generated(?:@([1-9][0-9]{0,5}))?$/.exec(text);
  return found === null
    ? err("write generated: Holdfast issues a certificate for each end of ours; generated@2 is the second one of each")
    : ok({ version: Number(found[1] ?? "1") });
}

/** Characters of a certificate in PEM; an ordinary one has one to two thousand. */
const LONGEST_CERTIFICATE = 16_000;

/** One certificate in PEM, as the base64 of its DER. What is in it is judged where there is a clock and a library. */
export function parseCertificateText(text: string): Result<string, string> {
  const refused = err(
    "this is not one certificate in PEM; copy from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, and nothing else",
  );
  // A private key that was pasted here is not repeated in a message that others read.
  const body = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(text)?.[1];
  if (body === undefined || text.length > LONGEST_CERTIFICATE) return refused;
  return parseCertificateBody(body.replace(/\s/g, ""));
}

/** The base64 of a certificate's DER, in one line: a sequence with a long length (X.690). */
export function parseCertificateBody(body: string): Result<string, string> {
  return body.length % 4 === 0 && body.length <= LONGEST_CERTIFICATE && /^MI[A-Za-z0-9+/]{60,}={0,2}$/.test(body)
    ? ok(body)
    : err("this is not a certificate");
}

export function parsePskReference(text: string): Result<PskReference, string> {
  if (text === "each") return ok({ from: "each" });
  const [, word = "", rest = "", number] =
    /^(generated|secret:|file:)([^@]*)(?:@([1-9][0-9]{0,5}))?$/s.exec(text) ?? [];
  const version = number === undefined ? 1 : Number(number);
  if (word === "generated" && rest === "") return ok({ from: "generated", version });
  const isReference = word === "secret:" || (word === "file:" && number === undefined);
  // What is no reference may be somebody's key: it is not repeated in a message that others read.
  if (!isReference)
    return err(
      "a pre-shared key is never written into a document; write generated, secret:NAME or file:NAME, the first two with @2, @3 and so on for another version (each: where an end is people)",
    );
  const name = parseItemName(rest);
  if (!name.ok) return name;
  return ok(word === "file:" ? { from: "file", name: name.value } : { from: "secret", name: name.value, version });
}

/** The same as text, as a document has it. */
export function formatKeyReference(key: KeyReference): string {
  if (key.from === "each") return key.from;
  const version = key.from !== "file" && key.version > 1 ? `@${key.version}` : "";
  return key.from === "generated" || key.from === "certificate"
    ? `generated${version}`
    : `${key.from}:${key.name}${version}`;
}

/** One address, or `dynamic` for an end whose address others cannot know. */
export function parseEndAddress(text: string): Result<string, string> {
  if (text === "dynamic") return ok(text);
  const address = parseAddress(text);
  return address.ok ? ok(text) : address;
}

/**
 * How the other side calls itself: a host name, an address, or a mail address. A pattern would let in whoever has the key, and what begins
 * with a sign of charon's own (`@#`, `%any`, `asn1dn:`) would be read as something else.
 */
export function parseIdentity(text: string): Result<string, string> {
  if (parseAddress(text).ok) return ok(text);
  const isName = /^(?:[A-Za-z0-9_-]{1,63}\.){0,9}[A-Za-z0-9_-]{1,63}$/.test(text) && !/^[0-9.]*$/.test(text);
  const isMail = /^[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,9}[A-Za-z]{2,63}$/.test(text);
  return isName || isMail
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 80))} is not an identity; write a host name, an address or a mail address`);
}

/** One side of a rule or an expectation of a tunnel. */
export type TunnelPeer =
  | { readonly kind: "end"; readonly name: string }
  | { readonly kind: "addresses"; readonly addresses: AddressSet };

export function parseTunnelPeer(text: string): Result<TunnelPeer, string> {
  if (text.startsWith("end:")) {
    const name = parseItemName(text.slice("end:".length));
    return name.ok ? ok({ kind: "end", name: name.value }) : name;
  }
  const literal = /^[0-9A-Fa-f:]/.test(text) ? addressSetFromText(text) : err("");
  return literal.ok
    ? ok({ kind: "addresses", addresses: literal.value })
    : err(
        `${JSON.stringify(text.slice(0, 80))} cannot stand in a tunnel; write end:NAME, or addresses of one of its networks`,
      );
}

export const tunnelNameText = checkedText(parseTunnelName, {
  description: `A name of lower-case letters, digits and -, ${LONGEST_NAME} characters at most.`,
  examples: ["seoul-busan"],
});

export const pskText = checkedText(parsePskReference, {
  description:
    "Where the pre-shared key is: generated, secret:NAME in the store of secrets, or file:NAME for /etc/holdfast/secrets/vpn/NAME on each managed end. generated@2 and secret:NAME@2 are the second version. each: every person of the other end has a key of their own.",
  examples: ["generated", "generated@2", "secret:acme-vpn", "file:seoul-busan-1", "each"],
});

export const certificateReferenceText = checkedText(parseCertificateReference, {
  description:
    "generated: each end of ours proves itself by a certificate that Holdfast issues, and accepts no other one of the other end. generated@2 is the second one of each.",
  examples: ["generated", "generated@2"],
});

const EXAMPLE_PEM = "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n";

export const certificateText = checkedText(parseCertificateText, {
  description: "The certificate of an end that is not ours, in PEM: this one is accepted and no other.",
  examples: [EXAMPLE_PEM],
  longest: LONGEST_CERTIFICATE,
});

export const personCertificateText = checkedText(parseCertificateText, {
  description:
    "The certificate of this person in PEM, issued by `holdfast tunnel certify` for a request that their device has made: this one opens the tunnel and no other.",
  examples: [EXAMPLE_PEM],
  longest: LONGEST_CERTIFICATE,
});

export const authorityText = checkedText(parseCertificateText, {
  description:
    "The certificate of the authority of an end that is not ours, in PEM: what it issues for the end's identity is accepted.",
  examples: [EXAMPLE_PEM],
  longest: LONGEST_CERTIFICATE,
});

export const endAddressText = checkedText(parseEndAddress, {
  description: "The address that the other end dials, or dynamic.",
  examples: ["203.0.113.10", "dynamic"],
});

/** A host name with a dot in it: what certificates name and resolvers know. */
export function parseHostname(text: string): Result<string, string> {
  const isName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,9}[a-z]{2,63}$/.test(text);
  return isName
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 80))} is not a host name; write one like vpn.example.com`);
}

export const hostnameText = checkedText(parseHostname, {
  description:
    "The host name that people's devices are told to call, which leads to the address of this end; left out: they call the address.",
  examples: ["vpn.example.com"],
});

export const identityText = checkedText(parseIdentity, {
  description: "How an end that is not ours calls itself.",
  examples: ["vpn.acme.example"],
});

/** What no server is called by: the one kind of identity that a certificate of a person names. */
export function parseMail(text: string): Result<string, string> {
  const identity = parseIdentity(text);
  return identity.ok && !text.includes("@")
    ? err(`${JSON.stringify(text.slice(0, 80))} is not a mail address; write one like alice@example.com`)
    : identity;
}

export const mailText = checkedText(parseMail, {
  description: "How a person with a certificate is called: a mail address.",
  examples: ["alice@example.com"],
});

export const networkText = checkedText(
  (text) => {
    const network = parseNetwork(text);
    return network.ok ? ok(formatNetwork(network.value)) : network;
  },
  { description: "A network behind this end.", examples: ["10.20.10.0/24"] },
);

export const tunnelPeerText = checkedText(parseTunnelPeer, {
  description: "end:NAME for all networks of an end, or addresses within them.",
  examples: ["end:seoul", "10.10.5.0/24"],
});
