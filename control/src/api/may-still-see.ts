import { holds } from "@holdfast/core/access/grant.ts";
import { narrow } from "@holdfast/core/access/narrow.ts";
import type { House } from "../house.ts";
import { visibleServers } from "../planning/places.ts";
import { effectiveGrants } from "../store/users.ts";
import type { Caller } from "./caller.ts";
import { isTokenLive } from "./store/token-live.ts";

/** The servers that a stream may tell of now; null: all of them; undefined: its session is over, or may not view any more. */
export async function mayStillSee(house: House, caller: Caller): Promise<ReadonlySet<string> | null | undefined> {
  const token = await isTokenLive(house.database, caller.tokenId);
  if (token === undefined) return undefined;
  const held = await effectiveGrants(house.database, caller.userId);
  const grants = token.kind === "session" ? held : narrow(held, token);
  if (!holds(grants, "view")) return undefined;
  const visible = await visibleServers(house, { ...caller, grants });
  return visible === null ? null : new Set(visible);
}
