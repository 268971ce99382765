/**
 * The newest head of the control plane's audit log that this server was handed. Whoever owns the control plane's database can cut the log and
 * every head that stands beside it; not what is here.
 *   A1. The key that signs heads is pinned with the first one, which came over a session whose other end the certificate authority of the
 *       enrolment vouches for. Commands are signed by another process, which neither sees the log nor signs heads.
 *   A2. Nothing goes back: fewer entries, or as many with another hash, are refused, and so is a lower epoch.
 *   A3. What is kept is on the disk before a receipt leaves, and with the time at which it was kept: the receipt is the same one for ever.
 *   A4. One file of bounded size: the newest head, and the last one of each epoch before. Whoever begins epochs takes none of them away: when
 *       the file is full it takes no other epoch, until somebody at the server has looked. It is beside the ledger and not in it: a record each minute would push out what the ledger is for.
 */
import { createHash, createPublicKey, verify } from "node:crypto";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { anchorText, isHigher, type SignedAnchor } from "@holdfast/proto/wire/audit-head.ts";
import { SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import { readTextIfThere, writeFileDurably } from "../os/files.ts";

export interface KeptHead extends SignedAnchor {
  /** Of this server's clock, milliseconds. */
  readonly keptAtMs: number;
}

export interface KeptHeads {
  readonly serverId: string;
  /** Raw Ed25519, hex. */
  readonly signerKey: string;
  readonly newest: KeptHead;
  /** The last head of each epoch before, the newest epoch first. */
  readonly ended: readonly KeptHead[];
}

/** Backups that are put back in the life of a server: more than anybody should. Each takes 400 bytes. */
const ENDED_MOST = 32;
const HEAD = /^[0-9a-f]{64}$/;
const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const RAW_KEY = /^[0-9a-f]{64}$/;
const SIGNATURE_BYTES = 64;

export interface Offered {
  readonly head: SignedAnchor;
  /** Raw Ed25519, hex. */
  readonly signerKey: string;
}

export interface HeadRefusal {
  readonly code:
    | "audit_head.unreadable"
    | "audit_head.other_key"
    | "audit_head.signature"
    | "audit_head.forked"
    | "audit_head.goes_back"
    | "audit_head.too_many_epochs"
    | "audit_head.file_unreadable"
    | "audit_head.unwritable";
  readonly message: string;
}

export interface Keeping {
  readonly heads: KeptHeads;
  /** It is not on the disk yet. */
  readonly isNew: boolean;
}

/** What becomes of a head that is offered. Pure but for the arithmetic of the signature. */
export function keeping(
  kept: KeptHeads | null,
  offered: Offered,
  serverId: string,
  nowMs: number,
): Result<Keeping, HeadRefusal> {
  const { head, signerKey } = offered;
  if (!isReadable(head) || !RAW_KEY.test(signerKey))
    return err({ code: "audit_head.unreadable", message: "what was sent is no head of an audit log" });
  if (kept !== null && kept.signerKey !== signerKey)
    return err({
      code: "audit_head.other_key",
      message: `heads are taken from the key ${keyName(kept.signerKey)} alone, not from ${keyName(signerKey)}`,
    });
  if (!isSigned(head, signerKey))
    return err({ code: "audit_head.signature", message: "the signature over the head does not hold" });
  if (kept === null) {
    const heads = { serverId, signerKey, newest: { ...head, keptAtMs: nowMs }, ended: [] };
    return ok({ heads, isNew: true });
  }
  const { newest } = kept;
  if (isHigher(newest, head)) {
    const ended = head.epoch > newest.epoch ? [newest, ...kept.ended] : kept.ended;
    if (ended.length > ENDED_MOST)
      return err({
        code: "audit_head.too_many_epochs",
        message: `the last heads of ${ENDED_MOST} epochs are kept here, and no other epoch is taken: look why there were so many, keep a copy of the file, then remove it`,
      });
    return ok({ heads: { ...kept, newest: { ...head, keptAtMs: nowMs }, ended }, isNew: true });
  }
  if (head.epoch === newest.epoch && head.entries === newest.entries)
    return head.head === newest.head
      ? ok({ heads: kept, isNew: false })
      : err({
          code: "audit_head.forked",
          message: `another log of ${head.entries} entries: ${newest.head} is kept, ${head.head} was sent`,
        });
  return err({
    code: "audit_head.goes_back",
    message: `${newest.entries} entries of epoch ${newest.epoch} are known here; ${head.entries} of epoch ${head.epoch} were sent`,
  });
}

/** What the guard's key signs. */
export function receiptBody({ serverId, signerKey, newest }: KeptHeads): string {
  const { epoch, entries, head, at, keptAtMs } = newest;
  return canonicalJson({ server_id: serverId, epoch, entries, head, at, kept_at_ms: keptAtMs, signer_key: signerKey });
}

export function receiptText(body: string): string {
  return SIGNED_TEXT.auditReceipt + body;
}

/** For people: what a key is called where 64 digits are too long. */
export function keyName(signerKey: string): string {
  return createHash("sha256").update(Buffer.from(signerKey, "hex")).digest("hex").slice(0, 16);
}

/**
 * Null when none was kept, and for the heads of an enrolment that is over: they are of another control plane, or of another life with it. A file
 * that cannot be read is not taken for none: then the log could go back unseen.
 */
export function readKeptHeads(path: string, serverId: string): Result<KeptHeads | null, HeadRefusal> {
  const text = readTextIfThere(path);
  if (text === null) return ok(null);
  const kept = parseKept(text);
  if (kept !== null) return ok(kept.serverId === serverId ? kept : null);
  return err({
    code: "audit_head.file_unreadable",
    message: `${path} cannot be read: keep a copy of it, compare with the control plane, then remove it; the next head is kept anew`,
  });
}

/** @throws the system's error when the disk refuses */
export function writeKeptHeads(path: string, heads: KeptHeads): void {
  const { newest, ended } = heads;
  const text = JSON.stringify({ ...heads, newest: headInText(newest), ended: ended.map(headInText) }, null, 2);
  writeFileDurably(path, `${text}\n`, 0o600);
}

/** For a file and for machines that read: the signature in base64, so that the key alone proves it. */
export function headInText(head: KeptHead) {
  return { ...head, signature: Buffer.from(head.signature).toString("base64") };
}

function parseKept(text: string): KeptHeads | null {
  const value = asRecord(jsonOf(text));
  if (value === null) return null;
  const { serverId, signerKey } = value;
  const newest = parseHead(value["newest"]);
  const ended = Array.isArray(value["ended"]) ? value["ended"].map(parseHead) : [null];
  if (typeof serverId !== "string" || typeof signerKey !== "string" || !RAW_KEY.test(signerKey) || newest === null)
    return null;
  const whole = ended.filter((one) => one !== null);
  return whole.length === ended.length ? { serverId, signerKey, newest, ended: whole } : null;
}

function parseHead(value: unknown): KeptHead | null {
  const { epoch, entries, head, at, signature, keptAtMs } = asRecord(value) ?? {};
  if (typeof epoch !== "number" || typeof entries !== "number" || typeof head !== "string" || typeof at !== "string")
    return null;
  if (typeof signature !== "string" || typeof keptAtMs !== "number") return null;
  const one = { epoch, entries, head, at, signature: Buffer.from(signature, "base64") };
  return isReadable(one) ? { ...one, keptAtMs } : null;
}

function isReadable({ epoch, entries, head, at, signature }: SignedAnchor): boolean {
  const counts = Number.isSafeInteger(epoch) && epoch >= 1 && Number.isSafeInteger(entries) && entries >= 1;
  return counts && HEAD.test(head) && AT.test(at) && signature.length === SIGNATURE_BYTES;
}

function isSigned(head: SignedAnchor, rawKeyHex: string): boolean {
  const x = Buffer.from(rawKeyHex, "hex").toString("base64url");
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verify(null, Buffer.from(anchorText(head), "utf8"), key, head.signature);
  } catch {
    return false; // a key that cannot be read has signed nothing
  }
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
