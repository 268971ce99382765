import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import type { Finding } from "../base/finding.ts";
import { parseDocuments } from "./parse-documents.ts";

const CORPUS = fileURLToPath(new URL("../../test/bad-documents.txt", import.meta.url));
const GOLDEN = fileURLToPath(new URL("../../test/bad-documents.golden.txt", import.meta.url));

const cases = readFileSync(CORPUS, "utf8")
  .split(/^=== /m)
  .slice(1)
  .map((part) => ({ title: part.slice(0, part.indexOf("\n")), text: part.slice(part.indexOf("\n") + 1) }));

function printed(finding: Finding): string {
  const place = finding.line === undefined ? "-" : `${finding.line}:${finding.column ?? 0}`;
  return `${place} ${finding.severity} ${finding.code} ${finding.path}\n    ${finding.message}\n    ${finding.remedy}\n`;
}

test("every bad document gets the findings of the golden file (UPDATE_GOLDEN=1 rewrites it)", () => {
  const text = cases
    .map(
      ({ title, text }) =>
        `=== ${title}\n${parseDocuments(text, { domains: SAMPLE_DOMAINS }).findings.map(printed).join("")}`,
    )
    .join("");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, "utf8"));
});

test.each(cases)("$title: every finding has a place, a sentence and a remedy", ({ text }) => {
  const { findings } = parseDocuments(text, { domains: SAMPLE_DOMAINS });
  expect(findings.filter((finding) => finding.severity === "error").length).toBeGreaterThan(0);
  for (const finding of findings) {
    expect(finding.line, finding.code).toBeGreaterThan(0);
    expect(finding.column, finding.code).toBeGreaterThan(0);
    expect(finding.message, finding.code).toMatch(/[.?!]$/);
    expect(finding.remedy.length, finding.code).toBeGreaterThan(5);
  }
});
