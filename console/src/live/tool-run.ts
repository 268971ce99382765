import { eventReader, eventValue, type StreamEvent } from "@holdfast/core/api/event-text.ts";
import { TOOL_EVENTS, type ToolEnding } from "@holdfast/core/api/tool.ts";
import { type CapturedLine, capturedLine } from "@holdfast/core/tool/captured-words.ts";
import { ETHERNET } from "@holdfast/core/tool/headers-only.ts";
import type { Captured, CapturedPacket } from "@holdfast/core/tool/pcap.ts";

/** What a page knows of the run of a tool that it follows. */
export interface ToolRun {
  /** Of ping, trace and resolve. */
  readonly text: string;
  /** Of a capture, as it goes into a file. */
  readonly captured: Captured;
  /** The same for people, in the order in which they came. */
  readonly lines: readonly CapturedLine[];
  /** Why the server cannot be asked for a moment; null while it answers. */
  readonly lost: string | null;
  readonly ended: { readonly outcome: ToolEnding; readonly message: string } | null;
}

export const NOTHING_RUN: ToolRun = {
  text: "",
  // An empty file says of the link that nothing came by that it is the usual one.
  captured: { linkType: ETHERNET, packets: [] },
  lines: [],
  lost: null,
  ended: null,
};

/**
 * What comes in parts, one event after the other; an event that is not understood is passed over. A run is bounded, so all of it is kept.
 * Taking a part is done once; what it makes of a run may be asked for as often as React likes.
 */
export function toolRunReader(): (part: string) => (run: ToolRun) => ToolRun {
  const read = eventReader();
  return (part) => {
    const events = read(part);
    return (run) => events.reduce(withEvent, run);
  };
}

function withEvent(run: ToolRun, { event, data }: StreamEvent): ToolRun {
  const value = eventValue(data);
  switch (event) {
    case "output":
      return { ...run, text: run.text + (TOOL_EVENTS.output.safeParse(value).data?.text ?? ""), lost: null };
    case "packets": {
      const { data: told } = TOOL_EVENTS.packets.safeParse(value);
      if (told === undefined) return run;
      const { linkType } = told;
      const packets = told.packets.map(({ headers, ...packet }): CapturedPacket => ({
        ...packet,
        headers: Uint8Array.from(atob(headers), (letter) => letter.charCodeAt(0)),
      }));
      return {
        ...run,
        captured: { linkType, packets: [...run.captured.packets, ...packets] },
        lines: [...run.lines, ...packets.map((packet) => capturedLine(linkType, packet))],
        lost: null,
      };
    }
    case "lost":
      return { ...run, lost: TOOL_EVENTS.lost.safeParse(value).data?.why ?? run.lost };
    case "ended":
      return { ...run, ended: TOOL_EVENTS.ended.safeParse(value).data ?? run.ended, lost: null };
    default:
      // `begun`, and words of a newer control plane.
      return run;
  }
}
