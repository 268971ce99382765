import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import type { TunnelDocument } from "../policy/document.ts";
import { parseDocuments } from "../policy/parse-documents.ts";
import { formatKeyReference, parsePskReference } from "../policy/tunnel-text.ts";
import type { SecretVersion } from "../secret/secret-file.ts";
import { boundTo, secretsOf, tunnelKeys } from "./tunnel-key.ts";

const [EXAMPLE = ""] = readFileSync(
  fileURLToPath(new URL("../../../domains/src/vpn/examples/seoul-busan.yaml", import.meta.url)),
  "utf8",
).split("---\n");
const DOMAINS = [...SAMPLE_DOMAINS, { domain: "vpn", schema: z.unknown(), comesFrom: "tunnel" }] as const;
const PRINT = "0123456789abcdef";

function read(psk: string, text = EXAMPLE) {
  return parseDocuments(text.replace(/psk: .*/, `psk: ${psk}`), { domains: DOMAINS });
}

function tunnel(psk: string): TunnelDocument {
  const [document] = read(psk).documents;
  if (document?.kind !== "Tunnel") throw new Error("the example is a Tunnel");
  return document;
}

const made = (name: string, version: number, ends = "gw-busan gw-seoul"): SecretVersion => ({
  name,
  version,
  fingerprint: PRINT,
  boundTo: ends,
});

test.each(["generated", "generated@2", "secret:acme-vpn", "secret:acme-vpn@12", "file:seoul-busan-1"])("%s", (text) => {
  const psk = parsePskReference(text);
  expect(psk.ok && formatKeyReference(psk.value)).toBe(text);
});

test("a key that somebody wrote into the document is refused and never repeated", () => {
  for (const key of ["hunter2hunter2hunter2", "generated@", "generated:x", "secret:acme@01", "secret:acme@x"]) {
    const refused = parsePskReference(key);
    expect(refused.ok).toBe(false);
    expect(JSON.stringify(refused)).not.toContain(key);
  }
});

test("each reference becomes the file of that very version", () => {
  const store = [made("tunnel.seoul-busan", 1), made("tunnel.seoul-busan", 2), made("acme-vpn", 3, "")];
  const keyOf = (psk: string) => {
    const [{ person, certificates, ...key } = { person: "none", certificates: null }, ...more] = tunnelKeys(
      tunnel(psk),
      "gw-seoul",
      store,
    );
    expect([person, certificates, more]).toEqual([null, null, []]);
    return key;
  };
  expect(keyOf("generated")).toEqual({ keyFile: `tunnel.seoul-busan.1.${PRINT}`, findings: [] });
  expect(keyOf("generated@2")).toEqual({ keyFile: `tunnel.seoul-busan.2.${PRINT}`, findings: [] });
  expect(keyOf("secret:acme-vpn@3")).toEqual({ keyFile: `acme-vpn.3.${PRINT}`, findings: [] });
  expect(keyOf("file:seoul-busan-1")).toEqual({ keyFile: "seoul-busan-1", findings: [] });
  expect(secretsOf(tunnel("file:seoul-busan-1"))).toEqual([]);
  expect(boundTo(tunnel("generated"), null)).toBe("gw-busan gw-seoul");
});

test("what is not in the store, and what another server would share, is an error where it stands; a newer version is a note", () => {
  const codes = (psk: string, store: readonly SecretVersion[]): readonly string[] =>
    tunnelKeys(tunnel(psk), "gw-seoul", store)
      .flatMap(({ findings }) => findings)
      .map((one) => `${one.severity} ${one.code} ${one.path}`);
  expect(codes("generated", [])).toEqual(["error compose.unknown_secret auth.psk"]);
  expect(codes("secret:acme-vpn@2", [made("acme-vpn", 1, "")])).toEqual(["error compose.unknown_secret auth.psk"]);
  expect(codes("generated", [made("tunnel.seoul-busan", 1, "gw-busan gw-old")])).toEqual([
    "error compose.key_of_other_ends auth.psk",
  ]);
  expect(codes("secret:acme-vpn", [made("acme-vpn", 1, ""), made("acme-vpn", 2, "")])).toEqual([
    "note compose.secret_outdated auth.psk",
  ]);
});

const CERT = (of: string) => `MI${of.repeat(90).slice(0, 82)}`;

const issued = (end: string, version: number, server: string): SecretVersion => ({
  ...made(`tunnel.seoul-busan--${end}`, version, server),
  certificate: { own: CERT(end), authority: CERT("a"), keyId: "a".repeat(40) },
});

function byCertificate(text = EXAMPLE): TunnelDocument {
  const [document] = read("generated", text.replace(/psk: .*/, "certificate: generated@2")).documents;
  if (document?.kind !== "Tunnel") throw new Error("the example is a Tunnel");
  return document;
}

test("by certificate each server gets its own private key alone, and accepts the other end's very certificate", () => {
  const store = [issued("seoul", 2, "gw-seoul"), issued("busan", 2, "gw-busan"), issued("busan", 1, "gw-busan")];
  const [key, ...more] = tunnelKeys(byCertificate(), "gw-seoul", store);
  expect(more).toEqual([]);
  expect(key).toEqual({
    person: null,
    keyFile: `tunnel.seoul-busan--seoul.2.${PRINT}`,
    certificates: { own: CERT("seoul"), keyId: "a".repeat(40), peer: CERT("busan"), authority: CERT("a") },
    findings: [],
  });
  expect(secretsOf(byCertificate()).map(({ name }) => name)).toEqual([
    "tunnel.seoul-busan--busan",
    "tunnel.seoul-busan--seoul",
  ]);
});

test("a certificate of another server, and one of the other end that is not there, are errors where they stand", () => {
  const codes = (store: readonly SecretVersion[]): readonly string[] =>
    tunnelKeys(byCertificate(), "gw-seoul", store)
      .flatMap(({ findings }) => findings)
      .map((one) => `${one.code} ${one.path}`);
  expect(codes([issued("seoul", 2, "gw-seoul")])).toEqual(["compose.unknown_secret auth.certificate"]);
  expect(codes([issued("seoul", 2, "gw-old"), issued("busan", 2, "gw-busan")])).toEqual([
    "compose.key_of_other_ends auth.certificate",
  ]);
});

test("an external end says whose word is taken for it, and an end that has a key says nothing of certificates", () => {
  const pem = `-----BEGIN CERTIFICATE-----\n${CERT("x")}\n-----END CERTIFICATE-----`;
  const external = (more: string) =>
    EXAMPLE.replace(/psk: .*/, "certificate: generated@2").replace(
      "server: gw-busan",
      `external: true\n    identity: vpn.acme.example\n${more}`,
    );
  const quoted = JSON.stringify(`${pem}\n`);
  const [key] = tunnelKeys(byCertificate(external(`    authority: ${quoted}`)), "gw-seoul", [
    issued("seoul", 2, "gw-seoul"),
  ]);
  expect(key?.certificates).toMatchObject({ peer: null, authority: CERT("x") });
  const messages = (text: string) => read("generated", text).findings.map(({ message }) => message);
  expect(messages(external(""))).toEqual([expect.stringContaining("needs authority:")]);
  expect(messages(external(`    authority: ${quoted}\n    certificate: ${quoted}`))).toEqual([
    expect.stringContaining("one of them"),
  ]);
  expect(messages(external("    authority: MIIB"))).toEqual([expect.stringContaining("not one certificate in PEM")]);
  expect(messages(EXAMPLE.replace("server: gw-busan", `server: gw-busan\n    authority: ${quoted}`))).toEqual([
    expect.stringContaining("take this out"),
    expect.stringContaining("pre-shared key"),
  ]);
});

test("an external end could never be told a generated key", () => {
  const external = EXAMPLE.replace("server: gw-busan", "external: true\n    identity: vpn.acme.example");
  expect(read("generated", external).findings.map(({ message }) => message)).toEqual([
    expect.stringContaining("shown to nobody"),
  ]);
  expect(read("secret:acme-vpn", external).findings).toEqual([]);
});
