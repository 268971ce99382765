import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";

/** Lower-case hex SHA-256 of a text. */
export function digestOfText(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/** Lower-case hex SHA-256 of the canonical JSON of a value. */
export function digestOf(value: Json): string {
  return digestOfText(canonicalJson(value));
}
