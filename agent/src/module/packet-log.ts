import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import type { PacketReader, PacketWatch } from "@holdfast/core/net/packet-watch.ts";
import type { SeenPacket } from "@holdfast/core/net/seen-packet.ts";
import type {
  ReadPacketsRequest,
  ReadPacketsResponseSchema,
  SeenPacketSchema,
} from "@holdfast/proto/gen/holdfast/v1/packets_pb.ts";
import type { Log } from "../log/log.ts";
import { openPacketTap, type PacketTap } from "../os/packet-tap.ts";
import { type Machine, readFacts } from "../os/perform.ts";

type Answer = MessageInitShape<typeof ReadPacketsResponseSchema>;

/** Milliseconds after the last question in which looking goes on. Whoever looks asks each second; a missed question or two ends nothing. */
const LEASE_MS = 5_000;
/** Packets kept for those who ask: ten seconds of the largest sample. */
const KEPT = 1_000;
/** Packets of one answer. */
const MOST_AT_ONCE = 500;
/**
 * Milliseconds after which rules that have changed are read again. An apply changes them in some batches; sooner would read them for each, and
 * later leaves new rules without their names.
 */
const OPEN_AGAIN_MS = 1_000;
/** Milliseconds between two looks for what has settled, and for whether anybody still asks. */
const LOOK_EVERY_MS = 100;

export interface PacketLogOptions {
  readonly domain: DomainName;
  readonly watch: PacketWatch;
  readonly machine: Machine;
  readonly log: Log;
  readonly nowMs: () => number;
}

/**
 * Packets while somebody looks (K1 to K4 of packets.proto). Whoever asks shares one sample; the last who stops asking ends it.
 */
export class PacketLog {
  readonly #options: PacketLogOptions;
  #looking: Looking | null = null;
  #starting: Promise<Refusal | null> | null = null;
  #closed = false;

  constructor(options: PacketLogOptions) {
    this.#options = options;
  }

  async read(request: Pick<ReadPacketsRequest, "watchId" | "after">): Promise<Answer> {
    if (this.#looking === null) {
      this.#starting ??= this.#start().finally(() => {
        this.#starting = null;
      });
      const refused = await this.#starting;
      if (refused !== null) return refused;
    }
    return this.#looking?.answer(request, this.#options.nowMs()) ?? LEAVING;
  }

  /** Somebody looks: the module may not leave. */
  isBusy(): boolean {
    return this.#looking !== null || this.#starting !== null;
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }

  /** Null, or why not. */
  async #start(): Promise<Refusal | null> {
    const { domain, watch, machine, nowMs, log } = this.#options;
    const facts = await readFacts(machine, domain, [watch.query]);
    const fact = facts[watch.query.name];
    if (fact === undefined || !watch.hasAnythingToSee(fact)) return NOTHING_TO_SEE;
    const looking = new Looking(watch, nowMs, (why) => {
      if (why !== null)
        log.warn("looking at packets ended by itself", { domain, resultCode: "packets.ended" }, { reason: why });
      if (this.#looking === looking) this.#end();
    });
    const begun = await looking.begin();
    if (!begun.ok) {
      log.warn("packets cannot be looked at", { domain, resultCode: "packets.unavailable" }, { reason: begun.error });
      return {
        refusedCode: "packets.unavailable",
        refusedMessage: `its kernel's trace cannot be read: ${begun.error}`,
      };
    }
    if (this.#closed) {
      looking.stop();
      return LEAVING;
    }
    this.#looking = looking;
    log.info("packets are looked at", { domain, resultCode: "ok" });
    return null;
  }

  #end(): void {
    const looking = this.#looking;
    this.#looking = null;
    if (looking === null) return;
    looking.stop();
    this.#options.log.info("packets are no longer looked at", { domain: this.#options.domain, resultCode: "ok" });
  }
}

type Refusal = { readonly refusedCode: string; readonly refusedMessage: string };
const NOTHING_TO_SEE: Refusal = {
  refusedCode: "packets.no_firewall",
  refusedMessage: "no firewall of Holdfast is in force there, so nothing decides about packets in its name",
};
const LEAVING: Refusal = { refusedCode: "packets.unavailable", refusedMessage: "its firewall module is just leaving" };

/** One stretch of looking, from the first question to the last. */
class Looking {
  readonly #id = randomUUID();
  readonly #watch: PacketWatch;
  readonly #reader: PacketReader;
  readonly #nowMs: () => number;
  readonly #onOver: (why: string | null) => void;
  readonly #kept: { readonly number: number; readonly packet: SeenPacket }[] = [];
  #count = 0;
  #askedMs = 0;
  #openedMs = 0;
  #tap: PacketTap | null = null;
  #opening = false;
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;

  /** @param onOver hears when nobody asks any more, or why it ended by itself */
  constructor(watch: PacketWatch, nowMs: () => number, onOver: (why: string | null) => void) {
    this.#watch = watch;
    this.#reader = watch.reader();
    this.#nowMs = nowMs;
    this.#onOver = onOver;
  }

  async begin(): Promise<Result<null, string>> {
    const opened = await this.#open();
    if (!opened.ok || this.#stopped) return opened;
    this.#askedMs = this.#nowMs();
    this.#timer = setInterval(() => this.#tick(), LOOK_EVERY_MS);
    return opened;
  }

  answer({ watchId, after }: Pick<ReadPacketsRequest, "watchId" | "after">, nowMs: number): Answer {
    this.#askedMs = nowMs;
    this.#settle(nowMs);
    const from = watchId === this.#id ? Number(after) : 0;
    const oldest = this.#kept[0]?.number ?? this.#count + 1;
    const packets = this.#kept.filter(({ number }) => number > from).slice(0, MOST_AT_ONCE);
    return {
      watchId: this.#id,
      packets: packets.map(message),
      missed: BigInt(watchId === this.#id ? Math.max(0, oldest - 1 - from) : 0),
      sampled: this.#reader.isSampled(nowMs),
    };
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#tap?.close();
  }

  #tick(): void {
    const nowMs = this.#nowMs();
    this.#settle(nowMs);
    // A clock that was put back must not make this last for ever.
    if (Math.abs(nowMs - this.#askedMs) > LEASE_MS) {
      this.#onOver(null);
      return;
    }
    if (this.#opening || Math.abs(nowMs - this.#openedMs) < OPEN_AGAIN_MS || !this.#reader.wasOutdated()) return;
    // Its owner takes the table along, so the next one can have it.
    this.#tap?.close();
    this.#tap = null;
    void this.#open().then((opened) => {
      if (!opened.ok && !this.#stopped) this.#onOver(opened.error);
    });
  }

  async #open(): Promise<Result<null, string>> {
    this.#opening = true;
    const tap = await openPacketTap(
      this.#watch.script,
      (line) => this.#reader.take(line, this.#nowMs()),
      (why) => this.#onOver(why),
    );
    this.#opening = false;
    this.#openedMs = this.#nowMs();
    if (!tap.ok) return tap;
    if (this.#stopped) tap.value.close();
    this.#tap = tap.value;
    return ok(null);
  }

  #settle(nowMs: number): void {
    for (const packet of this.#reader.settled(nowMs)) this.#kept.push({ number: ++this.#count, packet });
    if (this.#kept.length > KEPT) this.#kept.splice(0, this.#kept.length - KEPT);
  }
}

function message({
  number,
  packet,
}: {
  readonly number: number;
  readonly packet: SeenPacket;
}): MessageInitShape<typeof SeenPacketSchema> {
  return {
    number: BigInt(number),
    atMs: packet.atMs,
    direction: packet.direction,
    outcome: packet.outcome,
    rule: packet.rule ?? "",
    foreignTable: packet.foreignTable ?? "",
    inInterface: packet.inInterface ?? "",
    outInterface: packet.outInterface ?? "",
    protocol: packet.protocol,
    source: packet.source,
    destination: packet.destination,
    sourcePort: packet.sourcePort ?? 0,
    destinationPort: packet.destinationPort ?? 0,
    icmpType: packet.icmpType ?? 0,
  };
}
