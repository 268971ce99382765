import { API_VERSION } from "@holdfast/core/policy/document.ts";
import { type TrustedCertificate, tunnelBody, tunnelSchema } from "@holdfast/core/policy/tunnel-document.ts";
import { personSheetOf, type TunnelSheet, tunnelSheetOf } from "@holdfast/core/policy/tunnel-sheet.ts";
import type { TunnelSuite } from "@holdfast/core/policy/tunnel-suite.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";

/** One end as it is typed. */
export interface WizardEnd {
  readonly name: string;
  /** Null: the end is somebody else's. */
  readonly server: string | null;
  /** A literal address, or `dynamic`. */
  readonly address: string;
  readonly identity: string;
  /** With certificates, of an end that is somebody else's: whose certificate was sent, and the certificate as text. */
  readonly sent: { readonly of: TrustedCertificate["of"]; readonly pem: string };
  /** In words, apart by commas or spaces. */
  readonly networks: string;
}

export interface TunnelWish {
  readonly name: string;
  readonly ends: readonly [WizardEnd, WizardEnd];
  /** How the ends prove who they are. */
  readonly by: "key" | "certificate";
  /** Name of the key's file on the managed servers. Empty: Holdfast makes the key, which it can where both ends are its own. */
  readonly keyFile: string;
  readonly suite: TunnelSuite;
  readonly clearText: "block" | "allow";
  /** Services that may pass in both directions; empty: none, until a rule opens them. */
  readonly services: string;
}

/** A Tunnel document, written once for both ends: nothing in it can be mirrored wrongly. Whether it is right, its findings say. */
export function tunnelText(wish: TunnelWish): string {
  const [one, other] = wish.ends;
  const both = flowList(`end:${one.name}, end:${other.name}`);
  const services = words(wish.services);
  const rules =
    services.length === 0
      ? "  rules: []\n"
      : `  rules:\n    - { name: both-ways, allow: ${flowList(wish.services)}, from: ${both}, to: ${both} }\n`;
  return `apiVersion: ${API_VERSION}
kind: Tunnel
name: ${scalar(wish.name)}

ends:
${endText(one, wish.by)}${endText(other, wish.by)}
via: policy
clearText: ${wish.clearText}${wish.clearText === "block" ? "                   # traffic between these networks never leaves unencrypted" : ""}
auth:
  ${proofText(wish)}
suite: ${wish.suite}
lifetime: { ike: 12h, child: 1h }
dead: { after: 30s, then: restart }

traffic:                             # what may pass; rendered into the firewalls of our ends
  default: drop
${rules}`;
}

function proofText({ by, keyFile }: TunnelWish): string {
  if (by === "certificate")
    return "certificate: generated             # issued for each end of ours, good for a year; `holdfast secret rotate` issues the next";
  if (keyFile === "")
    return "psk: generated                     # made for this tunnel and seen by nobody; `holdfast secret rotate` makes another";
  return `psk: ${scalar(`file:${keyFile}`)}       # below /etc/holdfast/secrets/vpn on each server of ours; a new key gets a new name`;
}

/** What an end's certificate is called in the document. */
const SENT_KEY = { end: "certificate", authority: "authority" } as const satisfies Record<
  TrustedCertificate["of"],
  string
>;

function endText({ name, server, address, identity, sent, networks }: WizardEnd, by: TunnelWish["by"]): string {
  const trusted = by === "certificate" ? pemText(SENT_KEY[sent.of], sent.pem) : "";
  const who =
    server === null
      ? `    external: true\n    identity: ${scalar(identity)}\n${trusted}`
      : `    server: ${scalar(server)}\n`;
  return `  ${scalar(name)}:\n${who}    address: ${scalar(address)}\n    networks: ${flowList(networks)}\n`;
}

/** Somebody took the wrong file. It must not leave this page, not even to be looked at. */
export function isPrivate(pem: string): boolean {
  return /PRIVATE KEY/i.test(pem);
}

/** Line by line below its key: indented, nothing that was pasted is YAML. */
function pemText(key: string, pem: string): string {
  if (isPrivate(pem)) return "";
  const lines = pemLines(pem, "      ");
  return lines === "" ? "" : `    ${key}: |\n${lines}`;
}

export function pemLines(pem: string, indent: string): string {
  return pem
    .split(/[\r\n]+/)
    .flatMap((line) => (line.trim() === "" ? [] : [`${indent}${line.trim()}\n`]))
    .join("");
}

export function words(text: string): readonly string[] {
  return text.split(/[,\s]+/).filter((word) => word !== "");
}

export function flowList(text: string): string {
  return `[${words(text).map(scalar).join(", ")}]`;
}

/** Quoted unless it can be nothing but a word: what people type is never YAML. */
export function scalar(text: string): string {
  const typed = text.trim();
  return /^[a-z][a-z0-9]*([-./][a-z0-9]+)*$/.test(typed) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(typed)
    ? typed
    : JSON.stringify(typed);
}

export interface HandedSheet extends TunnelSheet {
  readonly to: "administrator" | "person";
}

/** The sheets that this tunnel is handed over with: to the administrator of an end that is not ours, or to each person. None where the text is not right yet. */
export function sheetsOf(text: string): readonly HandedSheet[] {
  const parsed = tunnelSchema.safeParse(readYaml(text).data);
  if (!parsed.success) return [];
  const body = tunnelBody(parsed.data);
  const people = body.ends.find((end) => end.kind === "people");
  const to = people === undefined ? "administrator" : "person";
  const sheets = people?.people.map(({ name }) => personSheetOf(parsed.data.name, body, name)) ?? [
    body.ends.some((end) => end.kind === "external") ? tunnelSheetOf(body) : null,
  ];
  return sheets.flatMap((sheet) => (sheet === null ? [] : [{ ...sheet, to }]));
}
