import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import type { TunnelDocument } from "../policy/document.ts";
import { parseDocuments } from "../policy/parse-documents.ts";
import { formatPskReference, parsePskReference } from "../policy/tunnel-text.ts";
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
  expect(psk.ok && formatPskReference(psk.value)).toBe(text);
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
    const [{ person, ...key } = { person: "none" }, ...more] = tunnelKeys(tunnel(psk), store);
    expect([person, more]).toEqual([null, []]);
    return key;
  };
  expect(keyOf("generated")).toEqual({ keyFile: `tunnel.seoul-busan.1.${PRINT}`, findings: [] });
  expect(keyOf("generated@2")).toEqual({ keyFile: `tunnel.seoul-busan.2.${PRINT}`, findings: [] });
  expect(keyOf("secret:acme-vpn@3")).toEqual({ keyFile: `acme-vpn.3.${PRINT}`, findings: [] });
  expect(keyOf("file:seoul-busan-1")).toEqual({ keyFile: "seoul-busan-1", findings: [] });
  expect(secretsOf(tunnel("file:seoul-busan-1"))).toEqual([]);
  expect(boundTo(tunnel("generated"))).toBe("gw-busan gw-seoul");
});

test("what is not in the store, and what another server would share, is an error where it stands; a newer version is a note", () => {
  const codes = (psk: string, store: readonly SecretVersion[]): readonly string[] =>
    tunnelKeys(tunnel(psk), store)
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

test("an external end could never be told a generated key", () => {
  const external = EXAMPLE.replace("server: gw-busan", "external: true\n    identity: vpn.acme.example");
  expect(read("generated", external).findings.map(({ message }) => message)).toEqual([
    expect.stringContaining("shown to nobody"),
  ]);
  expect(read("secret:acme-vpn", external).findings).toEqual([]);
});
