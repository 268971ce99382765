/**
 * Whether the audit log is what was written. The chain alone cannot tell that its end was cut off, or that somebody who owns the database
 * wrote all of it anew: that takes heads which were signed and kept elsewhere.
 *   W1. Once a minute what is new in the chain is walked, and a piece of what was walked before; everything when it begins, when somebody asks,
 *       and whenever what was seen is not there any more. So an old entry of a log of years is looked at again within a day, and all of a
 *       log of ten thousand entries each minute. The head is signed; that of a chain that does not hold never is.
 *   W2. A signed head goes to the log stream, which is shipped away, to a file of this instance, and last to the table beside the log: whatever
 *       ends this process between two of them, what is kept elsewhere knows no less than the table.
 *   W3. Every head that is known must be in the chain where it says. A signature that is not ours is itself a finding where only we write,
 *       and is worth nothing in the file.
 *       Of an epoch that a person has begun, what was signed before it may be missing: that is what was accepted.
 *   W4. Until it has looked it says nothing; where the log is broken it says so at every look, and walks everything again now and then.
 */
import { setImmediate } from "node:timers/promises";
import type { AuditBreak } from "@holdfast/core/alert/facts.ts";
import type { Logger } from "pino";
import { GENESIS } from "../store/audit-chain.ts";
import { type ChainVerdict, hashAt, type Link, verifyAuditChain } from "../store/audit.ts";
import type { Database } from "../store/database.ts";
import type { AnchorFile } from "./anchor-file.ts";
import type { Checkpoint, HeadSigner, SignedCheckpoint } from "./checkpoint.ts";
import { FIRST_EPOCH, isBeforeEpoch, type KnownEpochs, knownEpochs } from "./epoch.ts";
import { insertCheckpoint, listCheckpoints } from "./store/checkpoints.ts";
import { listEpochs } from "./store/epochs.ts";

export type AuditVerdict = {
  readonly entries: number;
  readonly head: string;
  /** Heads that were kept and found in the chain. */
  readonly anchors: number;
  readonly newestAnchor: Checkpoint | null;
  /** Which times somebody has accepted the log as it is. */
  readonly epoch: number;
} & (
  | { readonly intact: true }
  | {
      readonly intact: false;
      readonly brokenAt: number;
      readonly reason: AuditBreak;
    }
);

type Kept = Pick<Checkpoint, "entries" | "head">;
/** `at`: of one that this house signed then. */
type Known = Kept & { readonly at?: string };

export interface AuditWitness {
  /** Who signs heads of this log. */
  readonly signer: HeadSigner;
  /** Walks everything. `kept` is a head that somebody wrote down, from the log stream say. */
  verify(kept?: Kept): Promise<AuditVerdict>;
  /** Goes on from where it was and signs the head, when there is a new one. The signal ends a walk that has long to go, by an exception. */
  checkpoint(signal?: AbortSignal): Promise<AuditVerdict>;
  /** What the last look found; null before the first. A head that somebody brings along is theirs and changes nothing here. */
  last(): AuditVerdict | null;
}

export interface AuditWitnessOptions {
  readonly database: Database;
  readonly signer: HeadSigner;
  readonly file: AnchorFile;
  readonly nowMs: () => number;
  readonly log: Logger;
  /** Entries of the round at one look; the usual when not said. */
  readonly piece?: number;
}

/** Entries of the round at one look: under a second of work, with a turn for others after every page. */
const PIECE = 10_000;
const LOOKS_OF_A_DAY = 24 * 60;
const WHOLE_AGAIN_MS = 24 * 3_600_000;
/** A log that was mended, a backup that was put back: it is seen without anybody asking. */
const BROKEN_AGAIN_MS = 10 * 60_000;
const SIGNATURES_A_TURN = 100;
const BEGINNING: Link = { id: 0, hash: GENESIS };

/** What this instance has seen whole. */
interface Seen {
  readonly verdict: AuditVerdict;
  readonly at: Link;
  /** How far the walk has come that begins again and again. */
  readonly round: Link;
  /** The newest head of the table that was looked at. */
  readonly inTable: number;
  readonly wholeAtMs: number;
}

export function auditWitness(options: AuditWitnessOptions): AuditWitness {
  const { database, signer, file, nowMs, log, piece: most = PIECE } = options;
  let seen: Seen | null = null;
  let inFile: SignedCheckpoint | null = null;

  /** Those that are ours, and the first that is not. A signature takes a tenth of a millisecond, and there is one for each minute of years. */
  async function sort(all: readonly SignedCheckpoint[]) {
    const ours: SignedCheckpoint[] = [];
    let forged: SignedCheckpoint | null = null;
    for (const [index, one] of all.entries()) {
      if (index % SIGNATURES_A_TURN === SIGNATURES_A_TURN - 1) await setImmediate();
      if (signer.isOurs(one)) ours.push(one);
      else forged ??= one;
    }
    return { ours, forged };
  }

  const epochs = async (): Promise<KnownEpochs> => knownEpochs(signer, await listEpochs(database));

  async function walkAll(kept?: Kept, signal?: AbortSignal): Promise<AuditVerdict> {
    const wholeAtMs = nowMs();
    // Read before the chain: what is signed while it is walked cannot be missing from it.
    const { newest: epoch, forged: forgedEpoch } = await epochs();
    const rows = await listCheckpoints(database, 0, null);
    const table = await sort(rows);
    const own = (await sort(await file.read())).ours;
    const begun: readonly Known[] = epoch === null ? [] : [{ entries: epoch.entries, head: epoch.head }];
    const known: readonly Known[] = [...table.ours, ...own, ...begun, ...(kept === undefined ? [] : [kept])].toSorted(
      (a, b) => a.entries - b.entries,
    );
    const wanted = new Set(known.map((one) => one.entries));
    const heads = new Map<number, string>();
    const chain = await verifyAuditChain(database, {
      onEntry: (id, hash) => {
        if (wanted.has(id)) heads.set(id, hash);
      },
      ...(signal === undefined ? {} : { signal }),
    });
    // What may be missing counts only where it is there.
    const counted = known.filter(
      ({ entries, head, at }) => at === undefined || !isBeforeEpoch(epoch, at) || heads.get(entries) === head,
    );
    const rowsHere = rows.filter((row) => !isBeforeEpoch(epoch, row.at) || heads.get(row.entries) === row.head);
    const ownHere = own.filter((one) => !isBeforeEpoch(epoch, one.at) || heads.get(one.entries) === one.head);
    const newest = newestOf([...rowsHere, ...ownHere]);
    const verdict = judge(chain, counted, heads, newest, table.forged ?? forgedEpoch, epoch?.epoch ?? FIRST_EPOCH);
    if (kept !== undefined) return verdict;
    inFile = newestOf(ownHere);
    const at = { id: verdict.entries, hash: verdict.head };
    seen = { verdict, at, round: BEGINNING, inTable: rowsHere.at(-1)?.entries ?? 0, wholeAtMs };
    return verdict;
  }

  /** Null when anything is not as it was seen: then everything is walked, which says what. */
  async function goOn(before: Seen): Promise<Seen | null> {
    const { newest: epoch, forged } = await epochs();
    if (forged !== null || (epoch?.epoch ?? FIRST_EPOCH) !== before.verdict.epoch) return null;
    const all = await listCheckpoints(database, before.inTable, null);
    if ((await sort(all)).forged !== null) return null;
    const rows = all.filter((row) => !isBeforeEpoch(epoch, row.at));
    if (before.at.id > 0 && (await hashAt(database, before.at.id)) !== before.at.hash) return null;
    const newer = await verifyAuditChain(database, { from: before.at });
    if (!newer.intact) return null;
    for (const row of rows) if ((await hashAt(database, row.entries)) !== row.head) return null;
    const at = { id: newer.entries, hash: newer.head };
    const round = await goRound(before.round.id >= at.id ? BEGINNING : before.round, at.id, epoch);
    if (round === null) return null;
    const newest = newestOf([...rows, ...(before.verdict.newestAnchor === null ? [] : [before.verdict.newestAnchor])]);
    return {
      verdict: {
        entries: at.id,
        head: at.hash,
        anchors: before.verdict.anchors + rows.length,
        newestAnchor: newest,
        epoch: before.verdict.epoch,
        intact: true,
      },
      at,
      round,
      inTable: rows.at(-1)?.entries ?? before.inTable,
      wholeAtMs: before.wholeAtMs,
    };
  }

  /** A piece of what was seen before, with the heads of the table that are over it. */
  async function goRound(from: Link, entries: number, epoch: KnownEpochs["newest"]): Promise<Link | null> {
    const heads = new Map<number, string>();
    const piece = await verifyAuditChain(database, {
      from,
      most: Math.max(most, Math.ceil(entries / LOOKS_OF_A_DAY)),
      onEntry: (id, hash) => heads.set(id, hash),
    });
    if (!piece.intact) return null;
    const rows = await listCheckpoints(database, from.id, piece.entries);
    if ((await sort(rows)).forged !== null) return null;
    if (rows.some((row) => heads.get(row.entries) !== row.head && !isBeforeEpoch(epoch, row.at))) return null;
    return { id: piece.entries, hash: piece.head };
  }

  async function look(signal?: AbortSignal): Promise<AuditVerdict> {
    const before = seen;
    if (before === null) return walkAll(undefined, signal);
    const { verdict, wholeAtMs } = before;
    // Somebody has accepted the log as it is: what was broken for it may be whole.
    if (!verdict.intact && ((await epochs()).newest?.epoch ?? FIRST_EPOCH) !== verdict.epoch)
      return walkAll(undefined, signal);
    if (nowMs() - wholeAtMs >= (verdict.intact ? WHOLE_AGAIN_MS : BROKEN_AGAIN_MS)) return walkAll(undefined, signal);
    if (!verdict.intact) return verdict;
    const after = await goOn(before);
    if (after === null) return walkAll(undefined, signal);
    seen = after;
    return after.verdict;
  }

  return {
    signer,
    verify: (kept) => walkAll(kept),
    last: () => seen?.verdict ?? null,
    async checkpoint(signal) {
      const verdict = await look(signal);
      if (!verdict.intact) {
        // The alarm of this house's proof; the line goes to another system, where it cannot be taken back.
        log.error(
          { result_code: "audit.chain_broken", broken_at: verdict.brokenAt, reason: verdict.reason },
          "the audit log is not what was written",
        );
        return verdict;
      }
      const { entries, head } = verdict;
      if (entries === 0) return verdict;
      if (inFile?.entries !== entries) {
        const signed = signer.sign({ entries, head, at: new Date(nowMs()).toISOString() });
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
        await file.append(signed);
        inFile = signed;
      }
      if ((seen?.inTable ?? 0) < entries) await insertCheckpoint(database, inFile);
      return verdict;
    },
  };
}

function judge(
  chain: ChainVerdict,
  known: readonly Kept[],
  heads: ReadonlyMap<number, string>,
  newest: Checkpoint | null,
  forged: Kept | null,
  epoch: number,
): AuditVerdict {
  const found = known.filter((one) => heads.get(one.entries) === one.head);
  const base = {
    entries: chain.entries,
    head: chain.intact ? chain.head : "",
    epoch,
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
  if (forged !== null) return { ...base, intact: false, brokenAt: forged.entries, reason: "forged_checkpoint" };
  return { ...base, intact: true };
}

function newestOf<One extends Checkpoint>(all: readonly One[]): One | null {
  return all.reduce<One | null>((best, one) => (best === null || one.entries > best.entries ? one : best), null);
}

function lastBefore(found: readonly Kept[], entries: number): number | undefined {
  return found.filter((one) => one.entries < entries).at(-1)?.entries;
}
