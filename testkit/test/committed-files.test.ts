import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesKnownToGit, REPOSITORY_ROOT } from "../src/repository.ts";

/** A generated or vendored file above this size is not searched; nothing of ours comes near it. */
const LARGEST_SEARCHED_BYTES = 2 * 1024 * 1024;

/** What must not be in any file. One letter of each stands in brackets, so that this file does not match itself. */
const FORBIDDEN: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: "the address of a package in the lockfile: it would tie every clone to one registry",
    pattern: /"resolved": ?"[h]ttp/,
  },
  {
    what: "the host of a package registry: each machine has its own settings for that",
    pattern: /\b([r]egistry|[d]eb|[s]ecurity|[a]rchive)\.(npmjs|npmmirror|yarnpkg|debian|ubuntu)\.(org|com)\b/,
  },
  { what: "the folder of one machine's clone", pattern: /(^|[^\w.-])\/[w]ork\/(main|shared)\b/m },
];

function forbiddenIn(text: string): string[] {
  const own = [REPOSITORY_ROOT, homedir()]
    // A clone at /, a home like /root, or a clone in a folder of the product's own name would match much that is right.
    .filter((path) => path.split("/").length > 2 && !path.includes("holdfast") && text.includes(`${path}/`))
    .map((path) => `the path ${path} of this machine`);
  return [...own, ...FORBIDDEN.filter(({ pattern }) => pattern.test(text)).map(({ what }) => what)];
}

test("no committed file names a registry host or a path of one machine", () => {
  const found = filesKnownToGit(REPOSITORY_ROOT)
    .map((file) => ({ file, path: join(REPOSITORY_ROOT, file) }))
    .filter(({ path }) => statSync(path).isFile() && statSync(path).size <= LARGEST_SEARCHED_BYTES)
    .flatMap(({ file, path }) => forbiddenIn(readFileSync(path, "utf8")).map((what) => `${file} contains ${what}`));
  expect(found).toEqual([]);
});

test("the search finds planted ones", () => {
  const [scheme, registry, folder] = ["https", "registry", "work"];
  expect(forbiddenIn(`{ "resolved": "${scheme}://example.test/a.tgz" }`)).toHaveLength(1);
  expect(forbiddenIn(`see ${scheme}://${registry}.npmjs.org/zod`)).toHaveLength(1);
  expect(forbiddenIn(`cd /${folder}/main`)).toHaveLength(1);
  expect(forbiddenIn(`"resolved": "core", "framework/main"`)).toEqual([]);
});
