import { API_VERSION } from "@holdfast/core/policy/document.ts";
import type { PersonWay } from "@holdfast/core/policy/tunnel-people.ts";
import type { TunnelSuite } from "@holdfast/core/policy/tunnel-suite.ts";
import { flowList, scalar, words } from "./tunnel-wizard.ts";

/** What can be written before anybody's device has asked for a certificate. */
export type WizardWay = Exclude<PersonWay, "certificate">;

export const WIZARD_WAYS = ["psk", "password"] as const satisfies readonly WizardWay[];

/** How the ends show who they are: the server first, where people type a password. */
const AUTH = {
  password:
    "certificate: generated           # of the server; people type a name and a password, which it asks for afterwards",
  psk: "psk: each                        # a key that all share could be taken from nobody",
} as const satisfies Record<WizardWay, string>;

/** One person as typed. */
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
  /** How they show who they are. */
  readonly way: WizardWay;
  /** The name that devices call, where they come in by a password; empty: the address. */
  readonly hostname: string;
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
  const isCalled = wish.way === "password" && wish.hostname.trim() !== "";
  const hostname = isCalled
    ? `    hostname: ${scalar(wish.hostname)}       # the name that they call, which leads there\n`
    : "";
  const people = typedPeople(wish)
    .map(
      (person) =>
        `      ${scalar(person.name)}: { identity: ${scalar(person.identity)}, ${keyText(wish.way, person)} }\n`,
    )
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

function keyText(way: WizardWay, person: WizardPerson): string {
  return `${way}: ${JSON.stringify(`secret:${secretOf(person)}`)}`;
}
