import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withPicture } from "../src/state-picture.ts";

test("the picture of the states in ARCHITECTURE.md is the table", () => {
  const document = readFileSync(new URL("../../ARCHITECTURE.md", import.meta.url), "utf8");
  expect(withPicture(document), "run: npm run picture").toBe(document);
});

test("a document without a picture is refused, not left alone", () => {
  expect(() => withPicture("# nothing here")).toThrow("no stateDiagram-v2 block");
});
