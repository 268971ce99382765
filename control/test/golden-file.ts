import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

export function golden(name: string, text: string): void {
  const file = join(import.meta.dirname, "golden", name);
  if (process.env["UPDATE_GOLDEN"] === "1" || !existsSync(file)) writeFileSync(file, text);
  expect(text, `golden/${name}; UPDATE_GOLDEN=1 writes it anew`).toBe(readFileSync(file, "utf8"));
}
