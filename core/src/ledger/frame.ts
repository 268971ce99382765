import { crc32c } from "./crc32c.ts";

/**
 * How one record stands in a segment of the ledger:
 *
 *   0   4  "HFL1"
 *   4   4  length of the body, little endian
 *   8   4  CRC-32C over length, previous hash and body
 *   12  32 hash of the record before (the chain)
 *   44  …  the body: JSON in ASCII
 *
 * A segment is filled with zeros before it is used, so that no append can meet a full disk.
 *
 *   F1. A frame counts only when magic, length, checksum and chain all agree.
 *   F2. Bytes behind the last good frame that hold no further good frame are a torn tail: the record was never finished, and is cut.
 *   F3. Bytes behind the last good frame with a good frame after them are damage: nothing after them is a basis for acting.
 */
const MAGIC = [0x48, 0x46, 0x4c, 0x31] as const;
export const HASH_BYTES = 32;
export const FRAME_HEADER_BYTES = 12 + HASH_BYTES;
/** Bytes. The largest record is the state carried into a new segment; 64 outcomes take about 100 KB. */
export const MAX_BODY_BYTES = 384 * 1024;

/** SHA-256 of bytes; the pure rooms have none of their own. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

export interface Frame {
  readonly offset: number;
  /** First byte behind it. */
  readonly end: number;
  readonly body: string;
  readonly previousHash: Uint8Array;
  readonly hash: Uint8Array;
}

export type Tail =
  | { readonly kind: "clean" }
  /** Bytes from `from` up to `to` were never a finished record. */
  | { readonly kind: "torn"; readonly from: number; readonly to: number }
  /** A good frame stands behind bytes that are none. `later` are those good frames: evidence, never a basis. */
  | { readonly kind: "damaged"; readonly at: number; readonly later: readonly Frame[] };

export interface Scan {
  readonly frames: readonly Frame[];
  /** Where the next frame goes. */
  readonly end: number;
  /** Hash of the last good frame, or what the scan began with. */
  readonly head: Uint8Array;
  readonly tail: Tail;
}

/** @throws Error when the body is not ASCII or is too long: a bug in the caller. */
export function encodeFrame(body: string, previousHash: Uint8Array): Uint8Array {
  if (body.length > MAX_BODY_BYTES)
    throw new Error(`a ledger record of ${body.length} bytes is over the limit of ${MAX_BODY_BYTES}`);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  frame.set(MAGIC, 0);
  writeUint32(frame, 4, body.length);
  frame.set(previousHash, 12);
  for (let index = 0; index < body.length; index++) {
    const code = body.charCodeAt(index);
    if (code > 0x7f) throw new Error("a ledger record holds ASCII only");
    frame[FRAME_HEADER_BYTES + index] = code;
  }
  writeUint32(frame, 8, checksum(frame));
  return frame;
}

/** The chain's hash of a record: over the hash before it and its body. */
export function frameHash(frame: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(frame.subarray(12));
}

/**
 * Reads frames from `from` on. `previous` is the hash that the first must name; null accepts what the first one names, which is how a
 * segment that begins with the carried state is opened.
 */
export function scanFrames(bytes: Uint8Array, from: number, previous: Uint8Array | null, sha256: Sha256): Scan {
  const frames: Frame[] = [];
  let end = from;
  let head = previous;
  for (;;) {
    const frame = frameAt(bytes, end, sha256);
    if (frame === null || (head !== null && !sameBytes(frame.previousHash, head))) break;
    frames.push(frame);
    end = frame.end;
    head = frame.hash;
  }
  return { frames, end, head: head ?? new Uint8Array(HASH_BYTES), tail: tailAt(bytes, end, sha256) };
}

function tailAt(bytes: Uint8Array, end: number, sha256: Sha256): Tail {
  let last = bytes.length - 1;
  while (last >= end && bytes[last] === 0) last--;
  if (last < end) return { kind: "clean" };
  const later: Frame[] = [];
  // From `end` itself: a frame that is whole but does not name the head before it is damage too.
  for (let at = end; at <= last;) {
    const frame = frameAt(bytes, at, sha256);
    if (frame === null) at++;
    else {
      later.push(frame);
      at = frame.end;
    }
  }
  if (later.length > 0) return { kind: "damaged", at: end, later };
  // More than one record's worth of rubbish was not left by one append.
  if (last - end >= FRAME_HEADER_BYTES + MAX_BODY_BYTES) return { kind: "damaged", at: end, later };
  return { kind: "torn", from: end, to: last + 1 };
}

function frameAt(bytes: Uint8Array, offset: number, sha256: Sha256): Frame | null {
  if (offset + FRAME_HEADER_BYTES > bytes.length) return null;
  if (MAGIC.some((byte, index) => bytes[offset + index] !== byte)) return null;
  const length = readUint32(bytes, offset + 4);
  const end = offset + FRAME_HEADER_BYTES + length;
  if (length > MAX_BODY_BYTES || end > bytes.length) return null;
  const frame = bytes.subarray(offset, end);
  if (readUint32(frame, 8) !== checksum(frame)) return null;
  let body = "";
  for (let index = FRAME_HEADER_BYTES; index < frame.length; index++) body += String.fromCharCode(frame[index] ?? 0);
  return { offset, end, body, previousHash: frame.slice(12, FRAME_HEADER_BYTES), hash: frameHash(frame, sha256) };
}

function checksum(frame: Uint8Array): number {
  const covered = new Uint8Array(frame.length - 8);
  covered.set(frame.subarray(4, 8), 0);
  covered.set(frame.subarray(12), 4);
  return crc32c(covered);
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  for (let index = 0; index < 4; index++) bytes[offset + index] = (value >>> (8 * index)) & 0xff;
}

function readUint32(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let index = 3; index >= 0; index--) value = value * 256 + (bytes[offset + index] ?? 0);
  return value;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
