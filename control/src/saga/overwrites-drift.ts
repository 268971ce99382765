/** A finding of the plan by which its reader was told that drift is overwritten; without it the server refuses where drift overlaps. */
export const OVERWRITES_DRIFT = "plan.overwrites_drift";
