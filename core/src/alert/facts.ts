import type { Effect, Phase } from "../apply/state.ts";
/** What the detectors are told: rows of the database at one moment, times as milliseconds of the database's clock. */
import type { FloorByDomain } from "../floor/standing.ts";

export interface AlertFacts {
  readonly nowMs: number;
  readonly open: readonly OpenApplyFact[];
  readonly refused: readonly RefusedFact[];
  /** Applies that ended, by whole hours ago: 0 is the last sixty minutes. Hours in which none ended may be left out. */
  readonly hours: readonly HourFact[];
  readonly left: readonly LeftBehindFact[];
  readonly drifted: readonly ServerFact<{ readonly domains: readonly string[] }>[];
  /** Servers of whose floor there is something to tell, and since when. */
  readonly floors: readonly ServerFact<{ readonly floor: FloorByDomain; readonly sinceMs: number }>[];
  readonly away: readonly ServerFact<{ readonly sinceMs: number }>[];
  readonly expiring: readonly ServerFact<{ readonly notAfterMs: number }>[];
  readonly unapproved: readonly UnapprovedFact[];
  readonly copied: readonly CopiedPasskeyFact[];
  readonly keys: readonly KeyFact[];
  readonly people: readonly PersonCertificateFact[];
  /** What the instances last said of the audit log. */
  readonly audit: AuditFact;
  /** Servers whose head of the audit log is not in it, as they last said; none of an epoch that is over. */
  readonly accusing: readonly AccusingFact[];
  /** The newest epoch that somebody began; null: nobody ever did. */
  readonly epoch: EpochFact | null;
  readonly instances: readonly InstanceFact[];
  readonly database: DatabaseFact;
}

export type ServerFact<More> = { readonly serverId: string; readonly server: string } & More;

export interface OpenApplyFact {
  readonly applyId: string;
  readonly serverId: string;
  readonly server: string;
  readonly state: "APPLYING" | "ROLLBACKING";
  readonly phase: Phase;
  /** When the transaction under way began to be sent, and when it was told to change something. */
  readonly beganMs: number;
  readonly executedMs: number | null;
  /** Steps and trial together: after this the server has undone it by itself. */
  readonly longestMs: number;
  readonly inDoubtSinceMs: number | null;
  /** In words for a person. */
  readonly waitingFor: string;
}

/** Attempts on one server that were refused because another one was under way, in the last REFUSED_WITHIN_MS. */
export interface RefusedFact {
  readonly serverId: string | null;
  readonly server: string | null;
  readonly count: number;
  readonly lastActor: string;
}

export interface HourFact {
  readonly hoursAgo: number;
  readonly ended: number;
  readonly failed: number;
}

/** The newest apply of a server that ended with something left behind, while the server is locked for it. */
export interface LeftBehindFact {
  readonly applyId: string;
  readonly serverId: string;
  readonly server: string;
  readonly effect: Exclude<Effect, "none">;
  readonly code: string;
}

/** A change that was applied before its approvals, that is not undone everywhere, and whose approvals are still missing. */
export interface UnapprovedFact {
  readonly changeId: string;
  readonly title: string;
  readonly by: string;
  readonly reason: string;
  readonly needed: number;
  readonly given: number;
}

/** A passkey whose counter did not go on, while nobody has looked since and its account is open. */
export interface CopiedPasskeyFact {
  readonly passkeyId: string;
  readonly passkey: string;
  readonly account: string;
  readonly lastMs: number;
}

/** The key of a tunnel in force that says how old it may become. */
export interface KeyFact {
  readonly secret: string;
  readonly tunnel: string;
  readonly version: number;
  readonly madeMs: number;
  readonly dueMs: number;
}

/** A certificate that a tunnel in force names for a person. */
export interface PersonCertificateFact {
  readonly tunnel: string;
  readonly person: string;
  readonly notAfterMs: number;
}

/** Why the audit log is not what was written: its chain does not hold, or a head that was kept is not in it, or was signed by another. */
export type AuditBreak = "position" | "previous" | "content" | "cut_off" | "rewritten" | "forged_checkpoint";

/** `not_known`: somebody has not looked at it yet, so that it is whole cannot be said. */
export type AuditFact =
  | { readonly state: "whole" | "not_known" }
  | { readonly state: "broken"; readonly entry: number; readonly reason: AuditBreak };

export type AccusingFact = ServerFact<{ readonly standing: "ahead" | "forked"; readonly entries: number }>;

export interface EpochFact {
  readonly epoch: number;
  readonly entries: number;
  readonly by: string;
  readonly reason: string;
  readonly beganMs: number;
}

export interface InstanceFact {
  readonly instanceId: string;
  readonly address: string;
  /** The machine's name; null when it has not said. */
  readonly host: string | null;
  readonly diskFreeBytes: number | null;
  readonly diskTotalBytes: number | null;
}

export interface DatabaseFact {
  readonly checksumFailures: number;
  readonly connections: number;
  readonly connectionsMost: number;
  /** Of the oldest row, in transactions: PostgreSQL stops at about 2.1 thousand million. */
  readonly oldestTransactionAge: number;
  /** The longest that an instance could not reach it, of those that ended lately. */
  readonly awaySeconds: number;
}
