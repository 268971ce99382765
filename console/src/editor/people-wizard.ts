import { API_VERSION } from "@holdfast/core/policy/document.ts";
import type { PersonWay } from "@holdfast/core/policy/tunnel-people.ts";
import type { TunnelSuite } from "@holdfast/core/policy/tunnel-suite.ts";
import { type CertifyGap, gapIn, type RequestReading } from "./certify.ts";
import { flowList, pemLines, scalar, words } from "./tunnel-wizard.ts";

/** How the ends show who they are: the server first, where people type a password. */
const AUTH = {
  certificate:
    "certificate: generated           # of the server; people have one each, for a key that their device has made",
  password:
    "certificate: generated           # of the server; people type a name and a password, which it asks for afterwards",
  psk: "psk: each                        # a key that all share could be taken from nobody",
} as const satisfies Record<PersonWay, string>;

/** One person as typed. */
export interface WizardPerson {
  readonly name: string;
  readonly identity: string;
  /** Name in the store of secrets; none with a certificate. */
  readonly secret: string;
  /** What their device has made, in PEM, where they have a certificate. */
  readonly request: string;
}

export interface PeopleWish {
  readonly name: string;
  readonly server: string;
  /** What devices call. */
  readonly address: string;
  /** What devices send into the tunnel; 0.0.0.0/0 is everything. In words, apart by commas or spaces, as all lists here. */
  readonly networks: string;
  /** Out of which each is given an address. */
  readonly pool: string;
  readonly dns: string;
  readonly people: readonly WizardPerson[];
  /** How they show who they are. */
  readonly way: PersonWay;
  /** The name that devices call, where it shows them a certificate; empty: the address. */
  readonly hostname: string;
  readonly suite: TunnelSuite;
  /** What people may use behind the server; empty: nothing, until a rule opens it. */
  readonly services: string;
}

/** Those of whom something was typed. */
export function typedPeople({ people }: Pick<PeopleWish, "people">): readonly WizardPerson[] {
  return people.filter(({ name, identity, secret, request }) =>
    [name, identity, secret, request].some((text) => text.trim() !== ""),
  );
}

/** The key of a person who was given no other name for it. */
export function secretOf({ name, secret }: WizardPerson): string {
  return secret.trim() === "" ? `vpn-${name.trim()}` : secret.trim();
}

/** Of the keys that these people need, those that nobody has written yet. */
export function missingSecrets(wish: Pick<PeopleWish, "people" | "way">, known: readonly string[]): readonly string[] {
  if (wish.way === "certificate") return [];
  return [...new Set(typedPeople(wish).map(secretOf))].filter((name) => !known.includes(name)).toSorted();
}

/**
 * A Tunnel document whose other end is people. Whether it is right, its findings say.
 *
 * @param certificates of the people, in PEM, by their names; whoever has none yet does not come in
 */
export function peopleText(wish: PeopleWish, certificates: ReadonlyMap<string, string> = new Map()): string {
  // Both ends have a name, and no two the same.
  const theirs = wish.server.trim() === "people" ? "staff" : "people";
  const ours = wish.server.trim() === "" ? "here" : wish.server;
  const dns = words(wish.dns).length === 0 ? "" : `    dns: ${flowList(wish.dns)}\n`;
  const isCalled = wish.way !== "psk" && wish.hostname.trim() !== "";
  const hostname = isCalled
    ? `    hostname: ${scalar(wish.hostname)}       # the name that they call, which leads there\n`
    : "";
  const people = typedPeople(wish)
    .map((person) => personText(wish.way, person, certificates.get(person.name.trim())))
    .join("");
  const rules =
    words(wish.services).length === 0
      ? "  rules: []\n"
      : `  rules:\n    - { name: people-in, allow: ${flowList(wish.services)}, from: end:${theirs}, to: ${scalar(`end:${ours.trim()}`)} }\n`;
  return `apiVersion: ${API_VERSION}
kind: Tunnel
name: ${scalar(wish.name)}

ends:
  ${scalar(ours)}:
    server: ${scalar(wish.server)}
    address: ${scalar(wish.address)}          # what their devices call
${hostname}    networks: ${flowList(wish.networks)}       # what they send into the tunnel; 0.0.0.0/0 is everything
  ${theirs}:
    address: dynamic               # they call from anywhere
    networks: ${flowList(wish.pool)}       # out of which each is given an address while connected
${dns}    people:
${people === "" ? "      {}\n" : people}
via: policy
clearText: block                   # packets for their addresses never leave unencrypted
auth:
  ${AUTH[wish.way]}
suite: ${wish.suite}
lifetime: { ike: 12h, child: 1h }
dead: { after: 30s, then: clear }  # a server cannot call them back

traffic:                           # what may pass; rendered into the firewall of the server
  default: drop
${rules}`;
}

function personText(way: PersonWay, person: WizardPerson, pem: string | undefined): string {
  const [name, identity] = [scalar(person.name), scalar(person.identity)];
  if (way !== "certificate")
    return `      ${name}: { identity: ${identity}, ${way}: ${JSON.stringify(`secret:${secretOf(person)}`)} }\n`;
  if (pem === undefined)
    return `      ${name}: { identity: ${identity}, revoked: "no certificate yet" }   # issued when this is put into the change\n`;
  return `      ${name}:\n        identity: ${identity}\n        certificate: |\n${pemLines(pem, "          ")}`;
}

/** Who of the people cannot be certified yet, and what keeps them from it. Null: all can. */
export function certifyGapIn(
  wish: Pick<PeopleWish, "people">,
  readings: readonly RequestReading[],
): { readonly person: WizardPerson; readonly gap: CertifyGap | "sameKey" } | null {
  const keys = new Set<string>();
  for (const [at, person] of wish.people.entries()) {
    if (!typedPeople(wish).includes(person)) continue;
    const reading = readings[at] ?? { state: "none" };
    const typed = { person: person.name.trim(), identity: person.identity.trim() };
    const others = typedPeople(wish).filter((one) => one !== person);
    const gap = gapIn(typed, { known: null }, others, reading);
    if (gap !== null) return { person, gap };
    const key = keyIn(reading);
    if (key !== null && keys.has(key)) return { person, gap: "sameKey" };
    if (key !== null) keys.add(key);
  }
  return null;
}

/** Fingerprint of the key for which a certificate is asked. */
export function keyIn(reading: RequestReading): string | null {
  return reading.state === "good" ? reading.says.keyFingerprint : null;
}
