import type { Ending, Stage } from "./stage.ts";

/** One row of docs/protocol/fault-table.json, provoked. */
export interface Fault {
  /** As the table names it. */
  readonly test: string;
  /** Where a row is provoked in more than one way. */
  readonly how?: string;
  /** Among the few that every `make test` runs. */
  readonly slice?: true;
  /** Lets it happen in the middle of an ordinary change and waits for the end. */
  readonly suffer: (stage: Stage) => Promise<Ending>;
}
