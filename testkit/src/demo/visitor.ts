import type { Place } from "../servers/inside-program.ts";
import { HttpClientLoop } from "../servers/traffic.ts";
import { WEB_ADDRESS } from "./topology.ts";

/** Often enough that a cut of a second is seen, seldom enough to cost nothing. */
const EVERY_MS = 250;
/** Five minutes: the story of one sitting. */
const KEPT = 1200;

export interface Fetch {
  readonly atMs: number;
  readonly ok: boolean;
}

export interface Visitor {
  readonly fetches: readonly Fetch[];
  stop(): Promise<unknown>;
}

/** Fetches from web-1 all the time, each over a new connection, so that a mistake is seen. */
export async function startVisitor(from: Place): Promise<Visitor> {
  const fetches: Fetch[] = [];
  const loop = await HttpClientLoop.start(from, { url: `http://${WEB_ADDRESS}/`, everyMs: EVERY_MS }, (sample) => {
    // A fetch that fails takes longer than one that works: they are told in the order in which they began.
    const after = fetches.findLastIndex((fetch) => fetch.atMs <= sample.at);
    fetches.splice(after + 1, 0, { atMs: sample.at, ok: sample.ok });
    if (fetches.length > KEPT) fetches.splice(0, fetches.length - KEPT);
  });
  return { fetches, stop: () => loop.stop() };
}
