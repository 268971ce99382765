/**
 * Server-sent events: what moved, as ids, never as contents. Whoever hears one asks the API, which decides what they may see.
 *   V1. An event is a hint. A client that missed some is told to read everything again (`reset`), never left to believe that nothing moved.
 *   V2. An event of a server goes only to those who may see that server.
 *   V3. A stream does not outlive its session: at every heartbeat it is asked whether it may go on.
 */
import { randomUUID } from "node:crypto";
import type { FastifyReply } from "fastify";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { listen, type Listener } from "../store/listen.ts";
import { EVENTS_CHANNEL } from "../store/transaction.ts";
import { beginStream } from "./begin-stream.ts";
import type { Caller } from "./caller.ts";
import { refuse } from "./refused.ts";

/** Kept for clients that come back after a hiccup. */
const REMEMBERED = 1_000;
/** Proxies close what is silent for a minute; a browser notices a dead server sooner with more. */
const HEARTBEAT_MS = 15_000;
const POLL_MS = 5_000;
/** A person has a few windows open. */
const STREAMS_PER_ACCOUNT = 12;
/** A client that does not read is cut off before it fills the memory. */
const BUFFERED_BYTES_MOST = 1 << 20;

interface Moved {
  readonly id: number;
  readonly data: string;
  readonly serverId: string | null;
}

interface Stream {
  readonly caller: Caller;
  readonly reply: FastifyReply;
  visible: ReadonlySet<string> | null;
}

export interface EventStreamOptions {
  readonly target: ConnectionTarget;
  /** The servers that this caller may see now; null: all; undefined: the session is over. */
  readonly mayStillSee: (caller: Caller) => Promise<ReadonlySet<string> | null | undefined>;
  readonly onTrouble: (error: unknown) => void;
}

export class EventStream {
  /** Ids are of this process: another one has other numbers, and its clients begin anew. */
  readonly #epoch = randomUUID().slice(0, 8);
  readonly #options: EventStreamOptions;
  readonly #remembered: Moved[] = [];
  readonly #streams = new Set<Stream>();
  readonly #listener: Listener;
  readonly #heartbeat: NodeJS.Timeout;
  #count = 0;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#listener = listen(
      options.target,
      [EVENTS_CHANNEL],
      POLL_MS,
      (channel, payload) => (channel === null ? undefined : this.#tell(payload)),
      (error) => {
        options.onTrouble(error);
        this.#lost();
      },
    );
    this.#heartbeat = setInterval(() => void this.#beat().catch(options.onTrouble), HEARTBEAT_MS);
  }

  get streams(): number {
    return this.#streams.size;
  }

  async open(caller: Caller, reply: FastifyReply, lastEventId: string | null): Promise<void> {
    const own = [...this.#streams].filter((stream) => stream.caller.userId === caller.userId).length;
    if (own >= STREAMS_PER_ACCOUNT)
      refuse("request.rate_limited", `${STREAMS_PER_ACCOUNT} streams of this account are open already.`);
    const visible = await this.#options.mayStillSee(caller);
    if (visible === undefined) refuse("access.credential_invalid", "The session is over.");
    reply.hijack();
    const stream: Stream = { caller, reply, visible };
    beginStream(reply);
    this.#streams.add(stream);
    reply.raw.on("close", () => this.#streams.delete(stream));
    reply.raw.on("error", () => this.#streams.delete(stream));
    this.#resume(stream, lastEventId);
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    for (const stream of this.#streams) stream.reply.raw.end();
    await this.#listener.close();
  }

  #resume(stream: Stream, lastEventId: string | null): void {
    const [epoch, number] = (lastEventId ?? "").split("-");
    const from = epoch === this.#epoch ? Number(number) : Number.NaN;
    const oldest = this.#remembered[0]?.id ?? this.#count + 1;
    const here = `id: ${this.#epoch}-${this.#count}\n`;
    if (lastEventId === null) {
      this.#write(stream, `: here\n${here}\n`);
    } else if (Number.isInteger(from) && from >= oldest - 1 && from <= this.#count) {
      for (const event of this.#remembered.filter((one) => one.id > from)) this.#send(stream, event);
      this.#write(stream, `: here\n${here}\n`);
    } else {
      this.#write(stream, `${here}event: reset\ndata: {}\n\n`); // V1
    }
  }

  #tell(payload: string): void {
    const event: Moved = { id: ++this.#count, data: payload, serverId: serverIn(payload) };
    this.#remembered.push(event);
    if (this.#remembered.length > REMEMBERED) this.#remembered.shift();
    for (const stream of this.#streams) this.#send(stream, event);
  }

  /** What was said meanwhile is not known, so nothing that is remembered is a whole story any more. */
  #lost(): void {
    this.#remembered.length = 0;
    this.#count += 1;
    for (const stream of this.#streams)
      this.#write(stream, `id: ${this.#epoch}-${this.#count}\nevent: reset\ndata: {}\n\n`);
  }

  #send(stream: Stream, event: Moved): void {
    if (event.serverId !== null && stream.visible !== null && !stream.visible.has(event.serverId)) return; // V2
    this.#write(stream, `id: ${this.#epoch}-${event.id}\nevent: moved\ndata: ${event.data}\n\n`);
  }

  #write(stream: Stream, text: string): void {
    const { raw } = stream.reply;
    if (raw.writableLength > BUFFERED_BYTES_MOST) raw.destroy();
    else raw.write(text);
  }

  async #beat(): Promise<void> {
    for (const stream of this.#streams) {
      const visible = await this.#options.mayStillSee(stream.caller); // V3
      if (visible === undefined) {
        stream.reply.raw.end();
        continue;
      }
      stream.visible = visible;
      this.#write(stream, ": beat\n\n");
    }
  }
}

/** The server that an event is about; what is no JSON of ours is about none. */
function serverIn(payload: string): string | null {
  try {
    const parsed: unknown = JSON.parse(payload);
    const id = typeof parsed === "object" && parsed !== null && "server_id" in parsed ? parsed.server_id : null;
    return typeof id === "string" ? id : null;
  } catch {
    return null;
  }
}
