/** Ends a request whose other side says nothing for so long. How long all of it takes does not matter, nor what is done between its parts. */
export class Silence {
  readonly #ended = new AbortController();
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Waits for the other side: its headers, or its next part. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.end(`no word for ${this.#ms / 1000} s`), this.#ms);
    try {
      return await wait();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing more is wanted of the other side. */
  end(why = "nothing more is wanted"): void {
    this.#ended.abort(new Error(why));
  }
}
