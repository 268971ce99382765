import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Entry } from "@holdfast/core/domain.ts";

/**
 * What was found on the server when each setting became ours: by slot (slots.ts), its value then. It is written before the first change of a
 * slot and says what is ours; when a setting leaves all policies, its value here is what it goes back to.
 */
export type FoundRecord = Readonly<Record<string, Json>>;

export const FOUND_FILE = "/var/lib/holdfast/system/found.json";
export const FOUND_MODE = 0o600;

export function foundText(found: FoundRecord): string | null {
  return Object.keys(found).length === 0 ? null : `${canonicalJson({ version: 1, found })}\n`;
}

export function readFound(entry: Entry): Result<FoundRecord, string> {
  if (entry.type === "absent") return ok({});
  if (entry.type !== "file") return err(entry.type === "other" ? entry.why : "it is a link");
  let value: unknown;
  try {
    value = JSON.parse(entry.text);
  } catch {
    return err("it is not JSON");
  }
  if (!isMap(value) || value["version"] !== 1 || !isMap(value["found"])) return err("it is not of this version");
  // JSON.parse gives JSON.
  return ok(value["found"] as FoundRecord);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
