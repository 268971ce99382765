import type { Grant } from "@holdfast/core/access/grant.ts";
import { narrow } from "@holdfast/core/access/narrow.ts";
import type { House } from "../house.ts";
import { effectiveGrants } from "../store/users.ts";
import type { Caller } from "./caller.ts";
import { isTokenLive } from "./store/token-live.ts";

/** What a caller may do at this moment, for whoever goes on serving one call; null where the session or the token is over. */
export async function grantsNow({ database }: House, caller: Caller): Promise<readonly Grant[] | null> {
  const token = await isTokenLive(database, caller.tokenId);
  if (token === undefined) return null;
  const held = await effectiveGrants(database, caller.userId);
  return token.kind === "session" ? held : narrow(held, token);
}
