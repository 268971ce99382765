import { expect, test } from "vitest";
import { mentionsOf } from "./mentions.ts";
import { parseDocuments } from "./parse-documents.ts";

const TEXT = `apiVersion: holdfast/v1
kind: Group
name: databases
description: 10.1.0.5 was the first of them.
addresses:
  - 10.1.0.5
  - 10.1.0.5/32
  - 10.1.0.50
  - 10.1.0.0/24
  - 2001:DB8:0::5
  - server:db-1
`;

test("an address is found however it is written, and in what decides something alone", () => {
  const [document] = parseDocuments(TEXT, { domains: [] }).documents;
  if (document === undefined) throw new Error("the group was not read");
  expect(mentionsOf(document, new Set(["10.1.0.5", "2001:db8::5", "db-1"]))).toEqual([
    { word: "10.1.0.5", path: "addresses[0]", line: 6 },
    { word: "10.1.0.5", path: "addresses[1]", line: 7 },
    { word: "2001:db8::5", path: "addresses[4]", line: 10 },
  ]);
});
