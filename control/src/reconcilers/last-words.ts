import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import type { DomainState } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";

export interface LastWordsOptions {
  /** Writes all of these, or throws and has written nothing. */
  readonly write: (states: readonly DomainState[]) => Promise<void>;
  /** Nobody speaks over this session any more. */
  readonly isOver: () => boolean;
  /** The time before what failed is tried again. */
  readonly pause: () => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * What an agent said last of each domain over one session, kept until it is written. One write at a time, so that the last word stays; no more is
 * kept than there are domains, however much an agent says; and a database that is away is asked again.
 */
export class LastWords {
  readonly #options: LastWordsOptions;
  readonly #unwritten = new Map<DomainName, DomainState>();
  readonly #said = new Set<DomainName>();
  #isWriting = false;

  constructor(options: LastWordsOptions) {
    this.#options = options;
  }

  /** It said so by itself. A domain that nobody here knows is nobody's. */
  say(state: DomainState): void {
    const domain = DOMAINS.find((one) => one === state.domain);
    if (domain === undefined) return;
    this.#said.add(domain);
    this.#unwritten.set(domain, state);
    void this.#writeAll();
  }

  /** It was found when all was looked at. What the agent has said by itself meanwhile is at least as new. */
  found(states: readonly DomainState[]): void {
    for (const state of states) {
      const domain = DOMAINS.find((one) => one === state.domain);
      if (domain !== undefined && !this.#said.has(domain)) this.#unwritten.set(domain, state);
    }
    void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#unwritten.size > 0) {
      const states = [...this.#unwritten];
      try {
        await this.#options.write(states.map(([, state]) => state));
        // What came meanwhile is another word.
        for (const [domain, state] of states) if (this.#unwritten.get(domain) === state) this.#unwritten.delete(domain);
      } catch (error) {
        this.#options.onTrouble(error);
        if (!this.#options.isOver()) await this.#options.pause();
        if (this.#options.isOver()) break;
      }
    }
    this.#isWriting = false;
  }
}
