import { eventReader, eventValue, type StreamEvent } from "@holdfast/core/api/event-text.ts";
import { type Packet, PACKET_EVENTS } from "@holdfast/core/api/packet-log.ts";

/** What a page knows of the packets that it follows. */
export interface PacketLog {
  /** The newest first. */
  readonly packets: readonly ShownPacket[];
  /** Seen by the server and let go before they came. */
  readonly missed: number;
  readonly isSampled: boolean;
  /** Why the server cannot be asked for a moment; null while it answers. */
  readonly lost: string | null;
  /** Why nothing more comes. */
  readonly ended: { readonly code: string; readonly message: string } | null;
}

/** Numbers begin anew when the server looks anew, so a row has a key of its own. */
export type ShownPacket = Packet & { readonly key: number };

export const NO_PACKETS: PacketLog = { packets: [], missed: 0, isSampled: false, lost: null, ended: null };

/** Packets kept: ten seconds of the largest sample. A page that was forgotten must not fill the browser. */
const KEPT = 1_000;

/**
 * What comes in parts, one event after the other; an event that is not understood is passed over. Taking a part is done once; what it makes of a
 * log may be asked for as often as React likes.
 */
export function packetLogReader(): (part: string) => (log: PacketLog) => PacketLog {
  const read = eventReader();
  let count = 0;
  const next = (): number => (count += 1);
  return (part) => {
    const events = read(part);
    return (log) => events.reduce((now, event) => withEvent(now, event, next), log);
  };
}

function withEvent(log: PacketLog, { event, data }: StreamEvent, nextKey: () => number): PacketLog {
  if (event === "packets") {
    const { data: told } = PACKET_EVENTS.packets.safeParse(eventValue(data));
    if (told === undefined) return log;
    const fresh = told.packets.map((packet) => ({ ...packet, key: nextKey() })).toReversed();
    return {
      ...log,
      packets: [...fresh, ...log.packets].slice(0, KEPT),
      missed: log.missed + told.missed,
      isSampled: told.sampled,
      lost: null,
    };
  }
  if (event === "lost") return { ...log, lost: PACKET_EVENTS.lost.safeParse(eventValue(data)).data?.why ?? log.lost };
  if (event === "ended") return { ...log, ended: PACKET_EVENTS.ended.safeParse(eventValue(data)).data ?? log.ended };
  return log;
}
