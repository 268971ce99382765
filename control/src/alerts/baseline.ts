import { BASELINE_HOURS } from "@holdfast/core/alert/failure-rate.ts";
import type { Queryable } from "../store/database.ts";
import { type Hour, hours } from "./store/facts.ts";

/** A week moves by a thousandth meanwhile. */
const AGAIN_MS = 10 * 60_000;

/** How applies ended in the week before this hour, counted now and then and not at every look. */
export class Baseline {
  #hours: readonly Hour[] = [];
  #countedMs: number | null = null;

  async hours(database: Queryable, nowMs: number): Promise<readonly Hour[]> {
    if (this.#countedMs === null || nowMs - this.#countedMs >= AGAIN_MS) {
      this.#hours = await hours(database, 1, BASELINE_HOURS + 1);
      this.#countedMs = nowMs;
    }
    return this.#hours;
  }
}
