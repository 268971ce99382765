import { watch } from "node:fs";
import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import { MOVED } from "../paths.ts";

/** One flush is a burst of events; a look in its middle would see half of it. */
const SETTLE_MS = 300;
/** On a server on which something moves all the time, a look costs as much as one each ten seconds. */
const AT_MOST_EVERY_MS = 10_000;

/**
 * When to look next: after a time, or as soon as a module says that somebody has moved something (a file that it touches in the folder that both
 * know). A folder that cannot be watched leaves the time.
 */
export class Moves {
  readonly #folder: string;
  readonly #moved = new Set<DomainName>();
  #wake: () => void = () => undefined;
  #watching = false;
  #lastEarlyMs = Number.NEGATIVE_INFINITY;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Domains to look at; none: all of them, because the time is over. */
  async next(withinMs: number, signal: AbortSignal): Promise<readonly DomainName[]> {
    this.#watch(signal);
    const until = performance.now() + withinMs;
    await this.#wait(withinMs, signal, () => this.#moved.size > 0);
    if (this.#moved.size === 0 || signal.aborted) return [];
    const earliest = Math.max(performance.now() + SETTLE_MS, this.#lastEarlyMs + AT_MOST_EVERY_MS);
    if (earliest >= until) {
      await this.#wait(until - performance.now(), signal, () => false);
      this.#moved.clear();
      return [];
    }
    await this.#wait(earliest - performance.now(), signal, () => false);
    this.#lastEarlyMs = performance.now();
    const moved = [...this.#moved];
    this.#moved.clear();
    return moved;
  }

  /** Ends after the time, or when `isEnough` has become true. */
  #wait(ms: number, signal: AbortSignal, isEnough: () => boolean): Promise<void> {
    if (signal.aborted || isEnough()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(end, Math.max(0, ms));
      signal.addEventListener("abort", end, { once: true });
      this.#wake = () => {
        if (isEnough()) end();
      };
    });
  }

  /** The folder is made by whoever comes first of guard and modules, so it may not be there yet, and may be made anew. */
  #watch(signal: AbortSignal): void {
    if (this.#watching) return;
    try {
      const watcher = watch(this.#folder, { signal, persistent: false }, (_event, name) => {
        const domain = DOMAINS.find((one) => name === `${MOVED}${one}`);
        if (domain === undefined) return;
        this.#moved.add(domain);
        this.#wake();
      });
      const over = (): void => {
        this.#watching = false;
      };
      watcher.on("error", over).on("close", over);
      this.#watching = true;
    } catch {
      // It is tried again before the next look.
    }
  }
}
