/**
 * How the head that a server keeps stands to the audit log of the database. Pure: whoever asks brings what the server said and what the log has
 * at that place.
 *   S1. A server accuses the log only with a head that this house has signed: what a server makes up says something of the server.
 *   S2. What lies in an epoch that is over was accepted by a person and accuses nobody; its server is handed the epoch of today.
 *   S3. An epoch that the database does not know is ahead of it, however many entries there are.
 */
export const AUDIT_STANDINGS = ["holds", "none", "ahead", "forked", "unproven", "refuses", "unsupported"] as const;
export type AuditStanding = (typeof AUDIT_STANDINGS)[number];

/** What one of them says: of the log, of the server, or nothing. */
export const ACCUSES = {
  holds: null,
  none: null,
  ahead: "log",
  forked: "log",
  unproven: "server",
  refuses: "server",
  unsupported: null,
} as const satisfies Record<AuditStanding, "log" | "server" | null>;

export interface HeldHead {
  readonly epoch: number;
  readonly entries: number;
  readonly head: string;
}

export interface SaidOfHead {
  /** Null: it keeps none. */
  readonly kept: HeldHead | null;
  /** Its own code where it refused or could not read; empty otherwise. */
  readonly refusedCode: string;
  /** The server's key stands behind what it said. */
  readonly isProven: boolean;
  /** The head is one that this house signed. */
  readonly isOurs: boolean;
}

/** Another instance has handed it more meanwhile: as long as that is in the log, nothing is wrong. */
const KNOWS_MORE = "audit_head.goes_back";

export interface LogNow {
  readonly epoch: number;
  /** Hash of the entry that the kept head is of; null: the log has no such entry. */
  readonly hashThere: string | null;
}

export function standingOf({ kept, refusedCode, isProven, isOurs }: SaidOfHead, log: LogNow): AuditStanding {
  if (kept === null) return refusedCode === "" ? "none" : "refuses";
  if (!isProven || !isOurs) return "unproven";
  if (kept.epoch > log.epoch) return "ahead";
  if (kept.epoch < log.epoch || log.hashThere === kept.head)
    return refusedCode === "" || refusedCode === KNOWS_MORE ? "holds" : "refuses";
  return log.hashThere === null ? "ahead" : "forked";
}
