import { ok, type Result } from "@holdfast/core/base/result.ts";
import { holdToDigest, readTransaction } from "../ledger/transaction-file.ts";
import { type GuardConfig, readConfig } from "./effective-config.ts";

/** The one that is wanted, the one in force, and the one before it. */
const MOST_KEPT = 3;

/**
 * Configs as they were taken apart lately. In one transaction the same two are asked for a dozen times, and of ten thousand rules each time
 * took a quarter of a second. What is on disk is read and held to its digest each time all the same: only what follows from the same bytes is
 * not done again.
 */
export class ConfigShelf {
  readonly #byDigest = new Map<string, GuardConfig>();
  /** By the digest of the transaction's file that holds it. */
  readonly #byManifest = new Map<string, GuardConfig>();

  /** A config as it was sent. */
  read(json: string, digest: string): Result<GuardConfig, string> {
    const known = this.#byDigest.get(digest);
    if (known?.json === json) return ok(known);
    const config = readConfig(json, digest);
    if (config.ok) keep(this.#byDigest, digest, config.value);
    return config;
  }

  /** The config of a transaction on disk. `manifest`: what the ledger says of its file; null when that record was lost. */
  ofTransaction(
    snapshots: string,
    requestId: string,
    manifest: string | null,
    configDigest: string,
  ): Result<GuardConfig, string> {
    const known = manifest === null ? undefined : this.#byManifest.get(manifest);
    if (manifest !== null && known?.digest === configDigest) {
      const held = holdToDigest(snapshots, requestId, manifest);
      return held.ok ? ok(known) : held;
    }
    const file = readTransaction(snapshots, requestId, manifest);
    if (!file.ok) return file;
    const config = this.read(file.value.configJson, configDigest);
    if (config.ok && manifest !== null) keep(this.#byManifest, manifest, config.value);
    return config;
  }
}

function keep(shelf: Map<string, GuardConfig>, digest: string, config: GuardConfig): void {
  shelf.delete(digest);
  shelf.set(digest, config);
  const [oldest] = shelf.keys();
  if (shelf.size > MOST_KEPT && oldest !== undefined) shelf.delete(oldest);
}
