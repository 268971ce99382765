import type { FactQuery, RawFact } from "../domain.ts";
import type { SeenPacket } from "./seen-packet.ts";

/** How a domain's decisions can be looked at while they are made. */
export interface PacketWatch {
  /** What says whether there is anything to look at. */
  readonly query: FactQuery;
  hasAnythingToSee(fact: RawFact): boolean;
  /** One line for a command interpreter that stays open: what it makes is gone when that process is. */
  readonly script: string;
  reader(): PacketReader;
}

/** Lines of the kernel's trace in, packets out. */
export interface PacketReader {
  take(line: string, nowMs: number): void;
  /** Packets about which nothing more was said for a moment, in the order in which they came. */
  settled(nowMs: number): readonly SeenPacket[];
  /** The rules have changed since who prints them has read them: names would be missing. Asked once, it is forgotten. */
  wasOutdated(): boolean;
  /** More came in the second before than the sample holds. */
  isSampled(nowMs: number): boolean;
}
