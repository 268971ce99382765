/**
 * A person has said that the log counts as it is, although more of it, or another one, is kept elsewhere: a backup was put back. From there on
 * heads carry a higher epoch, and what was signed before it accuses nobody.
 */
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { HeadSigner } from "./checkpoint.ts";

/** The epoch of a log of which nobody has ever said so. */
export const FIRST_EPOCH = 1;

export interface AuditEpoch {
  readonly epoch: number;
  /** The log as it was then. */
  readonly entries: number;
  readonly head: string;
  /** ISO 8601. */
  readonly at: string;
  readonly begunBy: string;
  readonly reason: string;
}

export interface SignedEpoch extends AuditEpoch {
  readonly signature: Buffer;
}

const CONTEXT = "holdfast-audit-epoch-v1\n";

export function signEpoch(signer: HeadSigner, epoch: AuditEpoch): SignedEpoch {
  return { ...epoch, signature: signer.signText(signed(epoch)) };
}

export interface KnownEpochs {
  /** The newest one that this house has signed; null: the first, which nobody began. */
  readonly newest: SignedEpoch | null;
  /** One that stands there and that this house has not signed. */
  readonly forged: SignedEpoch | null;
}

export function knownEpochs(signer: HeadSigner, all: readonly SignedEpoch[]): KnownEpochs {
  const isOurs = (one: SignedEpoch): boolean => signer.isOurText(signed(one), one.signature);
  const newest = all.filter(isOurs).toSorted((a, b) => b.epoch - a.epoch)[0] ?? null;
  return { newest, forged: all.find((one) => !isOurs(one)) ?? null };
}

/** Whether a head that was signed then may be missing from the log: somebody has accepted the log as it was afterwards. */
export function isBeforeEpoch(newest: SignedEpoch | null, at: string): boolean {
  return newest !== null && Date.parse(at) <= Date.parse(newest.at);
}

function signed({ epoch, entries, head, at, begunBy, reason }: AuditEpoch): string {
  return CONTEXT + canonicalJson({ epoch, entries, head, at, begun_by: begunBy, reason });
}
