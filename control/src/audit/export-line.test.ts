import fc from "fast-check";
import { expect, test } from "vitest";
import { CSV_HEADER, csvLine, jsonLine } from "./export-line.ts";

const entry = {
  id: 1,
  at: "2026-01-01T00:00:00.000Z",
  actor: "kim",
  source: "192.0.2.1 session",
  action: "x",
  object: "y",
  server: null,
  requestId: null,
  old: null,
  new: { a: 1 },
  resultCode: "ok",
  hash: "0",
};

/** What a reader of RFC 4180 makes of one line. */
function cells(line: string): string[] {
  const found = [...line.replace(/\r\n$/, "").matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,"]*))/g)];
  return found.map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? "");
}

test("whatever stands in a field, a line has as many cells as columns, and gives the text back", () => {
  const columns = CSV_HEADER.trim().split(",").length;
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const read = cells(csvLine({ ...entry, actor: text }));
      expect(read.length).toBe(columns);
      expect(read[2]?.replace(/^'(?=[=+\-@\t\r])/, "")).toBe(text);
      expect(JSON.parse(jsonLine({ ...entry, actor: text }))).toMatchObject({ actor: text });
      expect(
        jsonLine({ ...entry, actor: text })
          .trimEnd()
          .includes("\n"),
      ).toBe(false);
    }),
  );
});

test.each(["=1+1", "+1", "-1", "@x", "\t=1"])("%j is no formula", (text) => {
  expect(cells(csvLine({ ...entry, object: text }))[5]).toBe(`'${text}`);
});
