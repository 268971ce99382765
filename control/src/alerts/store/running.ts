import type { RolloutId } from "@holdfast/core/base/id.ts";
import { sql } from "../../store/sql.ts";
import type { Transaction } from "../../store/transaction.ts";

/** Rollouts that go forward, also those that pause between two waves. */
export function runningForward(tx: Transaction): Promise<readonly { readonly id: RolloutId }[]> {
  return tx.rows<{ readonly id: RolloutId }>(
    sql`select id from rollouts where state = 'RUNNING' and kind = 'forward' order by id`,
  );
}
