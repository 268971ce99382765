import { eventReader, type StreamEvent } from "@holdfast/core/api/event-text.ts";
import { TOOL_EVENTS, type ToolEnding } from "@holdfast/core/api/tool.ts";
import { capturedLine } from "@holdfast/core/tool/captured-words.ts";
import { ETHERNET } from "@holdfast/core/tool/headers-only.ts";
import { type CapturedPacket, pcapFile } from "@holdfast/core/tool/pcap.ts";
import type { Tool } from "@holdfast/core/tool/tool.ts";
import type { z } from "zod";
import { CliError } from "../cli-error.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { understoodEvent } from "../understood-event.ts";
import { plain } from "../view/style.ts";
import { writeOut } from "../write-out.ts";
import { writeWhole } from "../write-whole.ts";

/** As the API takes it; what is wrong with it the control plane says. */
export interface AskedTool {
  readonly tool: Tool;
  readonly [field: string]: string | number;
}

interface Shown {
  readonly json: boolean;
  /** A file of packets. */
  readonly out?: string;
}

/** Runs a tool until it ends, printing what comes as it comes. */
export async function runTool(context: Context, server: string, ask: AskedTool, { json, out }: Shown): Promise<void> {
  const run = new Followed(context, ask.tool, json);
  const follow = async (): Promise<void> => {
    const read = eventReader();
    const take = async (part: string): Promise<void> => {
      for (const event of read(part)) await run.take(event);
    };
    await openClient(context).download("useTool", {}, take, { name: server }, ask);
  };
  if (out === undefined) await follow();
  else
    await writeWhole(out, async (put) => {
      await follow();
      await put(pcapFile({ linkType: run.linkType, packets: run.packets }));
    });
  const { ended } = run;
  if (json && ask.tool !== "capture")
    await writeOut(context, `${JSON.stringify({ tool: ask.tool, server, ...ended, text: run.text })}\n`);
  if (out !== undefined) context.process.stderr.write(`${run.packets.length} packets in ${out}\n`);
  if (ended === null)
    throw new CliError(EXIT.unreachable, "cli.cut_off", "What came is not all of it.", "Do it again.");
  if (ended.message !== "" && (!json || ask.tool === "capture"))
    context.process.stderr.write(`${plain(ended.message)}\n`);
  const failure = FAILED[ended.outcome];
  if (failure !== null)
    throw new CliError(failure.exitCode, `tools.${ended.outcome}`, `${ask.tool} from ${server}: ${failure.words}`, "");
}

/** A bound that was reached is an end like any other where all was shown that was asked for. */
const FAILED = {
  done: null,
  no_answer: { exitCode: EXIT.refused, words: "no answer." },
  failed: { exitCode: EXIT.refused, words: "it failed; see what it said." },
  stopped: { exitCode: EXIT.refused, words: "it was ended before its time." },
  too_long: { exitCode: EXIT.refused, words: "it took longer than it may." },
  too_much: { exitCode: EXIT.refused, words: "it said more than it may." },
  lost: { exitCode: EXIT.unreachable, words: "its end is not known: the server could not be asked any more." },
} as const satisfies Record<ToolEnding, { readonly exitCode: ExitCode; readonly words: string } | null>;

/** What has come of a run. */
class Followed {
  readonly #context: Context;
  readonly #isCapture: boolean;
  readonly #json: boolean;
  readonly packets: CapturedPacket[] = [];
  /** An empty file says of the link that nothing came by that it is the usual one. */
  linkType = ETHERNET;
  text = "";
  ended: z.infer<typeof TOOL_EVENTS.ended> | null = null;

  constructor(context: Context, tool: Tool, json: boolean) {
    this.#context = context;
    this.#isCapture = tool === "capture";
    this.#json = json;
  }

  async take({ event, data }: StreamEvent): Promise<void> {
    if (event === "output") {
      const { text } = understoodEvent(TOOL_EVENTS.output, data);
      this.text += text;
      if (!this.#json) await writeOut(this.#context, text.split("\n").map(plain).join("\n"));
    }
    if (event === "packets" && this.#isCapture) await this.#takePackets(understoodEvent(TOOL_EVENTS.packets, data));
    if (event === "lost")
      this.#context.process.stderr.write(
        `${plain(`The server cannot be asked for a moment: ${understoodEvent(TOOL_EVENTS.lost, data).why}.`)}\n`,
      );
    if (event === "ended") this.ended = understoodEvent(TOOL_EVENTS.ended, data);
    // Another word is one of a newer control plane.
  }

  async #takePackets({ linkType, packets }: z.infer<typeof TOOL_EVENTS.packets>): Promise<void> {
    this.linkType = linkType;
    for (const { headers, ...packet } of packets) {
      const captured = { ...packet, headers: Uint8Array.from(Buffer.from(headers, "base64")) };
      this.packets.push(captured);
      const line = capturedLine(linkType, captured);
      const { at, what, source, destination, flags, length } = line;
      const ends = source === "" ? "" : `${source} -> ${destination}`;
      const words = `${at.slice(11, 26)} ${what.padEnd(12)} ${ends.padEnd(46)} ${`${length} bytes`.padEnd(11)} ${flags}`;
      await writeOut(this.#context, `${this.#json ? JSON.stringify(line) : plain(words.trimEnd())}\n`);
    }
  }
}
