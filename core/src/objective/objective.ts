/**
 * What is promised over thirty days, and how much of what may go wrong is left. One table for the API, the console and the command line; the rules of
 * deploy/prometheus say the same, and a test holds them to it.
 */
export interface Objective {
  /** The share of what is counted that must be good. */
  readonly promised: number;
  /** Good is what took no longer; null: how long it took does not matter. */
  readonly withinSeconds: number | null;
}

export const OBJECTIVES = {
  /** Of what was begun, what ended as requested; what somebody wanted back is left out. */
  success: { promised: 0.95, withinSeconds: null },
  /** Of what ended, what ended soon, whatever the end. */
  in_time: { promised: 0.95, withinSeconds: 60 },
  /** Of servers that a change had cut off, those that were soon as before. */
  recovery: { promised: 0.99, withinSeconds: 60 },
} as const satisfies Record<string, Objective>;

export type ObjectiveName = keyof typeof OBJECTIVES;
export const OBJECTIVE_NAMES = Object.keys(OBJECTIVES) as readonly ObjectiveName[];

/** Days that are looked back over. Shorter forgets a bad week too soon, longer a good one too late. */
export const OBJECTIVE_DAYS = 30;

/** Rolled back because a person wanted it: no failure. A pattern of regular expressions that PostgreSQL and Prometheus read alike. */
export const WISHED_BACK = "operator[.].*|apply[.]rolled_back_by_operator";

export interface Counted {
  readonly all: number;
  readonly good: number;
}

export interface Standing {
  /** Null: nothing was counted, and nothing is no share. */
  readonly share: number | null;
  /** 1: nothing went wrong; 0: as much as may; below 0: more than is promised. */
  readonly budgetLeft: number | null;
}

export function standingOf(objective: Objective, { all, good }: Counted): Standing {
  if (all <= 0) return { share: null, budgetLeft: null };
  const share = good / all;
  return { share, budgetLeft: 1 - (1 - share) / (1 - objective.promised) };
}
