import { z } from "zod";
import { err, ok } from "../base/result.ts";
import { parseCanonicalAddress } from "../net/address.ts";
import { checkedText, proseText } from "./text-schema.ts";
import {
  identityText,
  parseCertificateText,
  parsePskReference,
  parseTunnelName,
  personCertificateText,
  type PskReference,
} from "./tunnel-text.ts";

/**
 * The end of a tunnel that is many people, each calling from wherever they are. Every one of them has an identity and a key of their own, so that one can be
 * shut out and no other notices.
 */

/** More make a document that nobody reads, and a server that loads them for seconds on every start. */
export const MOST_PEOPLE = 500;

export interface TunnelPerson {
  readonly name: string;
  readonly identity: string;
  /** Null: revoked, whatever key the document still names. */
  readonly proof: PersonProof | null;
}

/**
 * How a person shows who they are: by a key of their own, by a name and a password that they type (EAP-MSCHAPv2), or by a certificate whose private key their
 * device has made and keeps.
 */
export type PersonProof =
  | { readonly by: "psk" | "password"; readonly key: PersonKey }
  /** The base64 of its DER: this very one opens the tunnel, and no other. */
  | { readonly by: "certificate"; readonly certificate: string };

export const PERSON_WAYS = ["psk", "password", "certificate"] as const;
export type PersonWay = (typeof PERSON_WAYS)[number];

/** A key that somebody can hand to a person: not one that nobody has seen. */
export type PersonKey = Exclude<PskReference, { readonly from: "generated" | "each" }>;

export const personNameText = checkedText(parseTunnelName, {
  description: "How this person is called here: in the live view, in the log and in commands.",
  examples: ["alice"],
});

const personKeyText = (what: string) =>
  checkedText(
    (text) => {
      const psk = parsePskReference(text);
      if (!psk.ok || isPersonKey(psk.value)) return psk;
      return err("a person has to be given the key; write secret:NAME or file:NAME");
    },
    {
      description: `Where this person's own ${what} is: secret:NAME in the store of secrets, or file:NAME for /etc/holdfast/secrets/vpn/NAME on the server.`,
      examples: ["secret:vpn-alice", "secret:vpn-alice@2"],
    },
  );

export const personSchema = z
  .strictObject({
    identity: identityText.meta({
      description:
        "How this person's device calls itself, or the user name that goes with the password: as a rule a mail address, and with a certificate always.",
    }),
    psk: personKeyText("key").optional(),
    password: personKeyText("password").optional(),
    certificate: personCertificateText.optional(),
    revoked: proseText("Why this person may not come in any more; the entry stays for whoever asks later.").optional(),
  })
  .superRefine((person, context) => {
    const [way, second] = PERSON_WAYS.filter((one) => person[one] !== undefined);
    if (way === undefined && person.revoked === undefined)
      context.addIssue({
        code: "custom",
        path: ["identity"],
        message:
          "A person needs a key of their own (`psk:`), a password (`password:`) or a certificate (`certificate:`), or is `revoked:`",
      });
    if (second !== undefined)
      context.addIssue({
        code: "custom",
        path: [second],
        message: "A person comes in by one key: write psk:, password: or certificate:, as auth: says",
      });
    // Others who trust our authority do so for the names of servers. None of them is a mail address, so a person's certificate proves none of them.
    if (person.certificate !== undefined && !person.identity.includes("@"))
      context.addIssue({
        code: "custom",
        path: ["identity"],
        message: "Who comes in by a certificate has a mail address as identity; write one like alice@example.com",
      });
  });

export const resolverText = checkedText(
  (text) => {
    const address = parseCanonicalAddress(text);
    return address.ok ? ok(text) : address;
  },
  { description: "Address of a resolver that people are told to ask.", examples: ["10.10.0.53"] },
);

export function peopleOf(people: Readonly<Record<string, z.output<typeof personSchema>>>): readonly TunnelPerson[] {
  return Object.entries(people)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { identity, revoked, ...keys }]) => {
      const by = PERSON_WAYS.find((way) => keys[way] !== undefined);
      const text = by === undefined ? undefined : keys[by];
      const isOut = by === undefined || text === undefined || revoked !== undefined;
      return { name, identity, proof: isOut ? null : proofOf(by, text) };
    });
}

function proofOf(by: PersonWay, text: string): PersonProof {
  if (by !== "certificate") return { by, key: keyOf(text) };
  const body = parseCertificateText(text);
  if (!body.ok) throw new Error(body.error);
  return { by, certificate: body.value };
}

function keyOf(text: string): PersonKey {
  const psk = parsePskReference(text);
  if (!psk.ok) throw new Error(psk.error);
  if (!isPersonKey(psk.value)) throw new Error("the key of a person was not checked");
  return psk.value;
}

function isPersonKey(psk: PskReference): psk is PersonKey {
  return psk.from === "secret" || psk.from === "file";
}

type Say = (path: string, message: string) => void;

/** What a tunnel says of its people's keys (`auth:`) and what stands beside each of them are one thing. */
export function checkWays(
  isByCertificate: boolean,
  people: Readonly<Record<string, Pick<z.output<typeof personSchema>, PersonWay | "revoked">>>,
  say: (person: string, key: PersonWay, message: string) => void,
): void {
  // Whatever the revoked had opens nothing.
  const all = Object.entries(people).filter(([, { revoked }]) => revoked === undefined);
  const holders = new Map<string, string>();
  const [first] = all.filter(([, one]) => one.password !== undefined || one.certificate !== undefined);
  for (const [name, { psk, password, certificate }] of all) {
    if (isByCertificate && first !== undefined && first[1].password === undefined && password !== undefined)
      say(name, "password", `${first[0]} comes in by a certificate, and all people of a tunnel by one way`);
    if (isByCertificate && first?.[1].password !== undefined && certificate !== undefined)
      say(name, "certificate", `${first[0]} comes in by a password, and all people of a tunnel by one way`);
    if (!isByCertificate && certificate !== undefined && psk === undefined && password === undefined)
      say(
        name,
        "certificate",
        "Who comes in by a certificate is shown one of the server; write auth: { certificate: generated } in place of psk: each",
      );
    if (certificate !== undefined) {
      const body = certificate.replace(/\s/g, "");
      const holder = holders.get(body);
      if (holder !== undefined)
        say(name, "certificate", `${holder} has this very certificate; one of them could not be told from the other`);
      else holders.set(body, name);
    }
    if (isByCertificate && psk !== undefined && password === undefined && certificate === undefined)
      say(
        name,
        "psk",
        "The server of this tunnel proves itself by a certificate (auth: certificate), and its people by a password or a certificate; write password: instead, or certificate:",
      );
    if (!isByCertificate && password !== undefined && psk === undefined)
      say(
        name,
        "password",
        "Passwords need a server that proves itself first: whoever stood in between could try them out; write auth: { certificate: generated } in place of psk: each",
      );
  }
}

/** What an end of people may not have beside them, and what they may not have in common. */
export function checkPeople(
  end: {
    readonly server?: unknown;
    readonly external?: unknown;
    readonly identity?: unknown;
    readonly natted?: unknown;
    readonly address: string;
    readonly people?: Readonly<Record<string, { readonly identity: string }>> | undefined;
  },
  say: Say,
): void {
  const people = Object.entries(end.people ?? {});
  if (end.server !== undefined || end.external !== undefined)
    say("people", "An end is people, or one machine; not both");
  if (end.address !== "dynamic") say("address", "People call from anywhere; write dynamic");
  if (end.identity !== undefined) say("identity", "Each person has an identity of their own; take this out");
  if (end.natted !== undefined)
    say("natted", "Whether people stand behind routers is found out by itself; take this out");
  if (people.length === 0) say("people", "Nobody is in here; write at least one person");
  if (people.length > MOST_PEOPLE)
    say(
      "people",
      `${people.length} people are more than ${MOST_PEOPLE}; make a second tunnel with addresses of its own`,
    );
  const first = new Map<string, string>();
  for (const [name, { identity }] of people) {
    // Mail addresses and host names are compared so by charon.
    const key = identity.toLowerCase();
    const other = first.get(key);
    if (other !== undefined)
      say("people", `${other} and ${name} have the identity ${identity}; one of them could not be told from the other`);
    else first.set(key, name);
  }
}

/** Between the name of a tunnel and that of a person; neither has two dashes. */
const PART = "--";

/** How a person's connection is called on a server: also the name by which an operator acts on it. */
export function nameOfPerson(tunnel: string, person: string): string {
  return `${tunnel}${PART}${person}`;
}

/** Null: it is the name of a tunnel. */
export function parsePerson(name: string): { readonly tunnel: string; readonly person: string } | null {
  const [tunnel = "", person, ...more] = name.split(PART);
  return person === undefined || more.length > 0 ? null : { tunnel, person };
}
