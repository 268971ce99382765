import type { MessageInitShape } from "@bufbuild/protobuf";
import { pcapHeader, pcapPacket, pcapReader } from "@holdfast/core/tool/pcap.ts";
import type { Tool, ToolAsk, ToolOutcome } from "@holdfast/core/tool/tool.ts";
import type { ToolRequest, ToolResponseSchema } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import type { Log } from "../log/log.ts";
import { findProgram, startTool, type ToolProcess } from "../os/tool-process.ts";
import { PROGRAMS, toolCommand } from "./tool-command.ts";
import { askOf } from "./tool-request.ts";

type Answer = MessageInitShape<typeof ToolResponseSchema>;

/** Milliseconds after the last question in which a run goes on. Whoever looks asks each second; a missed question or two ends nothing. */
const LEASE_MS = 5_000;
const LOOK_EVERY_MS = 250;
/** Bytes of output after which a run is ended: twenty lines of ping are two thousand, a thousand captured headers some ninety thousand. */
const MOST_OUTPUT = 256 * 1024;
const MOST_AT_ONCE = 64 * 1024;
/** What a program says of itself is cut to this. */
const LONGEST_MESSAGE = 500;
/** Runs kept for each that may be at work: ended ones whose last output may have to be given once more. */
const KEPT_FOR_EACH = 4;
const RUN_ID = /^[0-9a-f-]{36}$/;

export interface ToolRunsOptions {
  /** What is run here; the rest is another process's. */
  readonly tools: readonly Tool[];
  /** At the same time. */
  readonly most: number;
  readonly log: Log;
  /** Of a clock that nobody sets. */
  readonly nowMs: () => number;
  readonly start?: typeof startTool;
  readonly find?: typeof findProgram;
}

/**
 * Runs of tools (U1 to U4 of tools.proto). Asking is what keeps one running: whoever goes away, by whichever end of whichever wire, stops asking,
 * and nobody has to notice how.
 */
export class ToolRuns {
  readonly #options: ToolRunsOptions;
  readonly #runs = new Map<string, Run>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ToolRunsOptions) {
    this.#options = options;
  }

  ask(request: Pick<ToolRequest, "runId" | "after" | "stop" | "begin">): Answer {
    const run = this.#runs.get(request.runId) ?? this.#begin(request);
    if (!(run instanceof Run)) return run;
    if (request.stop) run.stop();
    return run.answer(Number(request.after), this.#options.nowMs());
  }

  /** Somebody waits for output: the process may not leave. */
  isBusy(): boolean {
    return this.#runs.size > 0;
  }

  close(): void {
    for (const run of this.#runs.values()) run.kill();
    this.#runs.clear();
    this.#rest();
  }

  #begin(request: Pick<ToolRequest, "runId" | "stop" | "begin">): Run | Answer {
    const { tools, most, log, nowMs, start = startTool, find = findProgram } = this.#options;
    const ask = askOf(request);
    if (ask === null || request.stop) return refusal("tools.lost", "the server knows nothing of this run any more");
    if (!ask.ok) return refusal("tools.invalid", ask.error);
    if (!RUN_ID.test(request.runId)) return refusal("tools.invalid", "run_id: a UUID is asked for");
    const { tool } = ask.value;
    if (!tools.includes(tool)) return refusal("tools.unsupported", `${tool} is not run here`);
    const atWork = [...this.#runs.values()].filter((one) => one.isAtWork).length;
    if (atWork >= most || this.#runs.size >= most * KEPT_FOR_EACH)
      return refusal("tools.busy", `${most} runs of tools are the most at the same time`);
    const program = find(PROGRAMS[tool].paths);
    if (program === null)
      return refusal(
        "tools.missing_program",
        `it has no ${PROGRAMS[tool].paths[0]}: install ${PROGRAMS[tool].package}`,
      );
    const run = new Run(ask.value, program, start, nowMs());
    this.#runs.set(request.runId, run);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
    log.info("a tool runs", { requestId: request.runId, resultCode: "ok" }, { tool });
    return run;
  }

  #look(): void {
    const nowMs = this.#options.nowMs();
    for (const [id, run] of this.#runs) {
      run.endWhenOver(nowMs);
      if (nowMs - run.askedMs <= LEASE_MS) continue;
      run.kill();
      this.#runs.delete(id);
      this.#options.log.info("a tool's output is no longer asked for", { requestId: id, resultCode: "ok" });
    }
    if (this.#runs.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

export function refusal(refusedCode: string, refusedMessage: string): Answer {
  return { refusedCode, refusedMessage };
}

class Run {
  readonly #ask: ToolAsk;
  readonly #process: ToolProcess;
  readonly #endsMs: number;
  readonly #kept: Buffer[] = [];
  readonly #take: (part: Buffer) => void;
  #bytes = 0;
  #said = "";
  /** Why it was ended by us; null while it was not. */
  #why: ToolOutcome | null = null;
  #outcome: ToolOutcome | null = null;
  askedMs: number;

  constructor(ask: ToolAsk, program: string, start: typeof startTool, nowMs: number) {
    const { operands, longestMs } = toolCommand(ask);
    this.#ask = ask;
    this.askedMs = nowMs;
    this.#endsMs = nowMs + longestMs;
    this.#take = ask.tool === "capture" ? this.#headersOf() : (part) => this.#keep(part);
    this.#process = start(program, operands, ask.tool === "ping" || ask.tool === "capture", {
      onOutput: (part) => this.#take(part),
      // A capture's output is packets; of the others it is text, and what they complain of belongs between its lines.
      onError: (part) => (ask.tool === "capture" ? this.#hear(part) : this.#keep(part)),
      onEnd: (status, problem) => this.#ended(status, problem),
    });
  }

  answer(after: number, nowMs: number): Answer {
    this.askedMs = nowMs;
    const from = Math.min(Math.max(Number.isSafeInteger(after) ? after : 0, 0), this.#bytes);
    const output = Buffer.concat(this.#kept).subarray(from, from + MOST_AT_ONCE);
    const next = from + output.length;
    const ended = this.#outcome !== null && next === this.#bytes;
    return {
      output: Uint8Array.from(output),
      next: BigInt(next),
      ended,
      outcome: ended ? (this.#outcome ?? "") : "",
      message: ended ? this.#said.trim() : "",
    };
  }

  get isAtWork(): boolean {
    return this.#outcome === null;
  }

  stop(): void {
    this.#end("stopped");
  }

  endWhenOver(nowMs: number): void {
    // The seconds of a capture are what was asked for; elsewhere it is a bound.
    if (nowMs >= this.#endsMs) this.#end(this.#ask.tool === "capture" ? "done" : "too_long");
  }

  kill(): void {
    this.#process.kill();
  }

  #end(why: ToolOutcome): void {
    if (this.#outcome !== null || this.#why !== null) return;
    this.#why = why;
    this.#process.end();
  }

  #keep(part: Uint8Array): void {
    // What comes after a bound was reached is the end of what nobody reads.
    if (this.#why === "too_much") return;
    const room = MOST_OUTPUT - this.#bytes;
    const kept = Buffer.from(part.subarray(0, room));
    this.#kept.push(kept);
    this.#bytes += kept.length;
    if (part.length <= room) return;
    this.#why ??= "too_much";
    this.#process.kill();
  }

  #hear(part: Buffer): void {
    this.#said = (this.#said + part.toString("utf8")).slice(-LONGEST_MESSAGE);
  }

  /** U3: nothing but headers is ever kept. */
  #headersOf(): (part: Buffer) => void {
    const read = pcapReader();
    let begun = false;
    return (part) => {
      const captured = read(part);
      if (!captured.ok) {
        this.#said = captured.error;
        this.#why ??= "failed";
        this.#process.kill();
        return;
      }
      const { linkType, packets } = captured.value;
      if (!begun && linkType !== 0) {
        begun = true;
        this.#keep(pcapHeader(linkType));
      }
      for (const packet of packets) this.#keep(pcapPacket(packet));
    };
  }

  #ended(status: number | null, problem: string): void {
    if (problem !== "" && this.#why === null) this.#said = problem;
    this.#outcome = this.#why ?? outcomeOf(this.#ask.tool, status);
  }
}

/** By what each program says of it: ping(8), getent(1). */
function outcomeOf(tool: Tool, status: number | null): ToolOutcome {
  if (status === 0) return "done";
  if (tool === "ping" && status === 1) return "no_answer";
  if (tool === "resolve" && status === 2) return "no_answer";
  return "failed";
}
