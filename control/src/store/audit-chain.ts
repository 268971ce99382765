/**
 * The audit log as a chain of hashes, pure.
 *
 *   C1. An entry's hash covers every field of it, its position and the hash before it.
 *   C2. Positions count from 1 without a gap.
 *
 * So an entry that was edited, removed, put in or moved is found by whoever walks the chain. Entries cut off at the end are not: what is
 * left is a whole, shorter chain. Only a head that was kept elsewhere can tell.
 */
import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";

/** The hash before the first entry. */
export const GENESIS = "0".repeat(64);

export interface ChainedFields {
  readonly id: number;
  readonly at: Date;
  readonly actor: string;
  readonly source: string;
  readonly action: string;
  readonly object: string;
  readonly server_id: string | null;
  readonly request_id: string | null;
  readonly old: Json;
  readonly new: Json;
  readonly result_code: string;
  readonly prev_hash: string;
}

export interface ChainEntry extends ChainedFields {
  readonly hash: string;
}

export function auditHash(entry: ChainedFields): string {
  const { id, actor, source, action, object, server_id, request_id, old, result_code, prev_hash } = entry;
  const at = entry.at.toISOString();
  const text = canonicalJson({
    id,
    at,
    actor,
    source,
    action,
    object,
    server_id,
    request_id,
    old,
    new: entry.new,
    result_code,
    prev_hash,
  });
  return createHash("sha256").update(text, "utf8").digest("hex");
}

export type ChainBreak = "position" | "previous" | "content";

/** What is wrong with `entry` after `before`; null when it is the right next link. */
export function breakAt(before: { readonly id: number; readonly hash: string }, entry: ChainEntry): ChainBreak | null {
  if (entry.id !== before.id + 1) return "position";
  if (entry.prev_hash !== before.hash) return "previous";
  return auditHash(entry) === entry.hash ? null : "content";
}
