import { AsyncLocalStorage } from "node:async_hooks";

/** True inside the body of a transaction, also across awaits. */
const scope = new AsyncLocalStorage<true>();

export function inTransactionScope<T>(body: () => Promise<T>): Promise<T> {
  return scope.run(true, body);
}

/**
 * I15: no message leaves inside a database transaction, and no lock is held while a server is waited for. Every gateway call
 * begins with this. It is a bug in the caller, so it throws.
 */
export function assertNotInTransaction(what: string): void {
  if (scope.getStore() === true)
    throw new Error(`${what} inside a database transaction: commit the intent first, then act`);
}
