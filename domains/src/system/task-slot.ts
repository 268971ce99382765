import type { Json } from "@holdfast/core/base/canonical-json.ts";

/** The timer of a task as the value of a slot; null: there is none. */
export function taskFound(value: Json): { readonly text: string; readonly runs: boolean } | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const { text, runs } = value as { readonly text?: Json; readonly runs?: Json };
  return typeof text === "string" ? { text, runs: runs === true } : null;
}
