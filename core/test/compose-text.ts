import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { type ComposedServer, composeServer, type ComposeServerInput } from "../src/compose/compose.ts";
import type { ParsedDocument } from "../src/policy/document.ts";
import { parseDocuments } from "../src/policy/parse-documents.ts";
import { SAMPLE_DOMAINS } from "./sample-domain.ts";

/** Short documents for the tests of composition, and one call that composes them. */

const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));
export const EXAMPLE_TEXT = readdirSync(EXAMPLES)
  .map((file) => readFileSync(EXAMPLES + file, "utf8"))
  .join("---\n");

export function read(text: string): readonly ParsedDocument[] {
  const { documents, findings } = parseDocuments(text, { domains: SAMPLE_DOMAINS });
  expect(findings.filter((finding) => finding.severity === "error")).toEqual([]);
  return documents;
}

export function compose(server: string, text: string, more: Partial<ComposeServerInput> = {}): ComposedServer {
  return composeServer({
    server,
    documents: read(text).map((document) => ({ document, revision: 3 })),
    domains: SAMPLE_DOMAINS,
    controlPlane: [{ address: "203.0.113.9", port: 7081 }],
    ...more,
  });
}

export function codes(composed: ComposedServer): readonly string[] {
  return composed.findings
    .filter((finding) => finding.severity === "error" || finding.severity === "danger")
    .map((finding) => `${finding.code} ${finding.document ?? ""} ${finding.path}:${finding.line ?? ""}`);
}

export const policy = (name: string, layer: string, rest: string): string =>
  `---\napiVersion: holdfast/v1\nkind: Policy\nname: ${name}\nlayer: ${layer}\nselector: { all: true }\n${rest}`;
export const server = (name: string, rest = ""): string =>
  `---\napiVersion: holdfast/v1\nkind: Server\nname: ${name}\n${rest}`;
export const group = (name: string, rest: string): string =>
  `---\napiVersion: holdfast/v1\nkind: Group\nname: ${name}\n${rest}`;
export const floor = (name: string, rest: string): string =>
  `---\napiVersion: holdfast/v1\nkind: Floor\nname: ${name}\nselector: { all: true }\n${rest}`;
export const inbound = (...rules: readonly string[]): string =>
  `firewall:\n  inbound:\n    default: drop\n    rules:\n${rules.map((rule) => `      - ${rule}\n`).join("")}`;
