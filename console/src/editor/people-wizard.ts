import { API_VERSION } from "@holdfast/core/policy/document.ts";
import type { TunnelSuite } from "@holdfast/core/policy/tunnel-suite.ts";
import { flowList, scalar, words } from "./tunnel-wizard.ts";

/** One person as typed. How they show who they are is `keyText`'s alone to write: another way is another branch there. */
export interface WizardPerson {
  readonly name: string;
  readonly identity: string;
  /** Name in the store of secrets. */
  readonly secret: string;
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
  readonly suite: TunnelSuite;
  /** What people may use behind the server; empty: nothing, until a rule opens it. */
  readonly services: string;
}

/** Those of whom something was typed. */
export function typedPeople({ people }: Pick<PeopleWish, "people">): readonly WizardPerson[] {
  return people.filter(({ name, identity, secret }) => [name, identity, secret].some((text) => text.trim() !== ""));
}

/** The key of a person who was given no other name for it. */
export function secretOf({ name, secret }: WizardPerson): string {
  return secret.trim() === "" ? `vpn-${name.trim()}` : secret.trim();
}

/** Of the keys that these people need, those that nobody has written yet. */
export function missingSecrets(wish: Pick<PeopleWish, "people">, known: readonly string[]): readonly string[] {
  return [...new Set(typedPeople(wish).map(secretOf))].filter((name) => !known.includes(name)).toSorted();
}

/** A Tunnel document whose other end is people. Whether it is right, its findings say. */
export function peopleText(wish: PeopleWish): string {
  // Both ends have a name, and no two the same.
  const theirs = wish.server.trim() === "people" ? "staff" : "people";
  const ours = wish.server.trim() === "" ? "here" : wish.server;
  const dns = words(wish.dns).length === 0 ? "" : `    dns: ${flowList(wish.dns)}\n`;
  const people = typedPeople(wish)
    .map((person) => `      ${scalar(person.name)}: { identity: ${scalar(person.identity)}, ${keyText(person)} }\n`)
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
    networks: ${flowList(wish.networks)}       # what they send into the tunnel; 0.0.0.0/0 is everything
  ${theirs}:
    address: dynamic               # they call from anywhere
    networks: ${flowList(wish.pool)}       # out of which each is given an address while connected
${dns}    people:
${people === "" ? "      {}\n" : people}
via: policy
clearText: block                   # packets for their addresses never leave unencrypted
auth:
  psk: each                        # a key that all share could be taken from nobody
suite: ${wish.suite}
lifetime: { ike: 12h, child: 1h }
dead: { after: 30s, then: clear }  # a server cannot call them back

traffic:                           # what may pass; rendered into the firewall of the server
  default: drop
${rules}`;
}

function keyText(person: WizardPerson): string {
  return `psk: ${JSON.stringify(`secret:${secretOf(person)}`)}`;
}
