import { isDeepStrictEqual } from "node:util";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseCanonicalAddress } from "@holdfast/core/net/address.ts";
import type { IpRoute, IpRule, IpState, LinkChange } from "@holdfast/core/plan/ip-state.ts";
import type { IpsecAct, IpsecConn, IpsecKey, IpsecOperation, IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { parseCertificateBody, parseIdentity } from "@holdfast/core/policy/tunnel-text.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { CONN_PREFIX, KEY_PREFIX, parseKeyFile, PASSWORD_PREFIX, privateKeyId } from "@holdfast/domains/vpn/conn.ts";
import { BLOCK_METRIC, BLOCK_PROTOCOL } from "@holdfast/domains/vpn/facts.ts";
import { INTO_METRIC, isOurLink, linkWith, parseLink } from "@holdfast/domains/vpn/link.ts";
import { parseCanonicalNetwork, parsePrivateKeyId, parseProposal } from "@holdfast/domains/vpn/parse-config.ts";
import { ANYBODY, parsePoolName } from "@holdfast/domains/vpn/people.ts";
import { lookupRule } from "@holdfast/domains/vpn/step.ts";

/** What the vpn domain may ask: its own connections and keys in charon, by name, and dead ends in the kernel's main table. */

const MAIN_TABLE = 254;
const LONGEST_SECONDS = 604_800;
/** Milliseconds; more would keep the module busy longer than any step may take. */
const LONGEST_PATIENCE_MS = 60_000;

export function checkIpsecAct(act: IpsecAct): Result<null, string> {
  switch (act.op) {
    case "load_conn":
      return checkConn(act.conn);
    case "unload_conn":
    case "terminate":
      return first([checkConnName(act.name)]);
    case "load_key":
      return checkKey(act.key);
    case "unload_key":
      return first([checkKeyId(act.id)]);
    case "rekey":
      return first([checkConnName(act.name), checkLabel(act.label)]);
    case "load_pool":
      return checkPool(act.pool);
    case "unload_pool":
      return first([parsePoolName(act.name)]);
    case "load_people":
      return first([...act.keys.map(checkKey), ...act.conns.map(checkConn)]);
    case "end_people":
      return first([...[...act.unload, ...act.terminate].map(checkConnName), ...act.keys.map(checkKeyId)]);
    case "initiate":
      return first([
        checkConnName(act.name),
        checkLabel(act.label),
        act.patienceMs >= 0 && act.patienceMs <= LONGEST_PATIENCE_MS ? ok(null) : err("that is too much patience"),
      ]);
  }
}

/** An operator reaches the connections of ours and nothing else in the daemon. */
export function checkIpsecOperation({ name, label }: IpsecOperation): Result<null, string> {
  return first([checkConnName(name), label === null ? ok(null) : checkLabel(label)]);
}

export function checkKeys(keys: readonly IpsecKey[], certificates: readonly string[] = []): Result<null, string> {
  return first([...keys.map(checkKey), ...certificates.map(parseCertificateBody)]);
}

function checkConn(conn: IpsecConn): Result<null, string> {
  const addresses = [conn.localAddress, conn.remoteAddress].filter((address) => address !== null);
  return first([
    checkConnName(conn.name),
    checkLabel(conn.label),
    ...addresses.map(parseCanonicalAddress),
    parseIdentity(conn.localIdentity),
    conn.password === undefined ? checkRemote(conn) : checkPassword(conn),
    ...[...conn.localNetworks, ...conn.remoteNetworks].map(parseCanonicalNetwork),
    ...[...conn.ikeProposals, ...conn.childProposals].map(parseProposal),
    ...(conn.linkId === undefined ? [] : [parseLink(linkWith(conn.linkId))]),
    ...(conn.pools ?? []).map(parsePoolName),
    checkCertificates(conn),
    (conn.pools?.length ?? conn.remoteNetworks.length) > 0 ? ok(null) : err("the other end has no network"),
    ...[conn.ikeSeconds, conn.childSeconds, conn.deadSeconds].map((seconds) =>
      Number.isInteger(seconds) && seconds > 0 && seconds <= LONGEST_SECONDS ? ok(null) : err(`${seconds} is no time`),
    ),
  ]);
}

/** By certificate, a connection that says nothing of the other end's would let in whoever has one of any authority. */
function checkCertificates({ certificates, password }: IpsecConn): Result<null, string> {
  if (certificates === undefined) return ok(null);
  if (password !== undefined) return first([parseCertificateBody(certificates.own)]);
  const accepted = [certificates.peer, certificates.authority].filter((one) => one !== null);
  return accepted.length === 0
    ? err("nothing says which certificate of the other end is accepted")
    : first([certificates.own, ...accepted].map(parseCertificateBody));
}

/** Whatever a device calls itself is enough where its very certificate is named, and nowhere else. */
function checkRemote({ remoteIdentity, certificates, pools }: IpsecConn): Result<unknown, string> {
  if (remoteIdentity !== ANYBODY) return parseIdentity(remoteIdentity);
  const isPinned = pools !== undefined && typeof certificates?.peer === "string" && certificates.authority !== null;
  return isPinned ? ok(null) : err("nothing says who may come in");
}

/** Whoever is asked for a password is shown a certificate first, whatever they call themselves. */
function checkPassword({ password, remoteIdentity, certificates, pools }: IpsecConn): Result<null, string> {
  if (remoteIdentity !== ANYBODY || certificates === undefined || certificates.peer !== null || pools === undefined)
    return err("who comes in by a password is a person, to whom this server proves itself by a certificate");
  const name = password?.name ?? null;
  return name === null ? ok(null) : first([parseIdentity(name)]);
}

function checkPool({ name, network, dns }: IpsecPool): Result<null, string> {
  return first([parsePoolName(name), parseCanonicalNetwork(network), ...dns.map(parseCanonicalAddress)]);
}

function checkConnName(name: string): Result<unknown, string> {
  const isOurs = name.startsWith(CONN_PREFIX) && parseItemName(name.slice(CONN_PREFIX.length)).ok;
  return isOurs ? ok(null) : err(`${JSON.stringify(name)} is no connection of ours`);
}

function checkLabel(label: string): Result<unknown, string> {
  return /^c-[0-9a-f]{16}$/.test(label) ? ok(null) : err(`${JSON.stringify(label)} is no child of ours`);
}

function checkKey({ id, file, owners }: IpsecKey): Result<null, string> {
  if (privateKeyId(id) !== null)
    return first([
      checkKeyId(id),
      parseSecretFile(file),
      owners.length === 0 ? ok(null) : err("a private key proves what its certificate says"),
    ]);
  return first([
    checkKeyId(id),
    parseKeyFile(file),
    ...owners.map((owner) => parseIdentity(owner.startsWith("@") ? owner.slice(1) : owner)),
    owners.length === 1 || owners.length === 2 ? ok(null) : err("a key proves one identity"),
  ]);
}

function checkKeyId(id: string): Result<null, string> {
  const number = privateKeyId(id);
  if (number !== null) return first([parsePrivateKeyId(number)]);
  return (id.startsWith(KEY_PREFIX) || id.startsWith(PASSWORD_PREFIX)) && /^[a-z0-9-]{1,160}$/.test(id)
    ? ok(null)
    : err(`${JSON.stringify(id)} is no key of ours`);
}

/** Interfaces of tunnels by our names, nothing else. */
export function checkTunnelLink(link: string, change: LinkChange): Result<null, string> {
  if (change.op === "xfrm") return first([parseLink({ name: link, id: change.id })]);
  return change.op === "delete" && change.device === "xfrm" && isOurLink(link)
    ? ok(null)
    : err(`the vpn domain makes and removes interfaces of its tunnels, and does nothing else to links: not to ${link}`);
}

/** Ways into its own interfaces, dead ends and strongSwan's own rule, nothing else: no address, no other rule, no way to anywhere. */
export function checkBlocks({ addresses, routes, rules }: IpState): Result<null, string> {
  const isLookup = (rule: IpRule): boolean => isDeepStrictEqual(rule, lookupRule(rule.family));
  if (addresses.length > 0 || !rules.every(isLookup))
    return err("the vpn domain sets dead ends and strongSwan's rule, no addresses and no other rules");
  return first(
    routes.map((route) => {
      const isDeadEnd =
        route.kind === "blackhole" &&
        route.hops.length === 0 &&
        route.source === null &&
        route.table === MAIN_TABLE &&
        route.metric === BLOCK_METRIC &&
        route.protocol === BLOCK_PROTOCOL;
      return isDeadEnd || isInto(route)
        ? parseCanonicalNetwork(route.to)
        : err(`${route.to} is no dead end and no way into a tunnel of ours`);
    }),
  );
}

function isInto({ kind, hops, source, table, metric, protocol }: IpRoute): boolean {
  const [hop] = hops;
  const leadsIntoOurs = hops.length === 1 && hop?.via === null && hop.dev !== null && isOurLink(hop.dev) && !hop.onLink;
  const isInMain = table === MAIN_TABLE && metric === INTO_METRIC && protocol === BLOCK_PROTOCOL;
  return kind === "unicast" && source === null && leadsIntoOurs && isInMain;
}

function first(results: readonly Result<unknown, string>[]): Result<null, string> {
  for (const result of results) if (!result.ok) return result;
  return ok(null);
}
