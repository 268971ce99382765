import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Entry } from "@holdfast/core/domain.ts";
import type { IpsecConn, IpsecKey, IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";

/**
 * What was loaded into charon, by the label of each connection: charon itself cannot be asked for proposals and lifetimes. It is written before
 * a connection is loaded and cleared after a change is confirmed, so that an undo finds in it whatever it may have to load again.
 */
export type LoadedRecord = { readonly [label: string]: Loaded };
export type Loaded = {
  readonly conn: IpsecConn;
  readonly key: IpsecKey;
  /** Out of which a person gets an address. */
  readonly pools?: readonly IpsecPool[];
};

export function recordText(record: LoadedRecord): string | null {
  return Object.keys(record).length === 0 ? null : `${canonicalJson({ version: 1, loaded: record as Json })}\n`;
}

export function readRecord(entry: Entry): Result<LoadedRecord, string> {
  if (entry.type === "absent") return ok({});
  if (entry.type !== "file") return err(entry.type === "other" ? entry.why : "it is a link");
  let value: unknown;
  try {
    value = JSON.parse(entry.text);
  } catch {
    return err("it is not JSON");
  }
  if (!isMap(value) || value["version"] !== 1 || !isMap(value["loaded"])) return err("it is not of this version");
  // Root's own file, in a folder of root's own; every text of it is checked again before it is used.
  return ok(value["loaded"] as LoadedRecord);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
