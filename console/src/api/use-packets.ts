import { useEffect, useState } from "react";
import { NO_PACKETS, type PacketLog, packetLogReader } from "../live/packet-log.ts";
import { follow, Unreachable } from "./client.ts";

export interface Packets {
  readonly log: PacketLog;
  readonly isLooking: boolean;
  /** Why it could not begin, or how it was cut. */
  readonly error: Error | null;
  readonly look: () => void;
  readonly stop: () => void;
}

/** A page in the background shows nobody anything: its server is left alone after so many milliseconds. */
const HIDDEN_MS = 60_000;

/** Packets of a server while somebody looks: begun by a press, ended by another, by leaving, or by looking away for a minute. */
export function usePackets(name: string): Packets {
  const [log, setLog] = useState(NO_PACKETS);
  const [isLooking, setLooking] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    if (!isLooking) return undefined;
    const leave = new AbortController();
    const read = packetLogReader();
    setError(null);
    setLog((before) => ({ ...before, lost: null, ended: null }));
    follow("watchPackets", { name }, leave.signal, (part) => setLog(read(part)))
      .catch((cause: unknown) => {
        if (leave.signal.aborted) return;
        setError(cause instanceof Error ? cause : new Unreachable(String(cause)));
      })
      .finally(() => {
        if (!leave.signal.aborted) setLooking(false);
      });
    let hidden: number | undefined;
    const onVisibility = (): void => {
      window.clearTimeout(hidden);
      if (document.visibilityState === "hidden") hidden = window.setTimeout(() => setLooking(false), HIDDEN_MS);
    };
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      leave.abort();
      window.clearTimeout(hidden);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [name, isLooking]);
  return { log, isLooking, error, look: () => setLooking(true), stop: () => setLooking(false) };
}
