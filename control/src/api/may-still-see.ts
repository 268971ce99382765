import { holds } from "@holdfast/core/access/grant.ts";
import type { House } from "../house.ts";
import { visibleServers } from "../planning/places.ts";
import type { Caller } from "./caller.ts";
import { grantsNow } from "./grants-now.ts";

/** The servers that a stream may tell of now; null: all of them; undefined: its session is over, or may not view any more. */
export async function mayStillSee(house: House, caller: Caller): Promise<ReadonlySet<string> | null | undefined> {
  const grants = await grantsNow(house, caller);
  if (grants === null || !holds(grants, "view")) return undefined;
  const visible = await visibleServers(house, { ...caller, grants });
  return visible === null ? null : new Set(visible);
}
