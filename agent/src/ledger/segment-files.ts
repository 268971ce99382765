import { createHash } from "node:crypto";
import { join } from "node:path";
import { EMPTY_LEDGER, foldEvidence, foldRecord } from "@holdfast/core/ledger/fold.ts";
import { scanFrames, type Frame, type Sha256 } from "@holdfast/core/ledger/frame.ts";
import { parseRecord, type LedgerState } from "@holdfast/core/ledger/record.ts";
import { namesIn } from "../os/files.ts";

/** Bytes. Holds some thousand records; a new one takes 2 ms to write. */
export const SEGMENT_BYTES = 1024 * 1024;

export const sha256: Sha256 = (bytes) => createHash("sha256").update(bytes).digest();

export function segmentPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, "0")}.segment`);
}

/** Numbers of the segments that are there, ascending. */
export function segmentNumbers(folder: string): readonly number[] {
  return namesIn(folder).flatMap((name) => {
    const found = /^(\d{8})\.segment$/.exec(name);
    return found === null ? [] : [Number(found[1])];
  });
}

/** What one segment says, as far as it can be believed. */
export interface SegmentImage {
  readonly state: LedgerState;
  readonly end: number;
  readonly head: Uint8Array;
  /** Bytes to cut: the beginning of a record that was never finished. */
  readonly torn: { readonly from: number; readonly to: number } | null;
  /** Why it cannot be believed any further, and what stands behind. */
  readonly damage: { readonly why: string; readonly later: readonly Frame[] } | null;
}

/** Folds a segment from its beginning. */
export function readSegment(bytes: Uint8Array): SegmentImage {
  return readOn(bytes, 0, null, EMPTY_LEDGER);
}

/** Folds what has been appended behind `from`. */
export function readOn(bytes: Uint8Array, from: number, head: Uint8Array | null, before: LedgerState): SegmentImage {
  const scan = scanFrames(bytes, from, head, sha256);
  let state = before;
  let end = from;
  let last = head ?? new Uint8Array(32);
  for (const [index, frame] of scan.frames.entries()) {
    const record = parseRecord(frame.body);
    const folded = record.ok ? foldRecord(state, record.value, Buffer.from(frame.hash).toString("hex")) : record;
    if (!folded.ok) {
      const later = [...scan.frames.slice(index), ...(scan.tail.kind === "damaged" ? scan.tail.later : [])];
      return { state, end, head: last, torn: null, damage: { why: folded.error, later } };
    }
    state = folded.value;
    end = frame.end;
    last = frame.hash;
  }
  return {
    state,
    end,
    head: last,
    torn: scan.tail.kind === "torn" ? { from: scan.tail.from, to: scan.tail.to } : null,
    damage:
      scan.tail.kind === "damaged" ? { why: `bytes at ${scan.tail.at} are no record`, later: scan.tail.later } : null,
  };
}

/** The state after damage, which a person must look at: the good part, and the records behind that are whole in themselves. */
export function salvage(image: SegmentImage): LedgerState {
  let { state } = image;
  for (const frame of image.damage?.later ?? []) {
    const record = parseRecord(frame.body);
    if (record.ok) state = foldEvidence(state, record.value, Buffer.from(frame.hash).toString("hex"));
  }
  const reason = `the ledger is damaged (${image.damage?.why ?? ""}); what is readable was kept. Look at the server, then release it`;
  return { ...state, lock: { code: "ledger.damaged", reason } };
}
