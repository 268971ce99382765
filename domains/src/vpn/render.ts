import type { IpsecConn, IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";
import type { DiffPart } from "@holdfast/core/plan/unified-diff.ts";
import {
  certificateFile,
  idText,
  parseKeyFile,
  PASSWORD_PREFIX,
  poolsIn,
  privateKeyId,
  wantedOf,
  type Wanted,
} from "./conn.ts";
import { blocksOf, intoOf, linksOf } from "./diff.ts";
import type { Into } from "./facts.ts";
import type { TunnelLink } from "./link.ts";
import type { VpnConfig } from "./model.ts";
import { ANYBODY } from "./people.ts";
import type { Loaded } from "./record.ts";

/** The tunnels as swanctl would be told them, with where each key is and what may not leave unencrypted. Never a key. */
export function renderVpn(config: VpnConfig): string {
  const wanted = wantedOf(config);
  if (wanted.length === 0) return "";
  const parts = [bootText(wanted), ...wanted.map((one) => `${keyLine(one)}\n`)];
  const blocks = blocksOf(wanted).map((network) => `${blockLine(network)}\n`);
  const links = linkLines(linksOf(wanted), intoOf(wanted)).map((line) => `${line}\n`);
  return [...parts, ...links, ...blocks].join("");
}

export function keyLine({ key }: Pick<Wanted, "key">): string {
  const file = parseKeyFile(key.file);
  if (privateKeyId(key.id) !== null)
    return `# private key ${privateKeyId(key.id)}: ${file.ok ? file.value.path : key.file}`;
  const what = key.id.startsWith(PASSWORD_PREFIX) ? "password" : "key";
  return `# ${what} of ${key.owners.join(" and ")}: ${file.ok ? file.value.path : key.file}`;
}

export function blockLine(network: string): string {
  return `# blackhole ${network}: nothing leaves unencrypted`;
}

/** Interfaces of tunnels, and what is routed into each. */
export function linkLines(links: readonly TunnelLink[], into: readonly Into[]): readonly string[] {
  return links.flatMap(({ name, id }) => [
    `# interface ${name}: type xfrm, if_id ${id}`,
    ...into.filter(({ link }) => link === name).map(({ network }) => `# route ${network} dev ${name}`),
  ]);
}

const HEAD = "# Written by Holdfast when a change is confirmed. Changes by hand are found as drift and written over.";

/** What strongSwan loads when it starts. There this end begins by itself; on trial it is told to. */
export function bootText(wanted: readonly Pick<Wanted, "conn" | "pools">[]): string {
  const pools = poolsIn(wanted);
  return [
    HEAD,
    "connections {",
    ...wanted.flatMap(({ conn }) => connLines(conn)),
    "}",
    ...(pools.length === 0 ? [] : ["pools {", ...pools.flatMap(poolLines), "}"]),
    "",
  ].join("\n");
}

/** The same; null where there is nothing to load. */
export function bootTextOrNone(wanted: readonly Pick<Wanted, "conn" | "pools">[]): string | null {
  return wanted.length === 0 ? null : bootText(wanted);
}

export function poolLines({ name, network, dns }: IpsecPool): readonly string[] {
  return [`  ${name} {`, `    addrs = ${network}`, ...(dns.length === 0 ? [] : [`    dns = ${dns.join(",")}`]), "  }"];
}

export function connLines(conn: IpsecConn): readonly string[] {
  const { certificates, password } = conn;
  const auth = authOf(conn);
  return [
    `  ${conn.name} {`,
    "    version = 2",
    ...(conn.localAddress === null ? [] : [`    local_addrs = ${conn.localAddress}`]),
    `    remote_addrs = ${conn.remoteAddress ?? "%any"}`,
    `    proposals = ${conn.ikeProposals.join(",")}`,
    `    rekey_time = ${conn.ikeSeconds}s`,
    `    dpd_delay = ${conn.deadSeconds}s`,
    "    keyingtries = 0",
    "    unique = replace",
    ...(conn.pools === undefined ? [] : [`    pools = ${conn.pools.join(",")}`]),
    ...(isShownFirst(conn) ? [`    send_cert = ${SENT_ALWAYS}`] : []),
    "    local {",
    `      auth = ${auth.local}`,
    ...(certificates === undefined ? [] : [`      certs = ${certificateFile(certificates.own)}`]),
    `      id = "${idText(conn.localIdentity)}"`,
    "    }",
    "    remote {",
    `      auth = ${auth.remote}`,
    ...fileLine("certs", certificates?.peer),
    ...fileLine("cacerts", certificates?.authority),
    `      id = "${idText(conn.remoteIdentity)}"`,
    ...(password === undefined ? [] : [`      eap_id = "${eapText(password.name)}"`]),
    ...(password?.name === null ? [`      groups = ${NOBODY}`] : []),
    "    }",
    "    children {",
    `      ${conn.label} {`,
    `        local_ts = ${conn.localNetworks.join(",")}`,
    // Left out for a person: then it is the address that is given.
    ...(conn.pools === undefined ? [`        remote_ts = ${conn.remoteNetworks.join(",")}`] : []),
    `        esp_proposals = ${conn.childProposals.join(",")}`,
    `        rekey_time = ${conn.childSeconds}s`,
    `        dpd_action = ${deadAction(conn)}`,
    `        close_action = ${deadAction(conn) === "restart" ? "start" : "none"}`,
    `        start_action = ${conn.starts ? "start" : "none"}`,
    ...(conn.linkId === undefined ? [] : [`        if_id_in = ${conn.linkId}`, `        if_id_out = ${conn.linkId}`]),
    "      }",
    "    }",
    "  }",
  ];
}

type Auth = "psk" | "pubkey" | "eap-mschapv2";

export function authOf({ certificates, password }: IpsecConn): { readonly local: Auth; readonly remote: Auth } {
  const local = certificates === undefined ? "psk" : "pubkey";
  return { local, remote: password === undefined ? local : "eap-mschapv2" };
}

/** Whether a device of somebody is to be shown the certificate of this server. */
export function isShownFirst({ certificates, pools }: IpsecConn): boolean {
  return certificates !== undefined && pools !== undefined;
}

/** Some devices never say whose certificates they know, and wait for one all the same. */
export const SENT_ALWAYS = "always";
/** A group that nobody is in: who was let in is looked for among the other connections. */
export const NOBODY = "holdfast-nobody";

/** The user name of a connection of one person; anybody's, where they are asked for it. */
export function eapText(name: string | null): string {
  return idText(name ?? ANYBODY);
}

function fileLine(key: string, certificate: string | null | undefined): readonly string[] {
  return certificate === null || certificate === undefined ? [] : [`      ${key} = ${certificateFile(certificate)}`];
}

/** Only the end that begins connects again; the other waits for it. */
export function deadAction(conn: IpsecConn): "restart" | "clear" {
  return conn.starts ? conn.deadThen : "clear";
}

/** Two states, tunnel by tunnel. */
export function diffParts(before: readonly Loaded[], after: readonly Loaded[], blocks: DiffPart): readonly DiffPart[] {
  const pools: DiffPart = [poolsIn(before).flatMap(poolLines), poolsIn(after).flatMap(poolLines)];
  const names = [...new Set([...before, ...after].map(({ conn }) => conn.name))].toSorted();
  const linesIn = (loaded: readonly Loaded[], name: string): readonly string[] =>
    loaded.filter(({ conn }) => conn.name === name).flatMap((one) => [keyLine(one), ...connLines(one.conn)]);
  return [...names.map((name): DiffPart => [linesIn(before, name), linesIn(after, name)]), pools, blocks];
}
