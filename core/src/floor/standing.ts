import type { DomainName } from "../domain.ts";
import type { WhenFloorLost } from "./keep-floor.ts";

/** How the floor of a server stands in one domain, as it was told; only where there is something to tell. Plain JSON: it is kept in a row. */
export type FloorStanding = {
  /** What no longer holds now. Empty: it stands again. */
  readonly lost: readonly { readonly path: string; readonly expected: string; readonly found: string }[];
  readonly whenLost: WhenFloorLost;
  /** What the server put back by itself since its boot and its confirmed state, the newest last; `failure` empty: it helped. */
  readonly repairs: readonly { readonly at: string; readonly lost: string; readonly failure: string }[];
  readonly gaveUp: boolean;
};

export type FloorByDomain = { readonly [Name in DomainName]?: FloorStanding };

/** The domains in which it does not hold now. */
export function lostIn(
  floor: readonly { readonly domain: string; readonly lost: readonly unknown[] }[],
): readonly string[] {
  return floor.filter(({ lost }) => lost.length > 0).map(({ domain }) => domain);
}

/** In a sentence for a person, without a stop at its end. */
export function floorWords(domain: string, { lost, whenLost, repairs, gaveUp }: FloorStanding): string {
  const [first, ...more] = lost;
  const last = repairs.at(-1);
  if (first === undefined) {
    const times = repairs.length === 1 ? "once" : `${repairs.length} times`;
    return `${domain}: lost and put back by itself ${times}, last ${last?.at ?? "at an unknown time"} (${last?.lost ?? ""})`;
  }
  const what = `${domain}: ${first.path}: expected ${first.expected}, found ${first.found}${more.length === 0 ? "" : ` and ${more.length} more`}`;
  if (gaveUp)
    return `${what}; it was put back ${repairs.length} times and lost again, so the server leaves it as it is`;
  if (whenLost === "alarm") return `${what}; its floor does not let the server put it back by itself`;
  return last === undefined || last.failure === "" ? what : `${what}; putting it back failed: ${last.failure}`;
}
