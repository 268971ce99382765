/** The row types against the real columns: a column that one of them does not have is named. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";
import { sql } from "./sql.ts";

/** Tables whose name is not the row's name in the plural, and tables that no code reads as rows. */
const NAMES: Readonly<Record<string, string>> = {
  ApplyRow: "applies",
  DeliveryRow: "deliveries",
  IdempotencyKeyRow: "idempotency_keys",
  IdentityRow: "identities",
  ServerPolicyRow: "server_policies",
  ServerStatusRow: "server_status",
  ChangeStatusRow: "change_status",
  SecretHouseRow: "secret_house",
};

function rowTypes(): Map<string, string[]> {
  const file = join(import.meta.dirname, "tables.ts");
  const fieldsOf = new Map<string, string[]>();
  const parents = new Map<string, string[]>();
  for (const statement of parseSync(file, readFileSync(file, "utf8")).program.body) {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : null;
    if (declaration?.type !== "TSInterfaceDeclaration") continue;
    const fields = declaration.body.body.flatMap((member) =>
      member.type === "TSPropertySignature" && member.key.type === "Identifier" ? [member.key.name] : [],
    );
    fieldsOf.set(declaration.id.name, fields);
    parents.set(
      declaration.id.name,
      declaration.extends.flatMap(({ expression }) => (expression.type === "Identifier" ? [expression.name] : [])),
    );
  }
  for (const [name, extended] of parents) {
    for (const parent of extended) fieldsOf.set(name, [...(fieldsOf.get(name) ?? []), ...(fieldsOf.get(parent) ?? [])]);
  }
  return new Map([...fieldsOf].filter(([name]) => name.endsWith("Row")));
}

function tableOf(row: string): string {
  const snake = row
    .replace(/Row$/, "")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
  return NAMES[row] ?? `${snake}s`;
}

test("every row type has exactly the columns of its table", async () => {
  await withDatabase(async ({ app }) => {
    const columns = await app.rows<{ table_name: string; column_name: string }>(
      sql`select table_name, column_name from information_schema.columns where table_schema = 'holdfast'`,
    );
    const types = rowTypes();
    expect(types.size).toBeGreaterThan(20);
    for (const [row, fields] of types) {
      const real = columns
        .filter(({ table_name }) => table_name === tableOf(row))
        .map(({ column_name }) => column_name);
      expect(fields.sort(), `${row} and ${tableOf(row)}`).toEqual(real.sort());
    }
  });
});
