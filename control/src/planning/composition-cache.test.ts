import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { expect, test } from "vitest";
import { type ComposedConfig, CompositionCache, compositionKey } from "./composition-cache.ts";
import { DocumentCache } from "./document-cache.ts";

const TEXT = `apiVersion: holdfast/v1
kind: Group
name: office
addresses: [192.0.2.0/24]
`;

const one = (length: number): ComposedConfig =>
  ({ composed: {}, config: { text: "x".repeat(length), digest: "" } }) as unknown as ComposedConfig;

test("the same text is read once, for each file that it is said to stand in", () => {
  const documents = new DocumentCache(DOMAIN_LANGUAGES);
  const read = documents.parse(TEXT);
  expect(read.documents).toHaveLength(1);
  expect(documents.parse(TEXT)).toBe(read);
  expect(documents.parse(TEXT, "a.yaml")).not.toBe(read);
  expect(documents.parse(`${TEXT}# other\n`)).not.toBe(read);
});

test("texts that were not asked for in a long while are forgotten", () => {
  const documents = new DocumentCache(DOMAIN_LANGUAGES);
  const first = documents.parse(TEXT);
  for (let at = 0; at < 20; at++) documents.parse(`# ${"x".repeat(1_000_000)}${at}\n${TEXT}`);
  expect(documents.parse(TEXT)).not.toBe(first);
});

test("a composition has another key for every other thing that goes into it", () => {
  const [document] = new DocumentCache(DOMAIN_LANGUAGES).parse(TEXT).documents;
  const [again] = new DocumentCache(DOMAIN_LANGUAGES).parse(TEXT).documents;
  if (document === undefined || again === undefined) throw new Error("the document of this test cannot be read");
  const input = { server: "web-1", documents: [{ document, revision: 1 }], controlPlane: [] };
  const key = compositionKey(input, "{}");
  expect(compositionKey({ ...input, documents: [{ document, revision: 1 }] }, "{}")).toBe(key);
  const others = [
    compositionKey({ ...input, server: "web-2" }, "{}"),
    compositionKey({ ...input, documents: [{ document, revision: 2 }] }, "{}"),
    compositionKey({ ...input, documents: [{ document: again, revision: 1 }] }, "{}"),
    compositionKey({ ...input, documents: [] }, "{}"),
    compositionKey({ ...input, controlPlane: [{ address: "192.0.2.1", port: 7081 }] }, "{}"),
    compositionKey(input, '{"web-1":[]}'),
  ];
  expect(new Set([key, ...others]).size).toBe(others.length + 1);
});

test("the least recently used composition is forgotten first", () => {
  const cache = new CompositionCache();
  const [a, b] = [one(6_000_000), one(6_000_000)];
  cache.put("a", a);
  cache.put("b", b);
  expect(cache.get("a")).toBe(a);
  cache.put("c", one(6_000_000));
  expect(cache.get("b")).toBeUndefined();
  expect(cache.get("a")).toBe(a);
  expect(cache.get("c")).toBeDefined();
});
