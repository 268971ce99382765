import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DomainState, WatchEventSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { TransactionPhase, type Transaction } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { reasonOf, type Log } from "../log/log.ts";
import type { GuardLink } from "./guard-link.ts";
import type { Moves } from "./moves.ts";

type WatchEvent = MessageInitShape<typeof WatchEventSchema>;

/** Milliseconds between two signs of life on a watch. Longer sees a dead wire later, shorter is noise. */
const HEARTBEAT_EVERY_MS = 5_000;
/**
 * Milliseconds between two looks at domains of which nothing is confirmed. They only say what the server cannot do, which a plan asks anew and
 * each new session too; looking more often would keep their modules from leaving.
 */
const LOOK_AT_ALL_EVERY_MS = 600_000;
/** Events that one watcher may be behind; beyond that it is cut, and asks again over a new stream. */
const MOST_BEHIND = 1_000;
/** Milliseconds before following again when the guard went away in the middle. */
const FOLLOW_AGAIN_MS = 200;

const OUTCOMES: ReadonlySet<TransactionPhase> = new Set([
  TransactionPhase.FINALIZED,
  TransactionPhase.REVERTED,
  TransactionPhase.REVERT_FAILED,
  TransactionPhase.REFUSED,
]);

export interface WatchingOptions {
  readonly guard: Pick<GuardLink, "call" | "client">;
  readonly log: Pick<Log, "warn">;
  readonly driftSeconds: number;
  /** Where modules say that somebody has moved something. */
  readonly moves: Pick<Moves, "next">;
  /** What was found at each look. */
  readonly onLook: (domain: string, isDrifted: boolean, isFloorLost: boolean) => void;
  readonly onTrial: (requestId: string) => void;
}

/**
 * What a control plane sees without asking: the open transaction as it moves, outcomes until they are acknowledged, drift, signs of life. The
 * guard is followed only while a transaction moves, so that it may leave when nothing happens.
 */
export class Watching {
  readonly #options: WatchingOptions;
  readonly #watchers = new Set<Queue>();
  /** By domain, the state that was told last, as one text. Empty again as soon as somebody may believe something else. */
  readonly #told = new Map<string, string>();
  readonly #stop = new AbortController();
  #following = false;

  constructor(options: WatchingOptions) {
    this.#options = options;
    void this.#lookForDrift();
  }

  /** A command was passed on, or the session is new: the ledger may move now. */
  transactionMayMove(): void {
    if (this.#following) return;
    this.#following = true;
    void this.#follow().finally(() => {
      this.#following = false;
    });
  }

  async *events(signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const queue = new Queue();
    this.#watchers.add(queue);
    // Whoever watches from now on may have looked while a transaction was open, and knows nothing then. Each is told at the next look at it.
    this.#told.clear();
    const end = (): void => queue.end();
    signal.addEventListener("abort", end, { once: true });
    let sequence = 0n;
    const beat = setInterval(
      () => queue.put({ event: { case: "heartbeat", value: { sequence: sequence++ } } }),
      HEARTBEAT_EVERY_MS,
    );
    try {
      await this.#putOutbox(queue);
      this.transactionMayMove();
      yield* queue.items();
    } finally {
      clearInterval(beat);
      signal.removeEventListener("abort", end);
      this.#watchers.delete(queue);
    }
  }

  /** Ends the streams of connections that are about to close. */
  endWatches(): void {
    for (const queue of this.#watchers) queue.end();
  }

  close(): void {
    this.#stop.abort();
    this.endWatches();
  }

  async #putOutbox(queue: Queue): Promise<void> {
    const { outcomes } = await this.#options.guard.call((client) => client.outbox({}));
    for (const value of outcomes) queue.put({ event: { case: "outcome", value } });
  }

  /** Follows the guard until nothing moves any more. */
  async #follow(): Promise<void> {
    const { guard, log } = this.#options;
    for (let quiet = false; !quiet && !this.#stop.signal.aborted;) {
      const stream = new AbortController();
      const stop = (): void => stream.abort();
      this.#stop.signal.addEventListener("abort", stop, { once: true });
      try {
        const client = await guard.client();
        for await (const { event } of client.follow({}, { signal: stream.signal })) {
          if (event.case !== "transaction") continue;
          this.#tell(event.value);
        }
        // The guard ends the stream when nothing moves any more; the next command begins another one.
        quiet = !stream.signal.aborted;
      } catch (error) {
        if (!this.#stop.signal.aborted)
          log.warn("the guard went away while it was followed", {}, { reason: reasonOf(error) });
      } finally {
        stream.abort();
        this.#stop.signal.removeEventListener("abort", stop);
      }
      if (!quiet) await sleep(FOLLOW_AGAIN_MS);
    }
  }

  #tell(transaction: Transaction): void {
    const isOutcome = OUTCOMES.has(transaction.phase);
    this.#put({
      event: isOutcome ? { case: "outcome", value: transaction } : { case: "transaction", value: transaction },
    });
    // A control plane takes what was confirmed for what is there, and what was undone for what was there before.
    if (isOutcome) this.#told.clear();
    if (transaction.phase === TransactionPhase.ON_TRIAL) this.#options.onTrial(transaction.requestId);
  }

  /** Also while no control plane is connected: a floor that is lost may be why. */
  async #lookForDrift(): Promise<void> {
    const { signal } = this.#stop;
    const { guard, moves, driftSeconds, log } = this.#options;
    let lookedAtAllMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const domains = await moves.next(driftSeconds * 1000, signal);
      if (signal.aborted) continue;
      const atAll = domains.length === 0 && performance.now() - lookedAtAllMs >= LOOK_AT_ALL_EVERY_MS;
      try {
        const looked = await guard.call((client) =>
          client.lookAfter({ domains: [...domains], confirmedOnly: domains.length === 0 && !atAll }),
        );
        if (looked.open) continue;
        if (atAll) lookedAtAllMs = performance.now();
        for (const domain of looked.domains) this.#noteDrift(domain);
      } catch (error) {
        log.warn("the live state could not be looked at", {}, { reason: reasonOf(error) });
      }
    }
  }

  #noteDrift(state: DomainState): void {
    if (state.error !== "") return;
    this.#options.onLook(state.domain, state.drift, (state.floor?.lost.length ?? 0) > 0);
    const text = stateText(state);
    if (this.#told.get(state.domain) === text) return;
    this.#told.set(state.domain, text);
    this.#put({ event: { case: "drift", value: state } });
  }

  #put(event: WatchEvent): void {
    for (const queue of this.#watchers) queue.put(event);
  }
}

/** What a control plane keeps of a domain; two looks that found the same give the same text. */
function stateText({ drift, lacks, floor }: DomainState): string {
  const { lost = [], repairs = [], gaveUp = false } = floor ?? {};
  return JSON.stringify([
    drift,
    lacks?.lacks.map(({ code, reason }) => [code, reason]) ?? null,
    lost.map(({ path, expected, found }) => [path, expected, found]),
    repairs.map(({ atMs, failure }) => [atMs, failure]),
    gaveUp,
  ]);
}

class Queue {
  readonly #waiting: WatchEvent[] = [];
  #wake: () => void = () => undefined;
  #ended = false;

  put(event: WatchEvent): void {
    if (this.#waiting.length >= MOST_BEHIND) this.#ended = true;
    else this.#waiting.push(event);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *items(): AsyncGenerator<WatchEvent> {
    while (!this.#ended) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
