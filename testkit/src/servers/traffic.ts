import { InsideProgram, type Place } from "./inside-program.ts";
import type { FloodInstructions, FloodReport } from "./inside/flood.ts";
import type { HttpClientInstructions, HttpSample } from "./inside/http-client.ts";
import type { PersistentInstructions, PersistentReport } from "./inside/persistent-tcp.ts";

export type { FloodReport } from "./inside/flood.ts";
export type { HttpSample } from "./inside/http-client.ts";
export type { Gap, PersistentReport } from "./inside/persistent-tcp.ts";

/** Traffic that runs while something is changed, and tells afterwards what it suffered. Each must be stopped. */

/** An established connection that keeps echoing. Start it against a TCP port of listenAll. */
export class PersistentTcp {
  readonly #program: InsideProgram;

  private constructor(program: InsideProgram) {
    this.#program = program;
  }

  /** Resolves when the connection stands; fails when it cannot be made. */
  static async start(
    from: Place,
    target: Omit<PersistentInstructions, "everyMs"> & { readonly everyMs?: number },
  ): Promise<PersistentTcp> {
    return new PersistentTcp(
      await InsideProgram.start(from, "persistent-tcp", { everyMs: 100, ...target } satisfies PersistentInstructions),
    );
  }

  async report(): Promise<PersistentReport> {
    return (await this.#program.ask("report")) as PersistentReport;
  }

  async stop(): Promise<PersistentReport> {
    const last = await this.report();
    await this.#program.stop();
    return last;
  }
}

/** A visitor of a web page who never gives up. */
export class HttpClientLoop {
  readonly samples: HttpSample[] = [];
  #program: InsideProgram | undefined;

  private constructor() {}

  /** Resolves after the first answer or failure. */
  static async start(
    from: Place,
    target: Pick<HttpClientInstructions, "url"> & Partial<HttpClientInstructions>,
    onSample: (sample: HttpSample) => void = () => undefined,
  ): Promise<HttpClientLoop> {
    const loop = new HttpClientLoop();
    const { promise: first, resolve } = Promise.withResolvers<void>();
    loop.#program = await InsideProgram.start(
      from,
      "http-client",
      { everyMs: 250, timeoutMs: 1_000, ...target } satisfies HttpClientInstructions,
      (answer) => {
        const sample = answer as HttpSample;
        loop.samples.push(sample);
        if (loop.samples.length > SAMPLES_KEPT) loop.samples.splice(0, loop.samples.length - SAMPLES_KEPT);
        onSample(sample);
        resolve();
      },
    );
    await Promise.race([first, loop.#program.process.ended]);
    return loop;
  }

  async stop(): Promise<readonly HttpSample[]> {
    await this.#program?.stop();
    return this.samples;
  }
}

/** Two hours at the usual pace: a demo runs all day and must not fill the memory. */
const SAMPLES_KEPT = 30_000;

/** New connections or datagrams at a rate, with the loss measured. */
export class Flood {
  readonly #program: InsideProgram;

  private constructor(program: InsideProgram) {
    this.#program = program;
  }

  static async start(
    from: Place,
    target: Omit<FloodInstructions, "timeoutMs"> & { readonly timeoutMs?: number },
  ): Promise<Flood> {
    return new Flood(
      await InsideProgram.start(from, "flood", { timeoutMs: 1_000, ...target } satisfies FloodInstructions),
    );
  }

  async report(): Promise<FloodReport> {
    return (await this.#program.ask("report")) as FloodReport;
  }

  /** Sends no more, waits until everything sent is answered or lost, and reports. */
  async stop(): Promise<FloodReport> {
    const last = (await this.#program.ask("stop")) as FloodReport;
    await this.#program.stop();
    return last;
  }
}
