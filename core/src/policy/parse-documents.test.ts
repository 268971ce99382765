import fc from "fast-check";
import { expect, test } from "vitest";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import { parseDocuments } from "./parse-documents.ts";
import { splitStream } from "./stream.ts";

const parse = (text: string) => parseDocuments(text, { domains: SAMPLE_DOMAINS });
const SERVER = "apiVersion: holdfast/v1\nkind: Server\nname: web-1\n";

test("a stream cut into slices is the stream", () => {
  const line = fc.constantFrom("---", "--- # x", "----", " ---", "a: 1", "# c", "", "...", "---a", "--- |", "  text");
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom("\n", "\r\n"), fc.boolean(), (lines, eol, closed) => {
      const text = lines.join(eol) + (closed ? eol : "");
      const slices = splitStream(text);
      expect(slices.map((slice) => slice.text).join("")).toBe(text);
      for (const slice of slices) {
        expect(text.slice(slice.offset, slice.offset + slice.text.length)).toBe(slice.text);
        expect(text.slice(0, slice.offset).split("\n").length - 1).toBe(slice.line);
      }
    }),
    { numRuns: 300 },
  );
});

test("whatever is read, nothing is thrown, and every error has a place", () => {
  const piece = fc.constantFrom(
    "a",
    ":",
    " ",
    "\n",
    "-",
    "- ",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "&a",
    "*a",
    "!t",
    '"',
    "'",
    "|",
    ">",
    "?",
    "%",
    "---\n",
    "...\n",
    "\t",
    "no",
    "1:30",
    "~",
    "$x",
    "kind: Server\n",
    "apiVersion: holdfast/v1\n",
    "name: x\n",
    "labels:\n  ",
    "é",
    "\r\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const { findings, documents } = parse(pieces.join(""));
      for (const finding of findings) expect(finding.line).toBeGreaterThan(0);
      expect(findings.length + documents.length).toBeGreaterThan(0);
    }),
    { numRuns: 1500 },
  );
});

test("comments before, between and behind the documents belong to one of them", () => {
  const text = `# head\n---\n${SERVER}# tail of the first\n---\n# lonely\n---\n${SERVER.replace("web-1", "web-2")}---\n# end\n`;
  const { documents, findings } = parse(text);
  expect(findings).toEqual([]);
  expect(documents.map((document) => document.name)).toEqual(["web-1", "web-2"]);
  expect(documents.map((document) => document.text).join("")).toBe(text);
});

test("findings of a later document have the lines of the file", () => {
  const { findings, documents } = parse(`${SERVER}---\n${SERVER}labels: { a: no }\n`);
  expect(documents.length).toBe(1);
  expect(findings).toMatchObject([{ line: 8, column: 14, path: "labels.a" }]);
});

test("a document with an error is not in the list, the one beside it is", () => {
  const { documents, findings } = parse(`${SERVER}---\napiVersion: holdfast/v1\nkind: Server\nname: Not A Name\n`);
  expect(documents.map((document) => document.name)).toEqual(["web-1"]);
  expect(findings).toMatchObject([{ document: "Server/Not A Name", line: 7 }]);
});

test("a text that is too long is refused before it is read", () => {
  expect(parse(`# ${"x".repeat(2_000_001)}`).findings).toMatchObject([{ code: "policy.too_big" }]);
});

test("of very many findings the first are shown and the rest is counted", () => {
  const { findings } = parse(
    `${SERVER}labels:\n${Array.from({ length: 300 }, (_, index) => `  k${index}: no\n`).join("")}`,
  );
  expect(findings.length).toBe(201);
  expect(findings.at(-1)).toMatchObject({ code: "policy.more", message: "There are 100 more findings." });
});

test("a key __proto__ is unknown wherever it stands, also where any name may be", () => {
  const { findings } = parse(`${SERVER}__proto__: { labels: { role: web } }\n`);
  expect(findings).toMatchObject([{ code: "policy.unknown_key", path: "__proto__" }]);
  // A map of names takes any key: this one it would leave out.
  const inside = parse(`${SERVER}labels: { role: web, "__proto__": x }\n`);
  expect(inside.findings).toMatchObject([{ code: "policy.unknown_key", path: "labels.__proto__", line: 4 }]);
});

test("a list of one may be written as the item, and reads the same", () => {
  const one = parse(`${SERVER}addresses: 192.0.2.1\n`).documents[0]?.body;
  const list = parse(`${SERVER}addresses: [192.0.2.1]\n`).documents[0]?.body;
  expect(one).toEqual(list);
});

test("very long values are refused without being tried, and their findings stay short", () => {
  const long = "a".repeat(300_000);
  const digits = `1${"_".repeat(300_000)}`;
  const text = `${SERVER}labels: { role: ${long} }\naddresses: [${long}, "${"1:".repeat(100_000)}"]\n---\n${SERVER}labels: { role: ${digits} }\n`;
  const { findings } = parse(text);
  expect(findings.map((finding) => finding.path)).toEqual([
    "labels.role",
    "addresses[0]",
    "addresses[1]",
    "labels.role",
  ]);
  for (const finding of findings) expect(finding.message.length).toBeLessThan(300);
});
