import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import { parseDocuments } from "./parse-documents.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const GUIDE = fileURLToPath(new URL("../../../docs/policy-language.md", import.meta.url));

const files = readdirSync(EXAMPLES).filter((file) => file.endsWith(".yaml"));

test.each(files)("%s has no finding, and its documents are its text byte for byte", (file) => {
  const text = readFileSync(EXAMPLES + file, "utf8");
  const { documents, findings } = parseDocuments(text, { file, domains: SAMPLE_DOMAINS });
  expect(findings).toEqual([]);
  expect(documents.map((document) => document.text).join("")).toBe(text);
  for (const document of documents) {
    // A document alone reads as it did in its stream.
    const [alone] = parseDocuments(document.text, { domains: SAMPLE_DOMAINS }).documents;
    expect(alone?.data).toEqual(document.data);
  }
});

const blocks = [...readFileSync(GUIDE, "utf8").matchAll(/^```yaml( refused)?\n([\s\S]*?)^```$/gm)].map(
  ([, refused, text], index) => ({ index, refused: refused !== undefined, text: text ?? "" }),
);

test("the guide has examples of both kinds", () => {
  expect(blocks.filter((block) => block.refused).length).toBeGreaterThan(0);
  expect(blocks.filter((block) => !block.refused).length).toBeGreaterThan(3);
});

test.each(blocks)("example $index of the guide reads as the guide says", ({ refused, text }) => {
  const { findings } = parseDocuments(text, { domains: SAMPLE_DOMAINS });
  expect(findings.filter((finding) => finding.severity === "error").length > 0, JSON.stringify(findings, null, 1)).toBe(
    refused,
  );
});
