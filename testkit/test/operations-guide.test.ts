/** The operations guide: each page ends with the tests that do what it says, and what it links to is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY_ROOT } from "../src/repository.ts";

const GUIDE = join(REPOSITORY_ROOT, "docs/operations");
const INDEX = "README.md";
const PAGES = readdirSync(GUIDE);

test.each(PAGES)("%s links to files that are there", (page) => {
  const text = readFileSync(join(GUIDE, page), "utf8");
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = ""]) => link);
  expect(links).not.toEqual([]);
  expect(links.filter((link) => !existsSync(join(GUIDE, link)))).toEqual([]);
});

test.each(PAGES.filter((page) => page !== INDEX))(
  "%s ends with tests that are there, and the index knows it",
  (page) => {
    const text = readFileSync(join(GUIDE, page), "utf8");
    const proven = text.slice(text.indexOf("\n## Proven by\n"));
    expect(proven.startsWith("\n## Proven by\n")).toBe(true);
    const named = [...proven.matchAll(/`([\w./-]+\.ts)`/g)].map(([, file = ""]) => file);
    expect(named).not.toEqual([]);
    expect(named.filter((file) => !existsSync(join(REPOSITORY_ROOT, file)))).toEqual([]);
    expect(readFileSync(join(GUIDE, INDEX), "utf8")).toContain(`(${page})`);
  },
);

test("every test of the folder that the guide is tried in is named by a page", () => {
  const all = PAGES.map((page) => readFileSync(join(GUIDE, page), "utf8")).join("\n");
  const folder = join(REPOSITORY_ROOT, "e2e/operations");
  for (const file of readdirSync(folder)) expect(all, dirname(file)).toContain(`e2e/operations/${file}`);
});
