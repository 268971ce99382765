import type { UserId } from "@holdfast/core/base/id.ts";
import { sql } from "../../store/sql.ts";
import type { Transaction } from "../../store/transaction.ts";

/** Gives a key back whose request was refused: nothing was done with it. One that was answered stays. */
export async function forgetUnansweredKey(tx: Transaction, user: UserId, key: string): Promise<void> {
  await tx.run(sql`delete from idempotency_keys where user_id = ${user} and key = ${key} and status is null`);
}
