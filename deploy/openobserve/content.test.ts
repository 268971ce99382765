/** What is given to OpenObserve is what the code makes, asks for columns that are there, and names pages that are there. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { HOLDFAST_VRL } from "@holdfast/testkit/vector/vrl.ts";
import { expect, test } from "vitest";
import { FILES, OPENOBSERVE_ALERTS, SEARCHES, STREAM_SETTINGS } from "./content.ts";

const HERE = import.meta.dirname;
const COLUMNS = [...new Set([...HOLDFAST_VRL.matchAll(/^\s*\.(\w+) = /gm)].map(([, name = ""]) => name))];

test.each(Object.entries(FILES))("%s is what the code makes; UPDATE_GOLDEN=1 writes it anew", (name, content) => {
  const file = path.join(HERE, name);
  const text = `${JSON.stringify(content, null, 2)}\n`;
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  expect(readFileSync(file, "utf8")).toBe(text);
});

test("every question is SQL over columns that the way there fills", async () => {
  await withDatabase(async ({ app }) => {
    const stream = `with holdfast as (select ${COLUMNS.map((name) => `'x'::text as "${name}"`).join(", ")})`;
    const asked = [...SEARCHES.map(({ sql }) => sql), ...OPENOBSERVE_ALERTS.map((alert) => alert.query_condition.sql)];
    for (const sql of asked) await app.rows({ text: `${stream} ${sql}`, values: [] });
  });
  for (const name of [...STREAM_SETTINGS.full_text_search_keys, ...STREAM_SETTINGS.index_fields])
    expect(COLUMNS).toContain(name);
});

test("names are taken by OpenObserve, and every runbook is there", () => {
  const names = [...SEARCHES, ...OPENOBSERVE_ALERTS].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z_]+$/);
  for (const { context_attributes: about } of OPENOBSERVE_ALERTS)
    expect(existsSync(path.join(HERE, "../..", about.runbook)), about.runbook).toBe(true);
});
