import type { Json } from "../base/canonical-json.ts";
import { addressSetFromText, isSubset } from "../net/address-set.ts";
import { parseNetwork, formatNetwork } from "../net/network.ts";
import type { TunnelDocument } from "../policy/document.ts";
import type { ExpectationText } from "../policy/expectation.ts";
import type { Path } from "../policy/path.ts";
import type { TunnelBody, TunnelEnd, TunnelRule } from "../policy/tunnel-document.ts";
import type { PersonProof } from "../policy/tunnel-people.ts";
import { parseTunnelPeer } from "../policy/tunnel-text.ts";
import type { TunnelKey } from "./tunnel-key.ts";

/**
 * What each managed end of a tunnel gets, made from the one document.
 *   E1. The two ends mirror each other by construction: what is local here is remote there, letter for letter.
 *   E2. One end begins: the one whose address nobody knows, else ours where the other is external, else the first by name.
 *   E3. Traffic is closed in the forward rules of both ends unless a rule of the tunnel opens it. What it opens to an end's networks, the
 *       server itself answers too where it has an address in them.
 */
export interface TunnelSide {
  readonly tunnel: string;
  /** The `vpn` section of this server, this tunnel alone. */
  readonly vpn: Json;
  readonly firewall: { readonly [Hook in TunnelHook]: Json };
  /** What this server is known to have: from such an address it can try an expectation itself. */
  readonly own: ReadonlySet<string>;
  readonly expect: readonly { readonly path: string; readonly expectation: ExpectationText }[];
  /** A path into the sections above back to the document as written. */
  readonly sourceOf: (path: Path) => Path;
}

export type TunnelHook = "inbound" | "forward" | "outbound";

/** The servers of ours that a tunnel ends on. */
export function managedServers(tunnel: TunnelDocument): readonly string[] {
  return tunnel.body.ends.flatMap((end) => (end.kind === "managed" ? [end.server] : []));
}

export function initiatorOf([one, other]: readonly [TunnelEnd, TunnelEnd]): TunnelEnd {
  if (one.address === null) return one;
  if (other.address === null) return other;
  if (one.kind !== other.kind) return one.kind === "managed" ? one : other;
  return one.name < other.name ? one : other;
}

/** Of an end that is one machine; people have one each. */
export function identityOf(end: Exclude<TunnelEnd, { readonly kind: "people" }>): string {
  return end.kind === "managed" ? end.server : end.identity;
}

/**
 * Everything that the certificate of an end names: first how it calls itself. Devices of people believe a server that is called as they were told to call it,
 * so there it is the host name or the address; between machines it is the name of the server.
 */
export function identitiesOf({ ends, key }: TunnelBody, end: ManagedEnd): readonly string[] {
  const isCalled = key.from === "certificate" && ends.some(({ kind }) => kind === "people");
  if (!isCalled) return [end.server];
  return [end.hostname, end.address, end.server].filter((one) => one !== null);
}

/**
 * @param ownAddresses every address that this server is known to have: what it expects of itself it can try itself
 * @param keys what this server proves itself by, and the other end (tunnel-key.ts): the one of a machine by null, else by person
 */
export function tunnelSide(
  tunnel: TunnelDocument,
  server: string,
  ownAddresses: ReadonlySet<string>,
  keys: ReadonlyMap<string | null, SideKey>,
): TunnelSide | null {
  const { ends } = tunnel.body;
  const local = ends.find((end) => end.kind === "managed" && end.server === server);
  const remote = ends.find((end) => end !== local);
  if (local?.kind !== "managed" || remote === undefined) return null;
  const { rules, default: rest } = tunnel.body.traffic;
  const out = directed(tunnel.name, rules, local, remote, "out", ends);
  const into = directed(tunnel.name, rules, remote, local, "in", ends);
  const closing = [
    closingRule(tunnel.name, rest, local, remote, "out"),
    closingRule(tunnel.name, rest, remote, local, "in"),
  ];
  const forward = [...out, ...into];
  const places = {
    inbound: into.map(({ index, verb }) => ({ index, verb })),
    outbound: out.map(({ index, verb }) => ({ index, verb })),
    forward: forward.map(({ index, verb }) => ({ index, verb })),
  };
  return {
    tunnel: tunnel.name,
    vpn:
      remote.kind === "people"
        ? { tunnels: {}, people: { [tunnel.name]: peopleSpecOf(tunnel, local, remote, keys) } }
        : { tunnels: { [tunnel.name]: specOf(tunnel, local, remote, keys.get(null)) } },
    firewall: {
      forward: { first: [...forward.map(({ rule }) => rule), ...closing] },
      inbound: { rules: into.map(({ rule }) => rule) },
      outbound: { rules: out.map(({ rule }) => rule) },
    },
    own: ownAddresses,
    expect: tunnel.body.expect.map(({ from, to, service, is }, index) => ({
      path: `expect[${index}]`,
      expectation: {
        from: from.flatMap((text) => sideOf(text, ends)),
        to: to.flatMap((text) => sideOf(text, ends)),
        service: [...service],
        is,
      },
    })),
    sourceOf: (path) => {
      const [domain, hook, , index, key] = path;
      // What was found in the document itself says where already.
      if (domain === "auth" || domain === "ends") return path;
      if (domain !== "firewall" || typeof index !== "number")
        return domain === "expect" ? ["expect", ...(typeof hook === "number" ? [hook] : [])] : ["ends"];
      const place = places[hook as TunnelHook]?.[index];
      if (place === undefined) return ["traffic", "default"];
      return ["traffic", "rules", place.index, ...(key === undefined ? [] : [key])];
    },
  };
}

export type SideKey = Pick<TunnelKey, "keyFile" | "certificates">;
export type ManagedEnd = Extract<TunnelEnd, { readonly kind: "managed" }>;
type PeopleEnd = Extract<TunnelEnd, { readonly kind: "people" }>;
type MachineEnd = Exclude<TunnelEnd, PeopleEnd>;

/** Who is revoked is left out: no connection is theirs. */
function peopleSpecOf(
  { body }: TunnelDocument,
  local: ManagedEnd,
  { networks, dns, people }: PeopleEnd,
  keys: ReadonlyMap<string | null, SideKey>,
): Json {
  const { clearText, suite, ikeSeconds, childSeconds, deadSeconds } = body;
  const own = keys.get(null);
  return {
    local: {
      address: local.natted ? null : local.address,
      identity: identitiesOf(body, local)[0] ?? local.server,
      networks: local.networks.map(canonicalNetwork),
    },
    pools: networks.map(canonicalNetwork),
    dns: [...dns],
    persons: Object.fromEntries(
      people.flatMap(({ name, identity, proof }) =>
        proof === null ? [] : [[name, { identity, ...proofSpec(proof, keys.get(name)) }]],
      ),
    ),
    // Left out where people have keys: configs of earlier versions stay as they are, letter for letter.
    ...(own?.certificates === undefined || own.certificates === null
      ? {}
      : { certificate: { own: own.certificates.own, keyId: own.certificates.keyId, keyFile: own.keyFile } }),
    clearText,
    suite,
    ikeSeconds,
    childSeconds,
    deadSeconds,
  };
}

/** A certificate that cannot be used is told of as a finding, and its config goes nowhere. */
function proofSpec({ by }: PersonProof, key: SideKey | undefined): Record<string, string> {
  if (by !== "certificate") return { keyFile: key?.keyFile ?? "" };
  const { peer = null, authority = null } = key?.certificates ?? {};
  return { certificate: peer ?? "", authority: authority ?? "" };
}

/** The vpn section's part: see domains/vpn/section.ts, which reads it. */
function specOf(tunnel: TunnelDocument, local: ManagedEnd, remote: MachineEnd, key: SideKey | undefined): Json {
  const { via, clearText, suite, ikeSeconds, childSeconds, deadSeconds, deadThen, ends } = tunnel.body;
  const certificates = key?.certificates ?? null;
  return {
    local: {
      address: local.natted ? null : local.address,
      identity: identityOf(local),
      networks: local.networks.map(canonicalNetwork),
    },
    remote: { address: remote.address, identity: identityOf(remote), networks: remote.networks.map(canonicalNetwork) },
    peer: remote.kind === "managed" ? `${remote.name} (${remote.server})` : remote.name,
    initiates: initiatorOf(ends) === local,
    clearText,
    keyFile: key?.keyFile ?? "",
    suite,
    ikeSeconds,
    childSeconds,
    deadSeconds,
    deadThen,
    // Left out for policy, and for a pre-shared key: configs of earlier versions stay as they are, letter for letter.
    ...(via === "interface" ? { via } : {}),
    ...(certificates === null ? {} : { certificates: { ...certificates } }),
  };
}

interface Directed {
  readonly index: number;
  readonly verb: TunnelRule["verb"];
  readonly rule: Json;
}

/** The rules of one direction, as the server at one end sees it: those whose sides have a part in this direction. */
function directed(
  tunnel: string,
  rules: readonly TunnelRule[],
  source: TunnelEnd,
  target: TunnelEnd,
  direction: "in" | "out",
  ends: readonly TunnelEnd[],
): readonly Directed[] {
  return rules.flatMap((rule): Directed[] => {
    const [from, to] = [partOf(rule.from, source, ends), partOf(rule.to, target, ends)];
    if (from.length === 0 || to.length === 0) return [];
    const name = `vpn-${tunnel}--${rule.name}-${direction}`;
    return [{ index: rule.index, verb: rule.verb, rule: { name, [rule.verb]: [...rule.services], from, to } }];
  });
}

function closingRule(
  tunnel: string,
  verb: "drop" | "reject",
  source: TunnelEnd,
  target: TunnelEnd,
  direction: "in" | "out",
): Json {
  return {
    name: `vpn-${tunnel}--${direction}`,
    [verb]: ["any"],
    from: source.networks.map(canonicalNetwork),
    to: target.networks.map(canonicalNetwork),
  };
}

/** What these texts name of one end. The schema has seen to it that each lies within one. */
function partOf(texts: readonly string[], end: TunnelEnd, ends: readonly TunnelEnd[]): readonly string[] {
  return texts.flatMap((text) => {
    const peer = parseTunnelPeer(text);
    if (!peer.ok) return [];
    if (peer.value.kind === "end") return peer.value.name === end.name ? end.networks.map(canonicalNetwork) : [];
    const { addresses } = peer.value;
    // Of what people may send everywhere, the addresses that they have themselves are their own end's.
    const byPeople = ends.toSorted((a, b) => Number(b.kind === "people") - Number(a.kind === "people"));
    const owner = byPeople.find((one) =>
      one.networks.some((network) => {
        const set = addressSetFromText(network);
        return set.ok && isSubset(addresses, set.value);
      }),
    );
    return owner === end ? [text] : [];
  });
}

function sideOf(text: string, ends: readonly TunnelEnd[]): readonly string[] {
  const peer = parseTunnelPeer(text);
  if (peer.ok && peer.value.kind === "end") {
    const { name } = peer.value;
    return ends.find((end) => end.name === name)?.networks.map(canonicalNetwork) ?? [];
  }
  return [text];
}

function canonicalNetwork(text: string): string {
  const network = parseNetwork(text);
  return network.ok ? formatNetwork(network.value) : text;
}
