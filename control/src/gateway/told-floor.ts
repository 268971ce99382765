import { floorStandingSchema } from "@holdfast/core/api/server.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import type { FloorByDomain, FloorStanding } from "@holdfast/core/floor/standing.ts";
import type { DomainState } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { z } from "zod";

/** Kept of each: they are shown to people, and come from a machine that may be anybody's. */
const MOST_LOST = 10;
const MOST_REPAIRS = 10;
const MOST_LETTERS = 500;
/** Past it no clock is right, and no date can be written. */
const MOST_MS = 8.64e15;

const stored = z.partialRecord(z.enum(DOMAINS), floorStandingSchema);

/** What an agent says of the floor in a domain; null: there is nothing to tell. */
export function toldFloor({ floor }: Pick<DomainState, "floor">): FloorStanding | null {
  if (floor === undefined || (floor.lost.length === 0 && floor.repairs.length === 0)) return null;
  const short = (value: string): string => value.slice(0, MOST_LETTERS);
  return {
    lost: floor.lost
      .slice(0, MOST_LOST)
      .map(({ path, expected, found }) => ({ path: short(path), expected: short(expected), found: short(found) })),
    whenLost: floor.whenLost === "repair" ? "repair" : "alarm",
    repairs: floor.repairs.slice(-MOST_REPAIRS).map(({ atMs, lost, failure }) => ({
      at: new Date(Number.isFinite(atMs) && Math.abs(atMs) < MOST_MS ? atMs : 0).toISOString(),
      lost: short(lost),
      failure: short(failure),
    })),
    gaveUp: floor.gaveUp,
  };
}

/** What was kept of it. Of what cannot be read any more nothing is known. */
export function floorOf(row: { readonly floor: Json }): FloorByDomain {
  const parsed = stored.safeParse(row.floor);
  return parsed.success ? parsed.data : {};
}
