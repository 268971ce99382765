import type { House } from "../house.ts";
import { type Transaction, transaction } from "../store/transaction.ts";

/** One transaction of a handler; what it fails with goes on to the one door that answers for it. */
export async function inTransaction<T>(house: House, body: (tx: Transaction) => Promise<T>): Promise<T> {
  const done = await transaction(house.database, body);
  if (!done.ok) throw done.error;
  return done.value;
}
