/**
 * Packets of one server, to whoever looks: asked for once a second, because asking is what keeps the server looking (docs/adr/0032).
 *   L1. Who looks at which server, and for how long, stands in the audit log before the first packet is shown.
 *   L2. Whoever does not take what was sent is asked nothing for: the server lets go, and the client is told how much.
 *   L3. A stream does not outlive its session, its permission, or half an hour.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { holdsOn } from "@holdfast/core/access/grant.ts";
import type { PACKET_EVENTS, Packet } from "@holdfast/core/api/packet-log.ts";
import type { ProblemCode } from "@holdfast/core/api/problem-code.ts";
import { PACKET_DIRECTIONS, PACKET_OUTCOMES } from "@holdfast/core/net/seen-packet.ts";
import type { ReadPacketsResponse, SeenPacket } from "@holdfast/proto/gen/holdfast/v1/packets_pb.ts";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import type { House } from "../house.ts";
import { packetOrigins, type PacketOrigins } from "../planning/packet-origins.ts";
import { loadPlaces, type ServerPlace } from "../planning/places.ts";
import { newId } from "../store/new-id.ts";
import { transaction } from "../store/transaction.ts";
import { beginStream } from "./begin-stream.ts";
import type { Caller } from "./caller.ts";
import { grantsNow } from "./grants-now.ts";
import { short } from "./outside-text.ts";
import { refuse } from "./refused.ts";

const ASK_EVERY_MS = 1_000;
/** Also how long a permission that was taken away still shows packets. */
const LOOK_AGAIN_MS = 10_000;
/** A page that somebody forgot asks its server no longer than this. */
const LONGEST_MS = 30 * 60_000;
const STREAMS_PER_ACCOUNT = 4;
const STREAMS_PER_INSTANCE = 100;
/** Bytes that a client has not taken above which the server is asked nothing more for it. */
const UNTAKEN_MOST = 256 * 1024;
/** Milliseconds in which a client takes nothing after which it is let go. */
const UNTAKEN_LONGEST_MS = 60_000;

interface Watching {
  readonly caller: Caller;
  readonly place: ServerPlace;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
}

export class PacketStreams {
  readonly #house: House;
  readonly #open = new Map<AbortController, Caller>();
  readonly #running = new Set<Promise<void>>();

  constructor(house: House) {
    this.#house = house;
  }

  get streams(): number {
    return this.#open.size;
  }

  async open(caller: Caller, place: ServerPlace, reply: FastifyReply): Promise<void> {
    const own = [...this.#open.values()].filter(({ userId }) => userId === caller.userId).length;
    if (own >= STREAMS_PER_ACCOUNT || this.#open.size >= STREAMS_PER_INSTANCE) {
      await this.#audit(caller, place, "server.packets_watched", "packets.too_many", {});
      refuse("packets.too_many", `${own} streams of packets of this account are open, ${this.#open.size} in all.`);
    }
    const stop = new AbortController();
    this.#open.set(stop, caller);
    try {
      const first = await this.#first(caller, place);
      // By it the end is known to be of this beginning, whoever writes it.
      const look = newId<string>();
      await this.#audit(caller, place, "server.packets_watched", "ok", {}, look);
      reply.hijack();
      reply.raw.on("close", () => stop.abort());
      reply.raw.on("error", () => stop.abort());
      beginStream(reply);
      const startedMs = this.#house.nowMs();
      const running = this.#run({ caller, place, reply, signal: stop.signal }, first)
        .then((told) => {
          const seconds = Math.round((this.#house.nowMs() - startedMs) / 1000);
          return this.#audit(caller, place, "server.packets_watch_ended", "ok", { seconds, packets: told }, look);
        })
        .catch((error: unknown) =>
          this.#house.log.error({ err: error, server_id: place.id }, "a stream of packets was cut off"),
        )
        .finally(() => {
          this.#open.delete(stop);
          this.#running.delete(running);
          reply.raw.end();
        });
      this.#running.add(running);
    } catch (error) {
      this.#open.delete(stop);
      throw error;
    }
  }

  /** How long somebody looked is written down before the database goes. */
  async close(): Promise<void> {
    for (const stop of this.#open.keys()) stop.abort();
    await Promise.all(this.#running);
  }

  /** Refusals come before the first byte, as problems like all others. */
  async #first(caller: Caller, place: ServerPlace): Promise<ReadPacketsResponse> {
    const asked = await this.#house.agents.packets(place.id, { watchId: "", after: 0n });
    if (asked.kind === "unreachable") {
      await this.#audit(caller, place, "server.packets_watched", "server.unreachable", {});
      return refuse("server.unreachable", `${place.name} cannot be asked now: ${asked.why}.`);
    }
    const { refusedCode, refusedMessage } = asked.value;
    if (refusedCode === "") return asked.value;
    const code = REFUSED[refusedCode] ?? "packets.unavailable";
    await this.#audit(caller, place, "server.packets_watched", code, {});
    return refuse(code, `${place.name}: ${short(refusedMessage)}.`);
  }

  /** Until somebody has enough. @returns how many packets were shown */
  async #run({ caller, place, reply, signal }: Watching, first: ReadPacketsResponse): Promise<number> {
    const { raw } = reply;
    const say = <Name extends keyof typeof PACKET_EVENTS>(
      event: Name,
      data: z.input<(typeof PACKET_EVENTS)[Name]>,
    ): void => void raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    const endsMs = performance.now() + LONGEST_MS;
    let origins = await packetOrigins(this.#house, place.id);
    let lookAgainMs = performance.now() + LOOK_AGAIN_MS;
    let takenMs = performance.now();
    let told = 0;
    let isLost = false;
    let answer: ReadPacketsResponse | null = first;
    let from = { watchId: "", after: 0n };
    while (!signal.aborted) {
      if (answer !== null) {
        // What came into force meanwhile has rules that were not composed when this was last looked up.
        if (answer.packets.some((packet) => isOfPolicy(packet.rule) && packetOf(packet, origins).from === null))
          origins = await packetOrigins(this.#house, place.id);
        const packets = answer.packets.map((packet) => packetOf(packet, origins));
        say("packets", { packets, missed: Number(answer.missed), sampled: answer.sampled });
        told += packets.length;
        from = { watchId: answer.watchId, after: answer.packets.at(-1)?.number ?? keepPlace(from, answer) };
      }
      await sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      const nowMs = performance.now();
      if (nowMs > endsMs) {
        say("ended", { code: "packets.too_long", message: "Half an hour is over. Begin again to go on." }); // L3
        break;
      }
      if (nowMs > lookAgainMs) {
        lookAgainMs = nowMs + LOOK_AGAIN_MS;
        if (!(await mayStillWatch(this.#house, caller, place))) {
          say("ended", { code: "access.credential_invalid", message: "The session or the permission is gone." }); // L3
          break;
        }
        origins = await packetOrigins(this.#house, place.id);
      }
      answer = null;
      if (raw.writableLength > UNTAKEN_MOST) {
        if (nowMs - takenMs > UNTAKEN_LONGEST_MS) break; // L2
        continue;
      }
      takenMs = nowMs;
      const asked = await this.#house.agents.packets(place.id, from);
      if (asked.kind === "unreachable") {
        if (!isLost) say("lost", { why: short(asked.why) });
        isLost = true;
        continue;
      }
      if (asked.value.refusedCode !== "") {
        const code = REFUSED[asked.value.refusedCode] ?? "packets.unavailable";
        say("ended", { code, message: short(asked.value.refusedMessage) });
        break;
      }
      isLost = false;
      answer = asked.value;
    }
    return told;
  }

  async #audit(
    caller: Caller,
    place: ServerPlace,
    action: string,
    resultCode: string,
    facts: Readonly<Record<string, number>>,
    look?: string,
  ): Promise<void> {
    const written = await transaction(this.#house.database, async (tx) =>
      tx.audit({
        ...caller.actor,
        action,
        object: `server/${place.id}`,
        serverId: place.id,
        ...(look === undefined ? {} : { requestId: look }),
        ...(Object.keys(facts).length === 0 ? {} : { new: facts }),
        resultCode,
      }),
    );
    if (!written.ok) throw written.error;
  }
}

/** What an agent may say of why not, in the codes of the API. */
const REFUSED: Readonly<Record<string, ProblemCode>> = {
  "packets.no_firewall": "packets.no_firewall",
  "packets.unavailable": "packets.unavailable",
  "packets.unsupported": "packets.unsupported",
};

/** Locked rules come from nobody's policy, and what has no name from nowhere. */
function isOfPolicy(rule: string): boolean {
  return rule !== "" && !rule.startsWith("locked.");
}

/** An empty answer of the same looking leaves the place where it was; of another one it begins at nought. */
function keepPlace(from: { readonly watchId: string; readonly after: bigint }, answer: ReadPacketsResponse): bigint {
  return from.watchId === answer.watchId ? from.after : 0n;
}

async function mayStillWatch(house: House, caller: Caller, place: ServerPlace): Promise<boolean> {
  const grants = await grantsNow(house, caller);
  if (grants === null) return false;
  // Its labels may have moved meanwhile, and with them whose it is.
  const now = (await loadPlaces(house)).find(({ id }) => id === place.id);
  return now !== undefined && holdsOn(grants, "watch", now, ["firewall"]);
}

/** What a server says is text from outside: what is no word of ours is said as what it is most like, and nothing is longer than a line. */
function packetOf(packet: SeenPacket, origins: PacketOrigins): Packet {
  const direction = PACKET_DIRECTIONS.find((one) => one === packet.direction) ?? "inbound";
  const rule = orNull(packet.rule);
  return {
    number: Number(packet.number),
    at: new Date(Number.isFinite(packet.atMs) ? clamp(packet.atMs) : 0).toISOString(),
    direction,
    outcome: PACKET_OUTCOMES.find((one) => one === packet.outcome) ?? "dropped",
    rule,
    foreignTable: orNull(packet.foreignTable),
    inInterface: orNull(packet.inInterface),
    outInterface: orNull(packet.outInterface),
    protocol: short(packet.protocol),
    source: short(packet.source),
    destination: short(packet.destination),
    sourcePort: packet.sourcePort === 0 ? null : packet.sourcePort,
    destinationPort: packet.destinationPort === 0 ? null : packet.destinationPort,
    icmpType: packet.protocol.startsWith("icmp") ? packet.icmpType : null,
    ...origins(direction, rule),
  };
}

/** Milliseconds that a date can have. */
const LAST_DATE_MS = 8.64e15;

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 0), LAST_DATE_MS);
}

function orNull(text: string): string | null {
  return text === "" ? null : short(text);
}
