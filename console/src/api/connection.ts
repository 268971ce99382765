/** What is known about the way to the control plane: a store that the stale mark shows and the polling follows. */
export interface Connection {
  /** The stream of events: `live` while it is open. */
  readonly stream: "connecting" | "live" | "lost";
  /** False when the last call got no answer at all. */
  readonly reachable: boolean;
  /** Browser time of the last answer, so that what is on screen can say how old it is. */
  readonly lastAnswerMs: number | null;
}

let current: Connection = { stream: "connecting", reachable: true, lastAnswerMs: null };
const listeners = new Set<() => void>();

export function connection(): Connection {
  return current;
}

export function onConnection(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setConnection(part: Partial<Connection>): void {
  const next = { ...current, ...part };
  const changed = next.stream !== current.stream || next.reachable !== current.reachable;
  current = next;
  if (changed) for (const listener of listeners) listener();
}
