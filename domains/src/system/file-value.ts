import type { Json } from "@holdfast/core/base/canonical-json.ts";

/** A whole file as the value of a slot; null where the value is none. */
export function fileOf(value: Json): { readonly mode: number; readonly text: string } | null {
  if (typeof value !== "object" || value === null || !("mode" in value) || !("text" in value)) return null;
  const { mode, text } = value;
  return typeof mode === "number" && typeof text === "string" ? { mode, text } : null;
}
