import type { Finding } from "@holdfast/core/base/finding.ts";
import { parseWhole } from "@holdfast/core/base/parse-whole.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseCanonicalAddress } from "@holdfast/core/net/address.ts";
import { formatNetwork, parseNetwork } from "@holdfast/core/net/network.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { formatPath, type Path } from "@holdfast/core/policy/path.ts";
import { MOST_PEOPLE } from "@holdfast/core/policy/tunnel-people.ts";
import { parseCertificateBody, parseIdentity, parseTunnelName } from "@holdfast/core/policy/tunnel-text.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { parseKeyFile } from "./conn.ts";
import { finding } from "./findings.ts";
import { type VpnConfig, vpnConfigSchema } from "./model.ts";

export type ParsedVpn =
  | { readonly ok: true; readonly config: VpnConfig }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Checks a config that comes from outside, every text of it: they become values of vici messages and lines of a file. */
export function parseVpnConfig(value: unknown): ParsedVpn {
  const parsed = parseWhole(vpnConfigSchema, value);
  const findings: Finding[] = [];
  const complain = (path: Path, message: string): void => {
    findings.push(finding("vpn.config", formatPath(["vpn", ...path]), `The config cannot be used: ${message}.`));
  };
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      complain(
        issue.path.map((part) => (typeof part === "symbol" ? String(part) : part)),
        issue.message,
      );
    return { ok: false, findings };
  }
  const check = (path: Path, result: Result<unknown, string>): void => {
    if (!result.ok) complain(path, result.error);
  };
  for (const [name, tunnel] of Object.entries(parsed.data.tunnels)) {
    const path = ["tunnels", name];
    check(path, parseTunnelName(name));
    check([...path, "keyFile"], parseKeyFile(tunnel.keyFile));
    check([...path, "peer"], parsePeerWords(tunnel.peer));
    check([...path, "suite"], parseItemName(tunnel.suite));
    for (const [key, result] of certificateChecks(tunnel)) check([...path, "certificates", key], result);
    for (const side of ["local", "remote"] as const) {
      const { address, identity, networks } = tunnel[side];
      if (address !== null) check([...path, side, "address"], parseCanonicalAddress(address));
      check([...path, side, "identity"], parseIdentity(identity));
      for (const [index, network] of networks.entries())
        check([...path, side, "networks", index], parseCanonicalNetwork(network));
    }
    for (const list of ["ikeProposals", "childProposals"] as const)
      for (const [index, proposal] of tunnel[list].entries()) check([...path, list, index], parseProposal(proposal));
  }
  for (const [name, people] of Object.entries(parsed.data.people ?? {})) {
    const path = ["people", name];
    check(path, parseTunnelName(name));
    check([...path, "suite"], parseItemName(people.suite));
    const { address, identity, networks } = people.local;
    if (address !== null) check([...path, "local", "address"], parseCanonicalAddress(address));
    check([...path, "local", "identity"], parseIdentity(identity));
    for (const [key, list] of [
      ["local.networks", networks],
      ["pools", people.pools],
    ] as const)
      for (const [index, network] of list.entries()) check([...path, key, index], parseCanonicalNetwork(network));
    for (const [index, one] of people.dns.entries()) check([...path, "dns", index], parseCanonicalAddress(one));
    for (const list of ["ikeProposals", "childProposals"] as const)
      for (const [index, proposal] of people[list].entries()) check([...path, list, index], parseProposal(proposal));
    const { certificate } = people;
    if (certificate !== undefined) {
      check([...path, "certificate", "own"], parseCertificateBody(certificate.own));
      check([...path, "certificate", "keyId"], parsePrivateKeyId(certificate.keyId));
      check([...path, "certificate", "keyFile"], parseSecretFile(certificate.keyFile));
    }
    const persons = Object.entries(people.persons);
    if (persons.length > MOST_PEOPLE) complain([...path, "persons"], `${persons.length} people are too many`);
    for (const [person, one] of persons) {
      const at = [...path, "persons", person];
      check(at, parseTunnelName(person));
      check([...at, "identity"], parseIdentity(one.identity));
      if ("keyFile" in one) check([...at, "keyFile"], parseKeyFile(one.keyFile));
      else {
        check([...at, "certificate"], parseCertificateBody(one.certificate));
        check([...at, "authority"], parseCertificateBody(one.authority));
        if (certificate === undefined) complain(at, "the server has no certificate to be shown to this person");
      }
    }
    if (new Set(persons.map(([, one]) => "keyFile" in one)).size > 1)
      complain([...path, "persons"], "some have a certificate and some have not");
  }
  return findings.length === 0 ? { ok: true, config: parsed.data } : { ok: false, findings };
}

function certificateChecks({
  certificates,
  keyFile,
}: VpnConfig["tunnels"][string]): readonly (readonly [string, Result<unknown, string>])[] {
  if (certificates === undefined) return [];
  const { own, peer, authority, keyId } = certificates;
  const isAccepting = peer !== null || authority !== null;
  return [
    ["own", parseCertificateBody(own)],
    ["peer", isAccepting ? ok(null) : err("nothing says which certificate of the other end is accepted")],
    ...(peer === null ? [] : [["peer", parseCertificateBody(peer)] as const]),
    ...(authority === null ? [] : [["authority", parseCertificateBody(authority)] as const]),
    ["keyId", parsePrivateKeyId(keyId)],
    ["own", parseSecretFile(keyFile).ok ? ok(null) : err("its private key is not of the store of secrets")],
  ];
}

/** A SHA-1, as strongSwan writes it. */
export function parsePrivateKeyId(text: string): Result<string, string> {
  return /^[0-9a-f]{40}$/.test(text) ? ok(text) : err(`${JSON.stringify(text.slice(0, 80))} is no private key of ours`);
}

export function parseCanonicalNetwork(text: string): Result<string, string> {
  const network = parseNetwork(text);
  if (!network.ok) return network;
  return formatNetwork(network.value) === text ? ok(text) : err(`${JSON.stringify(text)} is not written canonically`);
}

/** A list of algorithms as strongSwan writes it. */
export function parseProposal(text: string): Result<string, string> {
  return /^[a-z0-9]{1,32}(?:-[a-z0-9]{1,32}){0,7}$/.test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 80))} is not a list of algorithms`);
}

function parsePeerWords(text: string): Result<string, string> {
  return /^[a-z0-9. ()-]{1,200}$/.test(text) ? ok(text) : err("peer is not the name of an end");
}
