import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import type { LedgerState } from "@holdfast/core/ledger/record.ts";
import { digestOfText } from "../digest.ts";
import { makeFolder, namesIn, readTextIfThere, removeFolder, syncDirectory, writeFileDurably } from "../os/files.ts";

/**
 * What a transaction needs besides the ledger, on disk before `prepared` names its digest: the config that it brings and, by domain, what
 * was there before. The way back needs nothing else: no network, no control plane, no new disk space.
 */
export interface TransactionContent {
  /** Canonical JSON of the effective config. */
  readonly configJson: string;
  readonly snapshots: ReadonlyMap<DomainName, Json>;
}

const FILE = "transaction.json";
/** Why an undo was asked for, for the process that does it. */
const REASON_FILE = "undo.json";

/** Writes it and says its digest. @throws the system's error */
export function writeTransaction(snapshots: string, requestId: string, content: TransactionContent): string {
  const parts = [...content.snapshots].map(([domain, snapshot]) => `"${domain}":${canonicalJson(snapshot)}`);
  const text = `{"config":${content.configJson},"requestId":"${requestId}","snapshots":{${parts.join(",")}}}`;
  const folder = join(snapshots, requestId);
  makeFolder(folder, 0o700);
  writeFileDurably(join(folder, FILE), text, 0o600);
  syncDirectory(snapshots);
  return digestOfText(text);
}

/**
 * Reads it back. `digest` is what the ledger says of it; null when that record was lost to damage, and the file must then agree with itself.
 */
export function readTransaction(
  snapshots: string,
  requestId: string,
  digest: string | null,
): Result<TransactionContent, string> {
  const text = holdToDigest(snapshots, requestId, digest);
  if (!text.ok) return text;
  const path = join(snapshots, requestId, FILE);
  let value: unknown;
  try {
    value = JSON.parse(text.value);
  } catch {
    return err(`${path} is not JSON`);
  }
  if (!isContent(value) || value.requestId !== requestId)
    return err(`${path} holds something else than transaction ${requestId}`);
  const found = new Map<DomainName, Json>();
  for (const domain of DOMAINS) {
    const snapshot = value.snapshots[domain];
    if (snapshot !== undefined) found.set(domain, snapshot);
  }
  return ok({ configJson: canonicalJson(value.config), snapshots: found });
}

/** The text of its file, when it is the one that the ledger names. */
export function holdToDigest(snapshots: string, requestId: string, digest: string | null): Result<string, string> {
  const path = join(snapshots, requestId, FILE);
  if (!existsSync(path)) return err(`${path} is not there`);
  const text = readFileSync(path, "utf8");
  return digest !== null && digestOfText(text) !== digest
    ? err(`${path} is not what the ledger names: its digest differs`)
    : ok(text);
}

function isContent(value: unknown): value is { config: Json; requestId: string; snapshots: Record<string, Json> } {
  return (
    typeof value === "object" &&
    value !== null &&
    "config" in value &&
    "requestId" in value &&
    "snapshots" in value &&
    typeof value.snapshots === "object" &&
    value.snapshots !== null
  );
}

export interface UndoReason {
  readonly code: string;
  readonly message: string;
}

/** Leaves the reason for whoever undoes. Not synced: the reason may be lost, the undo may not. */
export function leaveReason(snapshots: string, requestId: string, reason: UndoReason): void {
  const folder = join(snapshots, requestId);
  if (existsSync(folder) && !existsSync(join(folder, REASON_FILE)))
    writeFileDurably(join(folder, REASON_FILE), JSON.stringify(reason), 0o600);
}

export function leftReason(snapshots: string, requestId: string): UndoReason | null {
  try {
    const value: unknown = JSON.parse(readTextIfThere(join(snapshots, requestId, REASON_FILE)) ?? "null");
    if (typeof value !== "object" || value === null || !("code" in value) || !("message" in value)) return null;
    const { code, message } = value;
    return typeof code === "string" && typeof message === "string" ? { code, message } : null;
  } catch {
    return null;
  }
}

/** Removes what no way back and no boot needs any more: all but the open transaction, the one in force and those that failed to be undone. */
export function forgetTransactions(snapshots: string, state: LedgerState): void {
  const kept = new Set<string>();
  const open = openTransaction(state);
  if (open !== null) kept.add(open.requestId);
  if (state.confirmed !== null) kept.add(state.confirmed.requestId);
  for (const one of state.transactions) if (one.last === "revert_failed") kept.add(one.requestId);
  for (const name of namesIn(snapshots)) if (!kept.has(name)) removeFolder(join(snapshots, name));
}
