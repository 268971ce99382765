import type { ApplyState, Effect, ServerIs } from "@holdfast/core/apply/state.ts";
import type { Ending, Stage } from "./stage.ts";

export interface Outcome {
  readonly expectedState: ApplyState;
  readonly expectedEffect: Effect | null;
  readonly expectedServer: ServerIs;
}

/** One row of docs/protocol/fault-table.json, or one cell of the kill grid, provoked. */
export interface Fault {
  /** As the table names it. */
  readonly test: string;
  /** How it may end, where the table has no row for it. */
  readonly outcomes?: readonly Outcome[];
  /** Where a row is provoked in more than one way. */
  readonly how?: string;
  /** Among the few that every `make test` runs. */
  readonly slice?: true;
  /** Lets it happen in the middle of an ordinary change and waits for the end. */
  readonly suffer: (stage: Stage) => Promise<Ending>;
}
