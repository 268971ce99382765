import { expect, test } from "vitest";
import { en } from "./en.ts";
import { ko } from "./ko.ts";

const keys = Object.keys(en) as (keyof typeof en)[];
const holes = (text: string): readonly string[] =>
  [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? "").toSorted();

test("both languages have the same keys in the same order", () => {
  expect(Object.keys(ko)).toEqual(keys);
});

test("both languages fill in the same values", () => {
  const singular = keys.filter((key) => !key.endsWith("_one"));
  const different = singular.filter(
    (key) => JSON.stringify([...new Set(holes(en[key]))]) !== JSON.stringify([...new Set(holes(ko[key]))]),
  );
  expect(different).toEqual([]);
});

test("what counts has a text for one and one for many", () => {
  const stems = keys.flatMap((key) => (key.endsWith("_one") ? [key.slice(0, -"_one".length)] : []));
  expect(stems.filter((stem) => !Object.hasOwn(en, `${stem}_other`))).toEqual([]);
});

test("no text is empty, and Korean is Korean", () => {
  expect(keys.filter((key) => en[key].trim() === "" || ko[key].trim() === "")).toEqual([]);
  // Names, units and places that are the same everywhere.
  const same = new Set<string>(["apply.titleOf", "config.place", "revision", "tools.family.4", "tools.family.6"]);
  expect(keys.filter((key) => !same.has(key) && !/[가-힣]/.test(ko[key]))).toEqual([]);
});
