import { err, ok, type Result } from "../base/result.ts";
import { headerBytes } from "./headers-only.ts";

/**
 * Captured packets in the classic format of pcap (draft-ietf-opsawg-pcap), as far as tcpdump writes it and every reader reads it: microseconds,
 * the byte order of either machine.
 */
export interface CapturedPacket {
  readonly seconds: number;
  readonly micros: number;
  /** Bytes that it had on the wire. */
  readonly length: number;
  /** Its headers; the rest is never kept. */
  readonly headers: Uint8Array;
}

export interface Captured {
  readonly linkType: number;
  readonly packets: readonly CapturedPacket[];
}

const MAGIC = 0xa1b2c3d4;
const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
/** What a reader is told that a packet may be cut to. */
const SNAP_BYTES = 262_144;
/** Of one packet, as it comes: none on a link is larger (65,535 and its link's header). Beyond it is no pcap. */
const LARGEST_PACKET = 70_000;

/** Reads a pcap file that comes in parts; what of each packet is no header is gone at once. */
export function pcapReader(): (part: Uint8Array) => Result<Captured, string> {
  let rest: Uint8Array = new Uint8Array(0);
  let file: { readonly linkType: number; readonly isLittle: boolean } | null = null;
  return (part) => {
    const bytes = joined(rest, part);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    if (file === null) {
      if (bytes.length < FILE_HEADER_BYTES) {
        rest = bytes;
        return ok({ linkType: 0, packets: [] });
      }
      const isLittle = view.getUint32(0, true) === MAGIC;
      if (!isLittle && view.getUint32(0, false) !== MAGIC) return err("this is no pcap");
      file = { linkType: view.getUint32(20, isLittle) & 0x0fff_ffff, isLittle };
      at = FILE_HEADER_BYTES;
    }
    const { linkType, isLittle } = file;
    const packets: CapturedPacket[] = [];
    while (at + PACKET_HEADER_BYTES <= bytes.length) {
      const size = view.getUint32(at + 8, isLittle);
      if (size > LARGEST_PACKET) return err(`a packet of ${size} bytes is none`);
      if (at + PACKET_HEADER_BYTES + size > bytes.length) break;
      const whole = bytes.subarray(at + PACKET_HEADER_BYTES, at + PACKET_HEADER_BYTES + size);
      packets.push({
        seconds: view.getUint32(at, isLittle),
        micros: view.getUint32(at + 4, isLittle),
        length: view.getUint32(at + 12, isLittle),
        // A copy: a view, which slice() of some arrays of bytes is, would keep the rest of the packet.
        headers: Uint8Array.from(whole.subarray(0, headerBytes(linkType, whole))),
      });
      at += PACKET_HEADER_BYTES + size;
    }
    rest = Uint8Array.from(bytes.subarray(at));
    return ok({ linkType, packets });
  };
}

export function pcapHeader(linkType: number): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_BYTES, true);
  view.setUint32(20, linkType, true);
  return bytes;
}

export function pcapPacket({ seconds, micros, length, headers }: CapturedPacket): Uint8Array {
  const bytes = new Uint8Array(PACKET_HEADER_BYTES + headers.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, seconds, true);
  view.setUint32(4, micros, true);
  view.setUint32(8, headers.length, true);
  view.setUint32(12, Math.max(length, headers.length), true);
  bytes.set(headers, PACKET_HEADER_BYTES);
  return bytes;
}

export function pcapFile({ linkType, packets }: Captured): Uint8Array {
  return packets.map(pcapPacket).reduce(joined, pcapHeader(linkType));
}

export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
