import type { SentKind } from "../store/host-transactions.ts";

export interface CallAnswer {
  readonly atMs: number;
  /** Why it was none; null: it was one. */
  readonly failure: string | null;
}

/** Transactions; one that ends elsewhere is pushed out by those that come later. */
const MOST = 4_096;

/**
 * When the last answer to each command of a transaction came to this instance. It outlives the session that the answer came over: going on
 * trial ends every session, and whoever ends the transaction works over the next one.
 */
export class CallAnswers {
  readonly #answers = new Map<string, Map<SentKind, CallAnswer>>();

  came(requestId: string, kind: SentKind, answer: CallAnswer): void {
    const known = this.#answers.get(requestId) ?? new Map<SentKind, CallAnswer>();
    this.#answers.set(requestId, known.set(kind, answer));
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MOST && oldest !== undefined) this.#answers.delete(oldest);
  }

  /** They are not asked for again. */
  take(requestId: string): ReadonlyMap<SentKind, CallAnswer> {
    const known = this.#answers.get(requestId) ?? new Map<SentKind, CallAnswer>();
    this.#answers.delete(requestId);
    return known;
  }
}
