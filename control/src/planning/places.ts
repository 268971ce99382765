import { holdsEverywhere, holdsOn } from "@holdfast/core/access/grant.ts";
import type { Permission } from "@holdfast/core/api/account.ts";
import type { ServerId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House, SeenHouse } from "../house.ts";
import type { RevisionRef } from "../store/tables.ts";
import { keyOf } from "./document-cache.ts";
import { listPlaces } from "./store/places.ts";

export interface ServerPlace {
  readonly id: ServerId;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Every server's name and labels, for deciding who may see and do what. */
export async function loadPlaces(house: Pick<House, "database" | "documents">): Promise<readonly ServerPlace[]> {
  const rows = await listPlaces(house.database);
  const refs = rows.flatMap((row): RevisionRef[] =>
    row.document_id === null || row.revision === null ? [] : [{ document_id: row.document_id, revision: row.revision }],
  );
  const parsed = await house.documents.read(house.database, refs);
  return rows.map((row) => {
    const document =
      row.document_id === null || row.revision === null
        ? null
        : parsed.get(keyOf({ document_id: row.document_id, revision: row.revision }));
    return { id: row.id, name: row.name, labels: document?.kind === "Server" ? document.body.labels : {} };
  });
}

/** The servers that the caller may see; null: all of them, so that nothing needs to be looked up. */
export function visibleServers(house: House, caller: Caller): Promise<readonly ServerId[] | null> {
  return serversHeld(house, caller, "view");
}

/** The servers on which the caller holds the permission; null: all of them. */
export async function serversHeld(
  house: House,
  caller: Caller,
  permission: Permission,
): Promise<readonly ServerId[] | null> {
  if (holdsEverywhere(caller.grants, permission)) return null;
  return (await loadPlaces(house))
    .filter((place) => holdsOn(caller.grants, permission, place))
    .map((place) => place.id);
}

/** Names of the servers that are there and that the caller may not see. */
export async function hiddenServers(house: House, caller: Caller): Promise<ReadonlySet<string>> {
  if (holdsEverywhere(caller.grants, "view")) return new Set();
  const places = await loadPlaces(house);
  return new Set(places.filter((place) => !holdsOn(caller.grants, "view", place)).map((place) => place.name));
}

/** The house as the caller sees it. What the handlers leave out, the database leaves out once more. */
export async function seenHouse(house: House, caller: Caller): Promise<SeenHouse> {
  const visible = await visibleServers(house, caller);
  return visible === null ? house : { ...house, database: house.database.seenBy(visible) };
}

/** The server that is meant, if the caller may see it; with another permission than view, if they may do that to it. */
export async function reach(
  house: House,
  caller: Caller,
  permission: Permission,
  isMeant: (place: ServerPlace) => boolean,
  what: string,
): Promise<ServerPlace> {
  const place = (await loadPlaces(house)).find(isMeant);
  if (place === undefined) notFound(what);
  // Whoever may change a server may know that it is there, so the refusal says what is missing; everybody else hears "no such thing".
  const maySee = holdsOn(caller.grants, "view", place);
  if (!maySee && (permission === "view" || !holdsOn(caller.grants, permission, place))) notFound(what);
  if (!holdsOn(caller.grants, permission, place))
    refuse("access.out_of_scope", `You do not have the permission ${permission} on ${place.name}.`);
  return place;
}

export function reachByName(house: House, caller: Caller, permission: Permission, name: string): Promise<ServerPlace> {
  return reach(house, caller, permission, (place) => place.name === name, `server ${name}`);
}

export function reachById(
  house: House,
  caller: Caller,
  permission: Permission,
  id: ServerId,
  what: string,
): Promise<ServerPlace> {
  return reach(house, caller, permission, (place) => place.id === id, what);
}
