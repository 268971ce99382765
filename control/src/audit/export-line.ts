import type { auditEntrySchema } from "@holdfast/core/api/account.ts";
import type { z } from "zod";

type Entry = z.input<typeof auditEntrySchema>;

const COLUMNS = [
  "id",
  "at",
  "actor",
  "source",
  "action",
  "object",
  "server",
  "requestId",
  "resultCode",
  "old",
  "new",
  "hash",
] as const satisfies readonly (keyof Entry)[];

export const CSV_HEADER = `${COLUMNS.join(",")}\r\n`;

export function jsonLine(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** RFC 4180. */
export function csvLine(entry: Entry): string {
  return `${COLUMNS.map((column) => cell(entry[column])).join(",")}\r\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // A table program takes what begins so for a formula, and the text is anybody's: a user name that was tried, say.
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
