/**
 * Whether the audit log is what was written. The chain alone cannot tell that its end was cut off, or that somebody who owns the database
 * wrote all of it anew: that takes heads which were signed and kept elsewhere.
 *   W1. Once a minute the whole chain is walked and its head is signed. A chain that does not hold is never signed.
 *   W2. A signed head goes to the table beside the log, to a file of this instance and to the log stream, which is shipped away.
 *   W3. Every head that is known must be in the chain where it says. A signature that is not ours is itself a finding where only we write,
 *       and is worth nothing in the file.
 */
import type { Logger } from "pino";
import { GENESIS } from "../store/audit-chain.ts";
import { type ChainVerdict, verifyAuditChain } from "../store/audit.ts";
import type { Database } from "../store/database.ts";
import type { AnchorFile } from "./anchor-file.ts";
import type { Checkpoint, HeadSigner, SignedCheckpoint } from "./checkpoint.ts";
import { insertCheckpoint, listCheckpoints } from "./store/checkpoints.ts";

export type AuditVerdict = {
  readonly entries: number;
  readonly head: string;
  /** Heads that were kept and found in the chain. */
  readonly anchors: number;
  readonly newestAnchor: Checkpoint | null;
} & (
  | { readonly intact: true }
  | {
      readonly intact: false;
      readonly brokenAt: number;
      readonly reason: "position" | "previous" | "content" | "cut_off" | "rewritten" | "forged_checkpoint";
    }
);

export interface AuditWitness {
  /** Walks everything. `kept` is a head that somebody wrote down, from the log stream say. */
  verify(kept?: Pick<Checkpoint, "entries" | "head">): Promise<AuditVerdict>;
  /** Walks everything and signs the head, when there is a new one. */
  checkpoint(): Promise<AuditVerdict>;
}

export interface AuditWitnessOptions {
  readonly database: Database;
  readonly signer: HeadSigner;
  readonly file: AnchorFile;
  readonly nowMs: () => number;
  readonly log: Logger;
}

export function auditWitness(options: AuditWitnessOptions): AuditWitness {
  const { database, signer, file, log } = options;

  async function verify(kept?: Pick<Checkpoint, "entries" | "head">): Promise<AuditVerdict> {
    // Read before the chain: what is signed while it is walked cannot be missing from it.
    const inTable = (await listCheckpoints(database)).map((row): SignedCheckpoint => ({
      entries: row.entries,
      head: row.head,
      at: row.at.toISOString(),
      signature: row.signature,
    }));
    const forged = inTable.find((one) => !signer.isOurs(one));
    const inFile = (await file.read()).filter((one) => signer.isOurs(one));
    const known: readonly Pick<Checkpoint, "entries" | "head">[] = [
      ...inTable.filter((one) => signer.isOurs(one)),
      ...inFile,
      ...(kept === undefined ? [] : [kept]),
    ].toSorted((a, b) => a.entries - b.entries);
    const newest = [...inTable, ...inFile].reduce<Checkpoint | null>(
      (best, one) => (best === null || one.entries > best.entries ? one : best),
      null,
    );
    const wanted = new Set(known.map((one) => one.entries));
    const heads = new Map<number, string>();
    const chain: ChainVerdict = await verifyAuditChain(database, (id, hash) => {
      if (wanted.has(id)) heads.set(id, hash);
    });
    const found = known.filter((one) => heads.get(one.entries) === one.head);
    const base = {
      entries: chain.entries,
      head: chain.intact ? chain.head : "",
      anchors: found.length,
      newestAnchor: newest === null ? null : { entries: newest.entries, head: newest.head, at: newest.at },
    };
    if (!chain.intact) return { ...base, intact: false, brokenAt: chain.brokenAt, reason: chain.reason };
    const missing = known.find((one) => heads.get(one.entries) !== one.head);
    if (missing !== undefined) {
      const isShorter = missing.entries > chain.entries;
      return isShorter
        ? { ...base, intact: false, brokenAt: chain.entries + 1, reason: "cut_off" }
        : // Somewhere after the last head that still fits.
          { ...base, intact: false, brokenAt: (lastBefore(found, missing.entries) ?? 0) + 1, reason: "rewritten" };
    }
    if (forged !== undefined) return { ...base, intact: false, brokenAt: forged.entries, reason: "forged_checkpoint" };
    return { ...base, intact: true };
  }

  return {
    verify,
    async checkpoint() {
      const verdict = await verify();
      if (!verdict.intact) {
        // The alarm of this house's proof; the line goes to another system, where it cannot be taken back.
        log.error(
          { result_code: "audit.chain_broken", broken_at: verdict.brokenAt, reason: verdict.reason },
          "the audit log is not what was written",
        );
        return verdict;
      }
      if (verdict.head === GENESIS || verdict.newestAnchor?.entries === verdict.entries) return verdict;
      const signed = signer.sign({
        entries: verdict.entries,
        head: verdict.head,
        at: new Date(options.nowMs()).toISOString(),
      });
      await insertCheckpoint(database, signed);
      await file.append(signed);
      log.info(
        {
          result_code: "audit.head_signed",
          audit_entries: signed.entries,
          audit_head: signed.head,
          audit_at: signed.at,
          audit_signature: signed.signature.toString("base64"),
        },
        "the audit log's head",
      );
      return verdict;
    },
  };
}

function lastBefore(found: readonly Pick<Checkpoint, "entries">[], entries: number): number | undefined {
  return found.filter((one) => one.entries < entries).at(-1)?.entries;
}
