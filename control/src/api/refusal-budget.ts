/** Refusals of nobody in particular that are written to the audit log, per source and minute: it cannot be filled up from outside. */
const PER_MINUTE = 30;
const MINUTE_MS = 60_000;
/** Sources remembered at once. */
const SOURCES_MOST = 10_000;

export class RefusalBudget {
  readonly #nowMs: () => number;
  readonly #spent = new Map<string, { readonly sinceMs: number; count: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** False: this source has had its share of this minute. */
  take(source: string): boolean {
    const now = this.#nowMs();
    const known = this.#spent.get(source);
    if (known !== undefined && now - known.sinceMs < MINUTE_MS) {
      known.count += 1;
      return known.count <= PER_MINUTE;
    }
    if (this.#spent.size >= SOURCES_MOST) this.#spent.clear();
    this.#spent.set(source, { sinceMs: now, count: 1 });
    return true;
  }
}
