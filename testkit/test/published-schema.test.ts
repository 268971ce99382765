import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { documentJsonSchema } from "@holdfast/core/policy/json-schema.ts";
import { withSharedParts } from "@holdfast/core/policy/shared-schema.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { expect, test } from "vitest";

/** Editors and pipelines point at this file; a change of the language is a change of it that somebody reviews. */
const PUBLISHED = new URL("../../docs/schema/holdfast-v1.json", import.meta.url);

test("the JSON Schema that is published is the language's own", () => {
  const text = `${JSON.stringify(withSharedParts(documentJsonSchema(DOMAIN_LANGUAGES)), null, 2)}\n`;
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(new URL(".", PUBLISHED), { recursive: true });
    writeFileSync(PUBLISHED, text);
  }
  expect(text, "run with UPDATE_GOLDEN=1 and read the difference").toBe(readFileSync(PUBLISHED, "utf8"));
});
