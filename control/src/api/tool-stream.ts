/**
 * A run of a tool on one server, to whoever asked for it (ADR 0036): asked for again and again, because asking is what keeps it running there.
 *   L1. What is to be run, where and by whom stands in the audit log before the server is asked, and how it ended after that.
 *   L2. Whoever leaves ends it: the server is told, and where it cannot be told it ends the run by itself.
 *   L3. A stream does not outlive its session, its permission, or the longest that any run takes.
 *   L4. What a server says is text from outside. Of packets only headers are handed on, whatever it sent.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { holdsOn } from "@holdfast/core/access/grant.ts";
import type { ProblemCode } from "@holdfast/core/api/problem-code.ts";
import { PROBLEMS } from "@holdfast/core/api/problem-code.ts";
import type { TOOL_EVENTS, ToolEnding } from "@holdfast/core/api/tool.ts";
import { pcapReader } from "@holdfast/core/tool/pcap.ts";
import { TOOL_OUTCOMES, type ToolAsk } from "@holdfast/core/tool/tool.ts";
import type { ToolRequestSchema, ToolResponse } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import type { House } from "../house.ts";
import { loadPlaces, type ServerPlace } from "../planning/places.ts";
import { newId } from "../store/new-id.ts";
import { beginStream } from "./begin-stream.ts";
import type { Caller } from "./caller.ts";
import { grantsNow } from "./grants-now.ts";
import { inTransaction } from "./in-transaction.ts";
import { lines, short } from "./outside-text.ts";
import { refuse } from "./refused.ts";

/** Milliseconds before each question; the last one again and again. A name is known at once, a ping is one a second. */
const ASK_AFTER_MS = [100, 400, 1_000] as const;
/** Also how long a permission that was taken away still shows what comes. */
const LOOK_AGAIN_MS = 10_000;
/** The longest bound that an agent has is a minute; a server that says nothing of an end is asked no longer than this. */
const LONGEST_MS = 150_000;
/** The agent ends a run after five seconds without a question; this is for sessions that come and go meanwhile. */
const LOST_LONGEST_MS = 30_000;
const RUNS_PER_ACCOUNT = 3;
/** As many as its agent runs at once: more would be refused there. */
const RUNS_PER_SERVER = 6;
const RUNS_PER_INSTANCE = 100;
/** Bytes of output that are handed on: twice what an agent keeps. */
const MOST_OUTPUT = 512 * 1024;

interface Running {
  readonly id: string;
  readonly caller: Caller;
  readonly place: ServerPlace;
  readonly ask: ToolAsk;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
}

/** How a run ended, and what of it was shown. */
interface Told {
  readonly outcome: ToolEnding;
  readonly bytes: number;
}

export class ToolStreams {
  readonly #house: House;
  readonly #open = new Map<AbortController, { readonly caller: Caller; readonly place: ServerPlace }>();
  readonly #running = new Set<Promise<void>>();

  constructor(house: House) {
    this.#house = house;
  }

  async open(caller: Caller, place: ServerPlace, ask: ToolAsk, reply: FastifyReply): Promise<void> {
    const open = [...this.#open.values()];
    const own = open.filter((one) => one.caller.userId === caller.userId).length;
    const there = open.filter((one) => one.place.id === place.id).length;
    // The refusal is written down where all refusals of what somebody asked to be done are.
    if (own >= RUNS_PER_ACCOUNT || there >= RUNS_PER_SERVER || open.length >= RUNS_PER_INSTANCE)
      refuse("tools.too_many", `${own} tools of this account run, ${there} on ${place.name}, ${open.length} in all.`);
    const stop = new AbortController();
    this.#open.set(stop, { caller, place });
    const run: Running = { id: newId<string>(), caller, place, ask, reply, signal: stop.signal };
    // From here on: whoever leaves before the first answer ends it too.
    reply.raw.on("close", () => stop.abort());
    reply.raw.on("error", () => stop.abort());
    const startedMs = this.#house.nowMs();
    const end = (told: Told, resultCode: string): Promise<void> => {
      const seconds = Math.round((this.#house.nowMs() - startedMs) / 1000);
      return this.#audit(run, "server.tool_ended", resultCode, { tool: ask.tool, ...told, seconds });
    };
    try {
      await this.#audit(run, "server.tool_begun", "ok", ask); // L1
      const first = await this.#first(run, end);
      reply.hijack();
      beginStream(reply);
      const running = this.#run(run, first)
        .then((told) => end(told, told.outcome === "done" ? "ok" : `tools.${told.outcome}`))
        .catch((error: unknown) =>
          this.#house.log.error({ err: error, server_id: place.id, request_id: run.id }, "a tool's stream was cut off"),
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

  /** How each ended is written down before the database goes. */
  async close(): Promise<void> {
    for (const stop of this.#open.keys()) stop.abort();
    await Promise.all(this.#running);
  }

  /** Refusals come before the first byte, as problems like all others. */
  async #first(run: Running, end: (told: Told, code: string) => Promise<void>): Promise<ToolResponse> {
    const { place } = run;
    const asked = await this.#question(run, { begin: beginOf(run.ask) });
    if (asked.kind === "unreachable") {
      await end({ outcome: "lost", bytes: 0 }, "server.unreachable");
      return refuse("server.unreachable", `${place.name} cannot be asked now: ${short(asked.why)}.`);
    }
    const { refusedCode, refusedMessage } = asked.value;
    if (refusedCode === "") return asked.value;
    const code = problemOf(refusedCode);
    await end({ outcome: "failed", bytes: 0 }, code);
    return refuse(code, `${place.name}: ${short(refusedMessage)}.`);
  }

  #question({ id, place, ask }: Running, more: MessageInitShape<typeof ToolRequestSchema>) {
    return this.#house.agents.tool(place.id, ask.tool, { runId: id, ...more });
  }

  /** Until it ends or somebody has enough. */
  async #run(run: Running, first: ToolResponse): Promise<Told> {
    const { reply, signal, id, ask } = run;
    const say = <Name extends keyof typeof TOOL_EVENTS>(event: Name, data: z.input<(typeof TOOL_EVENTS)[Name]>): void =>
      void reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    const over = (outcome: ToolEnding, message: string): Told => {
      say("ended", { outcome, message });
      return { outcome, bytes };
    };
    const show = ask.tool === "capture" ? packetsInto(say) : textInto(say);
    const startedMs = performance.now();
    let lookAgainMs = startedMs + LOOK_AGAIN_MS;
    let answeredMs = startedMs;
    let isLost = false;
    let answer: ToolResponse | null = first;
    let bytes = 0;
    say("begun", { id, tool: ask.tool });
    for (let asked = 0; ; asked++) {
      const mayBeMore = answer !== null && answer.output.length > 0;
      if (answer !== null) {
        bytes += answer.output.length;
        if (bytes > MOST_OUTPUT) return this.#end(run, over("too_much", "It says more than any tool of ours does."));
        const wrong = show(answer.output, answer.ended);
        if (wrong !== null) return this.#end(run, over("failed", wrong));
        if (answer.ended)
          return over(TOOL_OUTCOMES.find((one) => one === answer?.outcome) ?? "failed", short(answer.message));
      }
      const pauseMs = mayBeMore ? ASK_AFTER_MS[0] : (ASK_AFTER_MS[asked] ?? ASK_AFTER_MS[2]);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return this.#end(run, { outcome: "stopped", bytes }); // L2
      const nowMs = performance.now();
      if (nowMs - startedMs > LONGEST_MS) return this.#end(run, over("too_long", "No tool takes as long as this.")); // L3
      if (nowMs > lookAgainMs) {
        lookAgainMs = nowMs + LOOK_AGAIN_MS;
        // A capture may hear nothing for a minute: whoever waits, and whatever is between, sees that this is alive.
        reply.raw.write(": still\n\n");
        if (!(await this.#mayStill(run)))
          return this.#end(run, over("stopped", "The session or the permission is gone.")); // L3
      }
      const next = await this.#question(run, { after: BigInt(bytes) });
      answer = null;
      if (next.kind === "unreachable") {
        if (nowMs - answeredMs > LOST_LONGEST_MS) return over("lost", short(next.why));
        if (!isLost) say("lost", { why: short(next.why) });
        isLost = true;
        continue;
      }
      if (next.value.refusedCode !== "") return over("lost", short(next.value.refusedMessage));
      isLost = false;
      answeredMs = nowMs;
      answer = next.value;
    }
  }

  /** Tells the server that nobody waits. Whether it hears it or not: without questions it comes to the same. */
  async #end(run: Running, told: Told): Promise<Told> {
    await this.#question(run, { stop: true });
    return told;
  }

  async #mayStill({ caller, place, ask }: Running): Promise<boolean> {
    const grants = await grantsNow(this.#house, caller);
    if (grants === null) return false;
    // Its labels may have moved meanwhile, and with them whose it is.
    const now = (await loadPlaces(this.#house)).find(({ id }) => id === place.id);
    return now !== undefined && mayUse(grants, now, ask);
  }

  async #audit(run: Running, action: string, resultCode: string, facts: object): Promise<void> {
    const { caller, place, id } = run;
    await inTransaction(this.#house, async (tx) =>
      tx.audit({
        ...caller.actor,
        action,
        object: `server/${place.id}`,
        serverId: place.id,
        requestId: id,
        new: { ...facts },
        resultCode,
      }),
    );
  }
}

/** A capture shows who speaks with whom, as looking at packets does: whoever may not look may not capture. */
export function mayUse(grants: Caller["grants"], place: ServerPlace, { tool }: Pick<ToolAsk, "tool">): boolean {
  return holdsOn(grants, "probe", place) && (tool !== "capture" || holdsOn(grants, "watch", place, ["firewall"]));
}

/** What an agent may say of why not, in the codes of the API. */
export function problemOf(code: string): ProblemCode {
  return (
    (Object.keys(PROBLEMS) as ProblemCode[]).find((known) => known === code && known.startsWith("tools.")) ??
    "tools.unavailable"
  );
}

function beginOf(ask: ToolAsk): NonNullable<MessageInitShape<typeof ToolRequestSchema>["begin"]> {
  switch (ask.tool) {
    case "ping":
      return { case: "ping", value: { host: ask.host, family: ask.family ?? 0, count: ask.count } };
    case "trace":
      return { case: "trace", value: { host: ask.host, family: ask.family ?? 0, hops: ask.hops } };
    case "resolve":
      return { case: "resolve", value: { host: ask.host, family: ask.family ?? 0 } };
    case "capture":
      return {
        case: "capture",
        value: {
          interface: ask.interface,
          address: ask.address ?? "",
          port: ask.port ?? 0,
          protocol: ask.protocol ?? "",
          count: ask.count,
          seconds: ask.seconds,
        },
      };
  }
}

/** Null, or what is wrong with what came. */
type Show = (output: Uint8Array, isLast: boolean) => string | null;
type Say<Name extends keyof typeof TOOL_EVENTS> = (event: Name, data: z.input<(typeof TOOL_EVENTS)[Name]>) => void;

function textInto(say: Say<"output">): Show {
  // A character may come in two parts.
  const decoder = new TextDecoder();
  return (output, isLast) => {
    const text = lines(decoder.decode(output, { stream: !isLast }));
    if (text !== "") say("output", { text });
    return null;
  };
}

function packetsInto(say: Say<"packets">): Show {
  const read = pcapReader();
  return (output) => {
    const captured = read(output);
    if (!captured.ok) return `The server sent no packets: ${captured.error}.`;
    const { linkType, packets } = captured.value;
    if (packets.length === 0) return null;
    say("packets", {
      linkType,
      packets: packets.map(({ headers, ...packet }) => ({
        ...packet,
        headers: Buffer.from(headers).toString("base64"),
      })),
    });
    return null;
  };
}
