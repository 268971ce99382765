/** Every SQL statement of the control plane is planned by a real PostgreSQL with the real schema: a misspelt column never waits for its hour. */
import { readFileSync, globSync } from "node:fs";
import { join } from "node:path";
import { DEBIAN_15, hasDebian15, withDatabase, withDebian15, type TestDatabase } from "@holdfast/testkit/database.ts";
import { parseSync, Visitor } from "oxc-parser";
import { expect, test } from "vitest";

const CONTROL = join(import.meta.dirname, "..");
/** What PREPARE does not take; these are executed by the tests of the migration and of transactions. */
const NOT_PREPARABLE = /^\s*(begin|rollback|create|alter|drop)\b/;

interface Found {
  readonly place: string;
  readonly text: string;
}

function statementsOf(file: string): Found[] {
  const source = readFileSync(join(CONTROL, file), "utf8");
  const found: Found[] = [];
  new Visitor({
    TaggedTemplateExpression(node) {
      if (node.tag.type !== "Identifier" || node.tag.name !== "sql") return;
      const parts = node.quasi.quasis.map((part) => part.value.cooked ?? "");
      const text = parts.map((part, index) => (index === 0 ? part : `$${index}${part}`)).join("");
      const line = source.slice(0, node.start).split("\n").length;
      found.push({ place: `${file}:${line}`, text });
    },
  }).visit(parseSync(file, source).program);
  return found;
}

const statements = globSync("**/*.ts", { cwd: CONTROL })
  .filter((file) => !file.endsWith(".test.ts"))
  .flatMap(statementsOf);

async function refusals({ owner }: TestDatabase): Promise<string[]> {
  const refused: string[] = [];
  for (const [index, { place, text }] of statements.entries()) {
    if (NOT_PREPARABLE.test(text)) continue;
    try {
      await owner.run({ text: `prepare statement_${index} as ${text}`, values: [] });
    } catch (error) {
      refused.push(`${place}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return refused;
}

test("every statement is understood by the embedded PostgreSQL", async () => {
  expect(statements.length).toBeGreaterThan(50);
  expect(await withDatabase(refusals)).toEqual([]);
});

test.skipIf(!hasDebian15)(`every statement is understood by PostgreSQL 15 (${DEBIAN_15})`, async () => {
  expect(await withDebian15(refusals)).toEqual([]);
});

/** Of one number, two kinds of work would wait for each other, and nothing would say so. */
test("each advisory lock has a number of its own", () => {
  const files = globSync("**/*.ts", { cwd: CONTROL }).filter((file) => !file.endsWith(".test.ts"));
  const sources = files.map((file) => readFileSync(join(CONTROL, file), "utf8"));
  const names = sources.flatMap((source) =>
    [...source.matchAll(/pg_(?:try_)?advisory_\w*lock\w*\(\$\{(\w+)\}/g)].map(([, name = ""]) => name),
  );
  const uses = sources.flatMap((source) => [...source.matchAll(/pg_(?:try_)?advisory_\w*lock/g)]);
  expect(names, "every one is asked for by a constant").toHaveLength(uses.length);
  const numbers = [...new Set(names)].map(
    (name) => sources.flatMap((source) => new RegExp(`const ${name} = ([\\d_]+);`).exec(source)?.[1] ?? [])[0],
  );
  expect(numbers.length).toBeGreaterThan(4);
  expect(numbers).not.toContain(undefined);
  expect(new Set(numbers).size).toBe(numbers.length);
});
