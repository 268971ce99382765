import { z } from "zod";
import { err, ok } from "../base/result.ts";
import { parseCanonicalAddress } from "../net/address.ts";
import { checkedText, proseText } from "./text-schema.ts";
import { identityText, parsePskReference, parseTunnelName, type PskReference } from "./tunnel-text.ts";

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

/** How a person shows who they are: by a key of their own, or by a name and a password that they type (EAP-MSCHAPv2). */
export interface PersonProof {
  readonly by: PersonWay;
  readonly key: PersonKey;
}

export const PERSON_WAYS = ["psk", "password"] as const;
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
        "How this person's device calls itself, or the user name that goes with the password: as a rule a mail address.",
    }),
    psk: personKeyText("key").optional(),
    password: personKeyText("password").optional(),
    revoked: proseText("Why this person may not come in any more; the entry stays for whoever asks later.").optional(),
  })
  .superRefine((person, context) => {
    if (person.psk === undefined && person.password === undefined && person.revoked === undefined)
      context.addIssue({
        code: "custom",
        path: ["identity"],
        message: "A person needs a key of their own (`psk:`) or a password (`password:`), or is `revoked:`",
      });
    if (person.psk !== undefined && person.password !== undefined)
      context.addIssue({
        code: "custom",
        path: ["password"],
        message: "A person comes in by one key: write psk: or password:, as auth: says",
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
      return { name, identity, proof: isOut ? null : { by, key: keyOf(text) } };
    });
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
  people: Readonly<Record<string, Pick<z.output<typeof personSchema>, "psk" | "password" | "revoked">>>,
  say: (person: string, key: PersonWay, message: string) => void,
): void {
  for (const [name, { psk, password, revoked }] of Object.entries(people)) {
    // Whatever they had opens nothing.
    if (revoked !== undefined) continue;
    if (isByCertificate && psk !== undefined && password === undefined)
      say(
        name,
        "psk",
        "The server of this tunnel proves itself by a certificate (auth: certificate), and its people by a password; write password: instead",
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
