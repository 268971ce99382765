/** Heads as servers are handed them, and the receipts that they give for them. */
import type { AuditHead, KeepAuditHeadResponse } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { type AnchoredHead, anchorText, type SignedAnchor } from "@holdfast/proto/wire/audit-head.ts";
import { SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import { z } from "zod";
import { isSignedBy } from "../authority/signed-by.ts";
import type { HeadSigner } from "./checkpoint.ts";

export function signAnchor(signer: HeadSigner, { epoch, entries, head, at }: AnchoredHead): SignedAnchor {
  return { epoch, entries, head, at, signature: signer.signText(anchorText({ epoch, entries, head, at })) };
}

export interface AuditReceipt {
  readonly body: string;
  readonly signature: Uint8Array;
}

/** What a server said that it keeps, as far as it can be believed. */
export interface KeptThere {
  readonly head: AnchoredHead;
  /** Its receipt is over this very head, by a key of this server. */
  readonly isProven: boolean;
  /** This house signed it. */
  readonly isOurs: boolean;
  readonly receipt: AuditReceipt;
}

/** Null: it keeps none. `keys` are the SubjectPublicKeyInfo of the server's receipt keys. */
export function keptThere(
  answer: Pick<KeepAuditHeadResponse, "kept" | "receipt">,
  serverId: string,
  keys: readonly Uint8Array[],
  signer: HeadSigner,
): KeptThere | null {
  if (answer.kept === undefined) return null;
  const { signature } = answer.kept;
  const said = readable(answer.kept);
  const receipt = { body: answer.receipt?.body ?? "", signature: answer.receipt?.signature ?? new Uint8Array() };
  const receipted = headOfReceipt(receipt, serverId, keys);
  return {
    head: said,
    isProven: receipted !== null && isSame(receipted, said),
    isOurs: signer.isOurText(anchorText(said), signature),
    receipt,
  };
}

const HASH = /^[0-9a-f]{64}$/;
const AT = /^[0-9T:.Z-]{1,32}$/;

/** A server may say anything; what no head can be is nothing that a receipt or a signature could stand behind. */
function readable({ epoch, entries, head, at }: AuditHead): AnchoredHead {
  return {
    epoch: epoch <= MOST ? Number(epoch) : 0,
    entries: entries <= MOST ? Number(entries) : 0,
    head: HASH.test(head) ? head : "",
    at: AT.test(at) ? at : "",
  };
}

const MOST = BigInt(Number.MAX_SAFE_INTEGER);

const BODY = z.object({
  server_id: z.string(),
  epoch: z.int().positive(),
  entries: z.int().positive(),
  head: z.string().regex(HASH),
  at: z.string(),
});

/** The head that this receipt is over; null when no key of this server signed it, or it is of another one. */
export function headOfReceipt(
  { body, signature }: AuditReceipt,
  serverId: string,
  keys: readonly Uint8Array[],
): AnchoredHead | null {
  const text = Buffer.from(SIGNED_TEXT.auditReceipt + body, "utf8");
  if (!keys.some((key) => isSignedBy(key, text, signature))) return null;
  const parsed = BODY.safeParse(jsonOf(body));
  if (!parsed.success || parsed.data.server_id !== serverId) return null;
  const { epoch, entries, head, at } = parsed.data;
  return { epoch, entries, head, at };
}

function isSame(a: AnchoredHead, b: AnchoredHead): boolean {
  return a.epoch === b.epoch && a.entries === b.entries && a.head === b.head && a.at === b.at;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
