import { z } from "zod";

const movedSchema = z.object({
  kind: z.string(),
  server_id: z.string().default(""),
  rollout_id: z.string().default(""),
  apply_id: z.string().default(""),
  action: z.string().default(""),
  state: z.string().default(""),
  phase: z.string().default(""),
});

export type Moved = z.infer<typeof movedSchema> & {
  /** performance.now() when it was heard. */
  readonly at: number;
};

/** Listens to the API's events as any client may: what moves is known at once, and nobody polls while something is measured. Must be closed. */
export class EventTap {
  readonly #controller = new AbortController();
  readonly #heard: Moved[] = [];
  #wake: () => void = () => undefined;
  #failure: Error | null = null;

  private constructor() {}

  static async open(url: string, token: string): Promise<EventTap> {
    const tap = new EventTap();
    const response = await fetch(`${url}/api/v1/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: tap.#controller.signal,
    });
    if (!response.ok || response.body === null) throw new Error(`the events answered ${response.status}`);
    void tap.#read(response.body).catch((error: unknown) => {
      tap.#failure ??= error instanceof Error ? error : new Error(String(error));
      tap.#wake();
    });
    return tap;
  }

  /** Forgets what was heard before. */
  clear(): void {
    this.#heard.length = 0;
  }

  /** What was heard of this since the last clear. */
  heard(): readonly Moved[] {
    return this.#heard;
  }

  /** Waits for the first event that is meant, also one that has come already. */
  async until(meant: (moved: Moved) => boolean, withinMs: number): Promise<Moved> {
    const timer = setTimeout(() => {
      this.#failure ??= new Error(
        `nothing was heard within ${withinMs} ms; the last was ${JSON.stringify(this.#heard.at(-1))}`,
      );
      this.#wake();
    }, withinMs);
    try {
      for (let looked = 0; ;) {
        for (; looked < this.#heard.length; looked++) {
          const moved = this.#heard[looked];
          if (moved !== undefined && meant(moved)) return moved;
        }
        if (this.#failure !== null) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#controller.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let partial = "";
    for await (const chunk of body) {
      const lines = (partial + decoder.decode(chunk, { stream: true })).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) {
        if (!line.startsWith("data: ")) continue;
        const moved = movedSchema.safeParse(JSON.parse(line.slice("data: ".length)));
        if (moved.success) this.#heard.push({ ...moved.data, at: performance.now() });
      }
      this.#wake();
    }
  }
}
