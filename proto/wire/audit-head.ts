import { SIGNED_TEXT } from "./session.ts";

/** A head of the audit log as servers keep it; the words that are signed are spelled alike by both ends. */
export interface AnchoredHead {
  /** From 1; a higher one begins when operators accept a log that is not the one that servers keep a head of. */
  readonly epoch: number;
  readonly entries: number;
  readonly head: string;
  /** ISO 8601, for people. */
  readonly at: string;
}

export interface SignedAnchor extends AnchoredHead {
  readonly signature: Uint8Array;
}

/** What the control plane signs: canonical JSON, its keys in order. */
export function anchorText({ at, entries, epoch, head }: AnchoredHead): string {
  return SIGNED_TEXT.auditAnchor + JSON.stringify({ at, entries, epoch, head });
}

/** Whether the second one says more: nobody takes back what is kept. */
export function isHigher(kept: AnchoredHead, offered: AnchoredHead): boolean {
  return offered.epoch > kept.epoch || (offered.epoch === kept.epoch && offered.entries > kept.entries);
}
