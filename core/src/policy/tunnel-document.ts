import { z } from "zod";
import { type AddressSet, addressSetFromText, EMPTY, isSubset, overlaps, unionOf } from "../net/address-set.ts";
import { API_VERSION } from "./document.ts";
import { parseDuration } from "./duration.ts";
import {
  documentNameText,
  durationText,
  itemNameText,
  oneOrList,
  proseText,
  serviceReferenceText,
} from "./text-schema.ts";
import {
  checkPeople,
  checkWays,
  peopleOf,
  personNameText,
  personSchema,
  resolverText,
  type TunnelPerson,
} from "./tunnel-people.ts";
import { type TunnelSuite, TUNNEL_SUITE_NAMES } from "./tunnel-suite.ts";
import {
  authorityText,
  certificateReferenceText,
  certificateText,
  endAddressText,
  hostnameText,
  identityText,
  type KeyReference,
  networkText,
  parseCertificateReference,
  parseCertificateText,
  parsePskReference,
  parseTunnelPeer,
  pskText,
  tunnelNameText,
  tunnelPeerText,
} from "./tunnel-text.ts";

/**
 * A tunnel between two ends, written once: nothing in it is local or remote, so nothing can be mirrored wrongly. What each managed end gets is
 * made from it (compose/tunnel-ends.ts).
 */

export const TUNNEL_VERBS = ["allow", "reject", "drop"] as const;
export type TunnelVerb = (typeof TUNNEL_VERBS)[number];

interface AnyEnd {
  readonly name: string;
  /** The address that the other end dials; null: nobody can know it. */
  readonly address: string | null;
  readonly networks: readonly string[];
}

export type TunnelEnd =
  /** `natted`: the address is that of a router before the server. `hostname`: the name that people's devices are told to call; null: the address. */
  | (AnyEnd & {
      readonly kind: "managed";
      readonly server: string;
      readonly natted: boolean;
      readonly hostname: string | null;
    })
  | (AnyEnd & {
      readonly kind: "external";
      readonly identity: string;
      /** Whose word is taken for it; null: it has the pre-shared key. */
      readonly trusted: TrustedCertificate | null;
    })
  /** `networks`: out of these each gets an address of their own while they are connected. */
  | (AnyEnd & {
      readonly kind: "people";
      readonly people: readonly TunnelPerson[];
      readonly dns: readonly string[];
    });

/** The base64 of the DER of one certificate: the end's own, or that of the authority that issues it. */
export type TrustedCertificate = { readonly of: "end" | "authority"; readonly certificate: string };

export interface TunnelRule {
  readonly name: string;
  readonly verb: TunnelVerb;
  readonly services: readonly string[];
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Place in the text. */
  readonly index: number;
}

export interface TunnelExpectation {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly service: readonly string[];
  readonly is: "open" | "closed";
}

export interface TunnelBody {
  readonly description?: string;
  /** Exactly two, by name. */
  readonly ends: readonly [TunnelEnd, TunnelEnd];
  readonly via: "policy" | "interface";
  readonly clearText: "block" | "allow";
  readonly key: KeyReference;
  /** How old the key may become; absent: as old as it likes. */
  readonly rotateSeconds?: number;
  readonly suite: TunnelSuite;
  readonly ikeSeconds: number;
  readonly childSeconds: number;
  readonly deadSeconds: number;
  readonly deadThen: "restart" | "clear";
  readonly traffic: { readonly default: "drop" | "reject"; readonly rules: readonly TunnelRule[] };
  readonly expect: readonly TunnelExpectation[];
}

const endSchema = z
  .strictObject({
    server: documentNameText
      .optional()
      .meta({ description: "The managed server that is this end.", examples: ["gw-seoul"] }),
    external: z
      .literal(true)
      .optional()
      .meta({ description: "This end is somebody else's.", examples: [true] }),
    people: z.record(personNameText, personSchema).optional().meta({
      description: "This end is people, each with an identity and a key of their own, calling from anywhere.",
    }),
    dns: oneOrList(resolverText).optional().meta({ description: "Resolvers that people are told to ask." }),
    address: endAddressText,
    natted: z.boolean().optional().meta({
      description: "true: the address is that of a router before this server, which leads UDP 500 and 4500 to it.",
    }),
    hostname: hostnameText.optional(),
    identity: identityText.optional(),
    certificate: certificateText.optional(),
    authority: authorityText.optional(),
    networks: oneOrList(networkText).meta({
      description: "The networks behind this end; of people: the addresses that they are given while connected.",
    }),
  })
  .superRefine((end, context) => {
    const say = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
    if (end.people !== undefined) checkPeople(end, say);
    else if (end.dns !== undefined) say("dns", "Only people are told which resolvers to ask; take this out");
    if (end.server === undefined && end.external === undefined && end.people === undefined)
      say("address", "An end is a `server:` of ours, `external: true`, or `people:`");
    if (end.server !== undefined && end.external !== undefined)
      say("external", "An end is a server of ours or external, not both");
    if (end.external !== undefined && end.identity === undefined)
      say("address", "An external end needs its `identity:`, which only its administrator can say");
    if (end.server !== undefined && end.identity !== undefined)
      say("identity", "The identity of a server of ours is its name; take this out");
    if (end.server === undefined && end.hostname !== undefined)
      say("hostname", "Only a server of ours is called by people; take this out");
    if (end.external !== undefined && end.natted !== undefined)
      say("natted", "Whether an external end stands behind a router is found out by itself; take this out");
    for (const key of ["certificate", "authority"] as const)
      if (end[key] !== undefined && end.external === undefined)
        say(key, "Holdfast issues the certificates of servers of ours itself; take this out");
    if (end.address === "dynamic" && end.natted === true)
      say("natted", "An end whose address nobody knows needs no natted; take this out");
    if (end.networks.length === 0) say("networks", "An end without a network sends nothing through the tunnel");
  });

const ruleSchema = z
  .strictObject({
    name: tunnelNameText,
    allow: oneOrList(serviceReferenceText).optional().meta({ description: "Let these services through." }),
    reject: oneOrList(serviceReferenceText)
      .optional()
      .meta({ description: "Refuse these services and tell the sender." }),
    drop: oneOrList(serviceReferenceText).optional().meta({ description: "Discard these services silently." }),
    from: oneOrList(tunnelPeerText).meta({ description: "Where the packet comes from." }),
    to: oneOrList(tunnelPeerText).meta({ description: "Where it goes: to the other end." }),
    why: proseText("For people: a ticket or a reason.").optional(),
  })
  .refine(
    (rule) => TUNNEL_VERBS.filter((verb) => rule[verb] !== undefined).length === 1,
    "A rule has exactly one of allow, reject and drop.",
  );

const expectationSchema = z.strictObject({
  from: oneOrList(tunnelPeerText).meta({ description: "Where the packets come from." }),
  to: oneOrList(tunnelPeerText).meta({ description: "Where they go." }),
  service: oneOrList(serviceReferenceText).meta({ description: "What they are for." }),
  is: z.enum(["open", "closed"]).meta({ description: "Whether they get through." }),
  why: proseText("Why this must hold.").optional(),
});

/** A day: applying is for people. Ten years: a key that is never replaced says so by saying nothing. */
const ROTATE = { least: 86_400, most: 3_650 * 86_400 } as const;
/** Seconds. Below, peers are busy with keys; above, one key protects more than it should. */
const LIFETIME = { least: 300, most: 7 * 86_400 } as const;
/** Seconds. Below, one lost packet ends the tunnel; above, nobody notices for an hour that it is dead. */
const DEAD = { least: 5, most: 3_600 } as const;

const between = (least: number, most: number) =>
  durationText.superRefine((text, context) => {
    const seconds = parseDuration(text);
    if (seconds.ok && (seconds.value < least || seconds.value > most))
      context.addIssue({ code: "custom", message: `From ${least}s to ${most}s make sense here` });
  });

export const tunnelSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal("Tunnel"),
    name: tunnelNameText,
    description: proseText("What the tunnel connects.").optional(),
    ends: z.record(itemNameText, endSchema).meta({ description: "The two ends, by name." }),
    via: z.enum(["policy", "interface"]).meta({
      description:
        "How packets get into the tunnel. policy: by their addresses; interface: by routes into an XFRM interface of its own.",
    }),
    clearText: z.enum(["block", "allow"]).meta({
      description: "block: packets for the other end never leave unencrypted, also while the tunnel is down.",
    }),
    auth: z
      .strictObject({
        psk: pskText.optional(),
        certificate: certificateReferenceText.optional(),
        rotate: between(ROTATE.least, ROTATE.most)
          .optional()
          .meta({
            description:
              "How old the key may become. Then an alert says that it is due; nothing is replaced by itself. Certificates are due a month before they end, or earlier as this says.",
            examples: ["90d"],
          }),
      })
      .refine(
        (auth) => (auth.psk === undefined) !== (auth.certificate === undefined),
        "The ends prove who they are by psk: or by certificate:; write one of them",
      )
      .meta({ description: "How the ends prove who they are." }),
    suite: z.enum(TUNNEL_SUITE_NAMES).meta({ description: "The algorithms; a dated set that never changes." }),
    lifetime: z
      .strictObject({ ike: between(LIFETIME.least, LIFETIME.most), child: between(LIFETIME.least, LIFETIME.most) })
      .meta({ description: "When keys are replaced.", examples: [{ ike: "12h", child: "1h" }] }),
    dead: z
      .strictObject({
        after: between(DEAD.least, DEAD.most),
        // oxlint-disable-next-line unicorn/no-thenable -- a word of the language; its value is a text, which nobody can await
        then: z.enum(["restart", "clear"]).meta({ description: "restart: connect again; clear: forget it." }),
      })
      .meta({
        description: "What happens when the other end is silent.",
        // oxlint-disable-next-line unicorn/no-thenable -- the same word
        examples: [{ after: "30s", then: "restart" }],
      }),
    traffic: z
      .strictObject({
        default: z.enum(["drop", "reject"]).meta({ description: "What happens to packets that no rule opens." }),
        rules: z.array(ruleSchema),
      })
      .meta({ description: "What may pass; rendered into the firewalls of both ends." }),
    expect: oneOrList(expectationSchema)
      .optional()
      .meta({ description: "What must hold before the change is confirmed on either end." }),
  })
  .superRefine((tunnel, context) => {
    const say = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const ends = Object.entries(tunnel.ends);
    const [one, other] = ends;
    if (ends.length !== 2 || one === undefined || other === undefined) {
      say(["ends"], `A tunnel has two ends; here are ${ends.length}`);
      return;
    }
    const nets = new Map(ends.map(([name, end]) => [name, setOf(asList(end.networks))]));
    const isByCertificate = tunnel.auth.certificate !== undefined;
    checkCertificates(isByCertificate, ends, say);
    if (one[1].server === undefined && other[1].server === undefined)
      say(["ends"], "Neither end is a server of ours, so there is nothing to configure");
    const people = ends.find(([, end]) => end.people !== undefined);
    if (people?.[1].people === undefined || !isByCertificate)
      for (const [name, { hostname }] of ends)
        if (hostname !== undefined)
          say(
            ["ends", name, "hostname"],
            "A name to call is for people to whom the server proves itself by a certificate; take this out",
          );
    if (people !== undefined) {
      checkWays(isByCertificate, people[1].people ?? {}, (person, key, message) =>
        say(["ends", people[0], "people", person, key], message),
      );
      if (tunnel.auth.psk !== undefined && tunnel.auth.psk !== "each")
        say(
          ["auth", "psk"],
          "A key that all people share could be taken from nobody; write each, and psk: beside each of them",
        );
      if (tunnel.via === "interface") say(["via"], "People are told apart by their addresses; write policy");
      if (tunnel.dead.then === "restart")
        say(["dead", "then"], "A server cannot call people back, whose addresses nobody knows; write clear");
      const server = ends.find(([, end]) => end.server !== undefined);
      if (server?.[1].address === "dynamic")
        say(["ends", server[0], "address"], "People have to know whom to call; write the address");
    } else if (tunnel.auth.psk === "each")
      say(["auth", "psk"], "Only people have a key each; write generated, secret:NAME or file:NAME");
    if (one[1].server !== undefined && one[1].server === other[1].server)
      say(["ends", other[0], "server"], "Both ends are the same server");
    if (tunnel.auth.psk?.startsWith("generated") === true && ends.some(([, end]) => end.external === true))
      say(
        ["auth", "psk"],
        "A generated key is shown to nobody, so an external end could not be given it; write secret:NAME",
      );
    if (tunnel.auth.rotate !== undefined && tunnel.auth.psk === "each")
      say(["auth", "rotate"], "Each person has to be given a new key, one after the other; take this out");
    if (tunnel.auth.rotate !== undefined && tunnel.auth.psk?.startsWith("file:") === true)
      say(["auth", "rotate"], "Holdfast does not know how old a key is that it was not given; take this out");
    if (one[1].address === "dynamic" && other[1].address === "dynamic")
      say(["ends", other[0], "address"], "Nobody knows the address of either end, so neither can begin");
    // What people send into the tunnel may be everything; the addresses that they have are theirs all the same.
    const isAllToServer =
      people !== undefined && ends.some(([, end]) => end.server !== undefined && sendsAll(asList(end.networks)));
    if (!isAllToServer && overlaps(nets.get(one[0]) ?? EMPTY, nets.get(other[0]) ?? EMPTY))
      say(
        ["ends", other[0], "networks"],
        "Networks of both ends overlap, so nobody can tell which packets belong into the tunnel",
      );

    const whole = unionOf([...nets.values()]);
    const peers = (path: (string | number)[], texts: readonly string[]): void => {
      for (const [index, text] of asList(texts).entries()) {
        const peer = parseTunnelPeer(text);
        if (!peer.ok) continue;
        if (peer.value.kind === "end" && !nets.has(peer.value.name))
          say([...path, index], `No end is called ${peer.value.name}; there are ${[...nets.keys()].join(" and ")}`);
        const { value } = peer;
        if (value.kind !== "addresses") continue;
        const isInOne = [...nets.values()].some((set) => isSubset(value.addresses, set));
        if (!isInOne)
          say(
            [...path, index],
            isSubset(value.addresses, whole)
              ? `${text} reaches over both ends; write each end's part`
              : `${text} is not within the networks of an end`,
          );
      }
    };
    for (const [index, rule] of tunnel.traffic.rules.entries()) {
      peers(["traffic", "rules", index, "from"], rule.from);
      peers(["traffic", "rules", index, "to"], rule.to);
      if (tunnel.traffic.rules.findIndex((first) => first.name === rule.name) < index)
        say(["traffic", "rules", index, "name"], `${rule.name} stands twice; a name is used once`);
    }
    for (const [index, expectation] of (tunnel.expect ?? []).entries()) {
      peers(["expect", index, "from"], expectation.from);
      peers(["expect", index, "to"], expectation.to);
    }
  })
  .meta({ title: "Tunnel", description: "An IPsec tunnel between two ends, written once." });

/** Characters. The secret of an end is called by the names of the tunnel and of the end, and so is its file on the server. */
const LONGEST_END = 32;

interface EndWithCertificates {
  readonly server?: string | undefined;
  readonly external?: true | undefined;
  readonly people?: unknown;
  readonly certificate?: string | undefined;
  readonly authority?: string | undefined;
}

/** By certificate, everybody has one and knows whose word to take for the other's; by key, nobody has. */
function checkCertificates(
  isByCertificate: boolean,
  ends: readonly (readonly [string, EndWithCertificates])[],
  say: (path: (string | number)[], message: string) => void,
): void {
  for (const [name, end] of ends) {
    const given = (["certificate", "authority"] as const).filter((key) => end[key] !== undefined);
    if (!isByCertificate) {
      for (const key of given)
        say(["ends", name, key], "The ends of this tunnel prove themselves by a pre-shared key; take this out");
      continue;
    }
    if (name.length > LONGEST_END)
      say(["ends", name], `With certificates the name of an end has at most ${LONGEST_END} characters`);
    if (end.external !== undefined && given.length !== 1)
      say(
        ["ends", name, given[1] ?? "identity"],
        "By certificate, an external end needs authority: (whatever that authority issues for its identity) or certificate: (this one alone), one of them",
      );
  }
}

/** The body of what the schema has accepted. */
export function tunnelBody(tunnel: z.output<typeof tunnelSchema>): TunnelBody {
  const [one, other] = Object.keys(tunnel.ends)
    .toSorted()
    .map((name) => endOf(name, tunnel.ends[name]));
  if (one === undefined || other === undefined) throw new Error("a tunnel that was not checked has no two ends");
  return {
    ...(tunnel.description === undefined ? {} : { description: tunnel.description }),
    ends: [one, other],
    via: tunnel.via,
    clearText: tunnel.clearText,
    key: keyOf(tunnel.auth),
    ...(tunnel.auth.rotate === undefined ? {} : { rotateSeconds: secondsOf(tunnel.auth.rotate) }),
    suite: tunnel.suite,
    ikeSeconds: secondsOf(tunnel.lifetime.ike),
    childSeconds: secondsOf(tunnel.lifetime.child),
    deadSeconds: secondsOf(tunnel.dead.after),
    deadThen: tunnel.dead.then,
    traffic: {
      default: tunnel.traffic.default,
      rules: tunnel.traffic.rules.map((rule, index) => {
        const verb = TUNNEL_VERBS.find((one) => rule[one] !== undefined) ?? "drop";
        return { name: rule.name, verb, services: rule[verb] ?? [], from: rule.from, to: rule.to, index };
      }),
    },
    expect: (tunnel.expect ?? []).map(({ from, to, service, is }) => ({ from, to, service, is })),
  };
}

function endOf(name: string, end: z.output<typeof endSchema> | undefined): TunnelEnd {
  if (end === undefined) throw new Error(`the end ${name} is gone`);
  const address = end.address === "dynamic" ? null : end.address;
  const shared = { name, address, networks: end.networks };
  if (end.people !== undefined) return { ...shared, kind: "people", people: peopleOf(end.people), dns: end.dns ?? [] };
  return end.server === undefined
    ? { ...shared, kind: "external", identity: end.identity ?? "", trusted: trustedOf(end) }
    : {
        ...shared,
        kind: "managed",
        server: end.server,
        natted: end.natted ?? false,
        hostname: end.hostname ?? null,
      };
}

/** Where something in a list was refused, it stands here still as it was written: alone or in a list. */
function asList(texts: readonly string[] | string): readonly string[] {
  return typeof texts === "string" ? [texts] : texts;
}

function sendsAll(networks: readonly string[]): boolean {
  return networks.some((network) => network.endsWith("/0"));
}

function setOf(networks: readonly string[]): AddressSet {
  return unionOf(
    networks.map((text) => {
      const set = addressSetFromText(text);
      return set.ok ? set.value : EMPTY;
    }),
  );
}

function keyOf({ psk, certificate }: z.output<typeof tunnelSchema>["auth"]): KeyReference {
  if (certificate !== undefined) {
    const reference = parseCertificateReference(certificate);
    if (!reference.ok) throw new Error(reference.error);
    return { from: "certificate", version: reference.value.version };
  }
  const reference = parsePskReference(psk ?? "");
  if (!reference.ok) throw new Error(reference.error);
  return reference.value;
}

function trustedOf({ certificate, authority }: EndWithCertificates): TrustedCertificate | null {
  const text = certificate ?? authority;
  if (text === undefined) return null;
  const body = parseCertificateText(text);
  if (!body.ok) throw new Error(body.error);
  return { of: certificate === undefined ? "authority" : "end", certificate: body.value };
}

function secondsOf(text: string): number {
  const seconds = parseDuration(text);
  if (!seconds.ok) throw new Error(seconds.error);
  return seconds.value;
}
