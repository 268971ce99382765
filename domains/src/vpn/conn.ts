import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { ok, type Result } from "@holdfast/core/base/result.ts";
import { parseAddress } from "@holdfast/core/net/address.ts";
import type { IpsecConn, IpsecKey, IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { nameOfPerson } from "@holdfast/core/policy/tunnel-people.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { KEY_FOLDER, STORE_FOLDER } from "./facts.ts";
import { fingerprint } from "./fingerprint.ts";
import { linkOf, type TunnelLink } from "./link.ts";
import type { PeopleConfig, PersonConfig, TunnelConfig, VpnConfig } from "./model.ts";
import { ANYBODY, asksForPasswords, poolsOf, tunnelOfPerson } from "./people.ts";

/** A tunnel as charon gets it: names of ours, and everything that it may be told, concrete. */

export const CONN_PREFIX = "holdfast-";
/** swanctl calls a key by the name of its section, which begins so. */
export const KEY_PREFIX = "ike-holdfast-";

/** The same of a password. */
export const PASSWORD_PREFIX = "eap-holdfast-";

/** Private keys, behind it by the number that strongSwan itself has for each. */
export const PRIVATE_PREFIX = "private-";

/** The number of a private key; null: it is a pre-shared one. */
export function privateKeyId(id: string): string | null {
  return id.startsWith(PRIVATE_PREFIX) ? id.slice(PRIVATE_PREFIX.length) : null;
}

/** What one tunnel is on this server, or one person of a tunnel of people. */
export interface Wanted {
  /** By which an operator acts on it; of a person, with the person's name behind it. */
  readonly tunnel: string;
  /** The document: what many people share is looked at once. */
  readonly group: string;
  /** Where it stands in the config. */
  readonly path: string;
  readonly config: TunnelConfig;
  readonly conn: IpsecConn;
  readonly key: IpsecKey;
  /** Null: packets are chosen by their addresses. */
  readonly link: TunnelLink | null;
  /** Out of which a person gets an address; empty for a tunnel between two machines. */
  readonly pools: readonly IpsecPool[];
}

export function wantedOf(config: VpnConfig | null): readonly Wanted[] {
  const tunnels = inOrder(config?.tunnels ?? {}).map(([tunnel, one]): Wanted => ({
    tunnel,
    group: tunnel,
    path: `tunnels.${tunnel}`,
    config: one,
    conn: connOf(tunnel, one),
    key: keyOf(tunnel, one),
    link: one.via === "interface" ? linkOf(tunnel) : null,
    pools: [],
  }));
  const people = inOrder(config?.people ?? {}).flatMap(([group, one]) => peopleWanted(group, one));
  return [...tunnels, ...people];
}

function peopleWanted(group: string, people: PeopleConfig): readonly Wanted[] {
  const { certificate } = people;
  const pools = poolsOf(people);
  const persons = inOrder(people.persons).map(([name, person]): Wanted => {
    const tunnel = nameOfPerson(group, name);
    const config = tunnelOfPerson(people, name, person.identity, keyFileOf(people, person));
    const path = `people.${group}.${name}`;
    return { tunnel, group, path, config, ...provenOf(tunnel, people, person, config), link: null, pools };
  });
  return certificate !== undefined && asksForPasswords(people)
    ? [doorOf(group, people, certificate), ...persons]
    : persons;
}

/** With a certificate of the person it is the server's own key that is needed here. */
function keyFileOf({ certificate }: PeopleConfig, person: PersonConfig): string {
  return "keyFile" in person ? person.keyFile : (certificate?.keyFile ?? "");
}

function provenOf(
  tunnel: string,
  people: PeopleConfig,
  person: PersonConfig,
  config: TunnelConfig,
): Pick<Wanted, "conn" | "key"> {
  const { certificate: ours } = people;
  const pools = poolsOf(people);
  if (ours === undefined) return { conn: connOf(tunnel, config, pools), key: keyOf(tunnel, config) };
  if ("keyFile" in person)
    return {
      conn: passwordConn(tunnel, config, pools, ours.own, person.identity),
      key: passwordOf(tunnel, config),
    };
  return {
    conn: certifiedConn(tunnel, config, pools, {
      own: ours.own,
      peer: person.certificate,
      authority: person.authority,
    }),
    key: privateKeyOf(ours.keyId, ours.keyFile),
  };
}

/** Who has this very certificate, whatever in it they call themselves. */
function certifiedConn(
  tunnel: string,
  config: TunnelConfig,
  pools: readonly IpsecPool[],
  certificates: NonNullable<IpsecConn["certificates"]>,
): IpsecConn {
  const { label: _, ...conn } = connOf(tunnel, config, pools);
  return labelled({ ...conn, remoteIdentity: ANYBODY, certificates }, config.keyFile);
}

/** Asks whoever calls for their name. */
function doorOf(group: string, people: PeopleConfig, certificate: NonNullable<PeopleConfig["certificate"]>): Wanted {
  const pools = poolsOf(people);
  const config = tunnelOfPerson(people, group, ANYBODY, certificate.keyFile);
  const conn = passwordConn(group, config, pools, certificate.own, null);
  const key = privateKeyOf(certificate.keyId, certificate.keyFile);
  return { tunnel: group, group, path: `people.${group}`, config, conn, key, link: null, pools };
}

/** Whether by this connection people are asked for a name, and nobody comes in. */
export function isDoor({ password }: IpsecConn): boolean {
  return password?.name === null;
}

function passwordConn(
  tunnel: string,
  config: TunnelConfig,
  pools: readonly IpsecPool[],
  own: string,
  name: string | null,
): IpsecConn {
  const { label: _, ...conn } = connOf(tunnel, config, pools);
  const certificates = { own, peer: null, authority: null };
  return labelled({ ...conn, remoteIdentity: ANYBODY, certificates, password: { name } }, config.keyFile);
}

function inOrder<Value>(record: Readonly<Record<string, Value>>): readonly (readonly [string, Value])[] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Pools that these need, each once. */
export function poolsIn(wanted: readonly { readonly pools?: readonly IpsecPool[] }[]): readonly IpsecPool[] {
  const found = new Map(wanted.flatMap(({ pools = [] }) => pools.map((pool) => [pool.name, pool])));
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** One of each document. */
export function oncePerGroup(wanted: readonly Wanted[]): readonly Wanted[] {
  return wanted.filter(({ group }, index) => wanted.findIndex((one) => one.group === group) === index);
}

export function connOf(tunnel: string, config: TunnelConfig, pools: readonly IpsecPool[] = []): IpsecConn {
  const { local, remote, initiates, ikeProposals, childProposals, ikeSeconds, childSeconds, deadSeconds, deadThen } =
    config;
  const { certificates } = config;
  const conn = {
    name: `${CONN_PREFIX}${tunnel}`,
    localAddress: local.address,
    remoteAddress: remote.address,
    localIdentity: local.identity,
    remoteIdentity: remote.identity,
    localNetworks: local.networks,
    // Of a person it is the address that is given.
    remoteNetworks: pools.length === 0 ? remote.networks : [],
    ikeProposals,
    childProposals,
    ikeSeconds,
    childSeconds,
    deadSeconds,
    deadThen,
    starts: initiates,
    ...(config.via === "interface" ? { linkId: linkOf(tunnel).id } : {}),
    ...(pools.length === 0 ? {} : { pools: pools.map(({ name }) => name) }),
    ...(certificates === undefined
      ? {}
      : {
          certificates: { own: certificates.own, peer: certificates.peer, authority: certificates.authority },
        }),
  };
  return labelled(conn, config.keyFile);
}

function labelled(conn: Omit<IpsecConn, "label">, keyFile: string): IpsecConn {
  return { ...conn, label: `c-${fingerprint(canonicalJson({ ...conn, key: keyFile }))}` };
}

function keyOf(tunnel: string, config: TunnelConfig): IpsecKey {
  // A private key proves what the certificate beside it says.
  if (config.certificates !== undefined) return privateKeyOf(config.certificates.keyId, config.keyFile);
  // Not this end's own as well: charon tries every key of which one owner fits, and all of them would fit whoever calls.
  const owners = [idText(config.remote.identity)];
  // swanctl reads a dot in the name of a section as the way to a part of it.
  return { id: `${KEY_PREFIX}${tunnel}--${config.keyFile.replaceAll(".", "-")}`, file: config.keyFile, owners };
}

function privateKeyOf(keyId: string, file: string): IpsecKey {
  return { id: `${PRIVATE_PREFIX}${keyId}`, file, owners: [] };
}

/** Of a user name, whatever the device calls itself. */
function passwordOf(tunnel: string, { keyFile, remote }: TunnelConfig): IpsecKey {
  const id = `${PASSWORD_PREFIX}${tunnel}--${keyFile.replaceAll(".", "-")}`;
  return { id, file: keyFile, owners: [idText(remote.identity)] };
}

/** The name of a key's file: of an administrator's, or of one that the store of secrets brings. */
export function parseKeyFile(file: string): Result<{ readonly path: string }, string> {
  if (parseSecretFile(file).ok) return ok({ path: `${STORE_FOLDER}/${file}` });
  const name = parseItemName(file);
  return name.ok ? ok({ path: `${KEY_FOLDER}/${name.value}` }) : name;
}

/**
 * Where strongSwan finds a certificate when it starts, beside the file that names it. Not in its own folders of certificates: what lies there is believed
 * for every connection, others' too.
 */
export const CERTIFICATE_FOLDER = "/etc/swanctl/conf.d";

export function certificateFile(certificate: string): string {
  return `${CERTIFICATE_FOLDER}/holdfast-${fingerprint(certificate)}.pem`;
}

export function certificatePem(certificate: string): string {
  const lines = certificate.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** All that these connections name, each once. */
export function certificatesIn(conns: readonly IpsecConn[]): readonly string[] {
  const all = conns.flatMap(({ certificates }) =>
    certificates === undefined ? [] : [certificates.own, certificates.peer, certificates.authority],
  );
  return [...new Set(all)].filter((one) => one !== null).toSorted();
}

/** The tunnel that a connection or a key of ours is of. */
export function tunnelOfConn(name: string): string {
  return name.slice(CONN_PREFIX.length);
}

/** An identity as charon reads it: addresses and mail addresses are what they look like, and anything else is a name by this sign. */
export function idText(identity: string): string {
  return identity === ANYBODY || identity.includes("@") || parseAddress(identity).ok ? identity : `@${identity}`;
}
