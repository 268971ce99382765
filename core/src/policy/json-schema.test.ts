import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import type { Json } from "../base/canonical-json.ts";
import { documentJsonSchema } from "./json-schema.ts";
import { withSharedParts } from "./shared-schema.ts";
import { splitStream } from "./stream.ts";
import { readYaml } from "./yaml-source.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const schema = documentJsonSchema(SAMPLE_DOMAINS);
const documents = readdirSync(EXAMPLES).flatMap((file) =>
  splitStream(readFileSync(EXAMPLES + file, "utf8")).map((slice) => ({ file, data: readYaml(slice.text).data })),
);

/** A validator made from the published text alone: what an editor would say. */
const validator = z.fromJSONSchema(schema);

const shared = withSharedParts(schema);
const sharedValidator = z.fromJSONSchema(shared);

test.each(documents)("a schema with shared parts takes what the whole one takes: $file", ({ data }) => {
  expect(sharedValidator.safeParse(data).error?.issues ?? []).toEqual([]);
  const broken = { ...(data as Readonly<Record<string, Json>>), expect: [{ from: 7 }], selector: [], labels: 3 };
  expect(sharedValidator.safeParse(broken).success).toBe(validator.safeParse(broken).success);
});

test("shared parts are written once, and every reference leads to one", () => {
  const text = JSON.stringify(shared);
  expect(text.length).toBeLessThan(JSON.stringify(schema).length);
  const referred = [...text.matchAll(/"#\/\$defs\/(part-\d+)"/g)].map((match) => match[1] ?? "");
  expect(new Set(referred)).toEqual(new Set(Object.keys(shared["$defs"] as object)));
});

test.each(documents)("the published schema takes a document of $file", ({ data }) => {
  expect(validator.safeParse(data).error?.issues ?? []).toEqual([]);
});

test.each<[string, Json]>([
  ["an unknown key", { apiVersion: "holdfast/v1", kind: "Server", name: "a", label: {} }],
  ["an unknown kind", { apiVersion: "holdfast/v1", kind: "Tunnel", name: "a" }],
  ["a missing layer", { apiVersion: "holdfast/v1", kind: "Policy", name: "a", selector: { role: "web" } }],
  [
    "a domain that is not there",
    { apiVersion: "holdfast/v1", kind: "Policy", name: "a", layer: "role", selector: { role: "web" }, vpn: {} },
  ],
])("the published schema refuses %s", (_, data) => {
  expect(validator.safeParse(data).success).toBe(false);
});

test("every kind and every key of a document has its description", () => {
  const kinds = schema["oneOf"] as readonly {
    readonly title: string;
    readonly properties: Readonly<Record<string, { readonly description?: string }>>;
  }[];
  expect(kinds.map((kind) => kind.title)).toEqual(["Policy", "Server", "Group", "Floor"]);
  for (const kind of kinds) {
    for (const [key, value] of Object.entries(kind.properties)) {
      // The first two are fixed texts; trial and waves describe their own keys; a section is described by its domain.
      if (["apiVersion", "kind", "trial", "waves", "firewall"].includes(key)) continue;
      expect(value.description, `${kind.title}.${key}`).toBeTypeOf("string");
    }
  }
});
