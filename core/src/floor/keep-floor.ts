/**
 * What the guard does when the floor of a server is lost outside of a transaction: another tool, a package that restarts a daemon, a person with
 * `nft flush ruleset`. Pure: the guard brings what it saw and what it has done before.
 *
 *   F1. Never while a transaction is open, nor on a server that is locked: what is in force then is somebody's matter.
 *   F2. Never without end: what is lost again and again is somebody's doing, and two masters never agree. After MOST_REPAIRS in REPAIRS_WITHIN_MS
 *       it is left as it is and said so, until the next confirmed state or the next boot.
 *   F3. Counted before it is done, on the disk: a guard that dies in the middle has used up one.
 */
export const WHEN_FLOOR_LOST = ["alarm", "repair"] as const;
export type WhenFloorLost = (typeof WHEN_FLOOR_LOST)[number];

/** Once is an accident, twice a package that was slow, three times a program. */
export const MOST_REPAIRS = 3;
export const REPAIRS_WITHIN_MS = 60 * 60_000;

/** One restore of one domain, as the guard wrote it down. */
export interface FloorRepair {
  readonly domain: string;
  /** Of the boot that this list is of; the wall clock may jump. */
  readonly boottimeMs: number;
  /** For people. */
  readonly wallMs: number;
  /** What was lost, in words. */
  readonly lost: string;
  /** Why it did not help; empty: what is confirmed was read back. Null: it was begun, and nothing is known of its end. */
  readonly failure: string | null;
}

export interface FloorLook {
  readonly domain: string;
  readonly whenLost: WhenFloorLost;
  readonly isLost: boolean;
  readonly isTransactionOpen: boolean;
  readonly isLocked: boolean;
  /** Of this boot and this confirmed state, of any domain. */
  readonly repairs: readonly FloorRepair[];
}

export type FloorAnswer = "nothing" | "repair" | "alarm" | "gave_up";

export function keepFloor(look: FloorLook): FloorAnswer {
  if (!look.isLost || look.isTransactionOpen) return "nothing";
  if (look.whenLost === "alarm" || look.isLocked) return "alarm";
  return hasGivenUp(look.repairs, look.domain) ? "gave_up" : "repair";
}

/** Whether so many stand within so short a time that another one would be a loop. */
export function hasGivenUp(repairs: readonly FloorRepair[], domain: string): boolean {
  const times = repairs
    .filter((repair) => repair.domain === domain)
    .map(({ boottimeMs }) => boottimeMs)
    .toSorted((a, b) => a - b);
  return times.some(
    (from, index) => (times[index + MOST_REPAIRS - 1] ?? Number.POSITIVE_INFINITY) - from < REPAIRS_WITHIN_MS,
  );
}
