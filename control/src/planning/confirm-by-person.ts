import type { ApplyId, ServerId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import type { Connection } from "../api/connection.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { addressesInFacts, isOwnAddress, plainAddress, runsControlPlane } from "../probe/own-address.ts";
import { millisecondsBack } from "../store/host-transactions.ts";
import { getServer } from "../store/servers.ts";
import type { Transaction } from "../store/transaction.ts";
import { wishFor } from "./apply-wish.ts";

/**
 * A person's confirmation is evidence only when it came in by a new way.
 *   C1. Over a connection made after the server was back: an older one lives on where new ones are cut.
 *   C2. From outside the server that is on trial, which may be the one on which this runs: what stays inside a machine crosses no wire.
 */
export async function confirmByPerson(
  house: House,
  caller: Caller,
  id: ApplyId,
  connection: Connection,
): Promise<void> {
  await wishFor(house, caller, id, "confirm", "", async (tx, apply) => {
    if (await isFromInside(tx, apply.server_id, connection.remote))
      refuse(
        "apply.confirmed_from_inside",
        "This request comes from the server that is on trial, so it shows nothing of the way in.",
      ); // C2
    const backMs = apply.request_id === null ? null : await millisecondsBack(tx, apply.request_id);
    if (backMs === null) refuse("apply.not_now", "The server is not back yet: it makes a new session first.");
    if (backMs <= connection.ageMs)
      refuse(
        "apply.connection_too_old",
        "This request came over a connection from before the server was back, which would work also where new ones are cut.",
      ); // C1
  });
}

async function isFromInside(tx: Transaction, serverId: ServerId, remote: string | null): Promise<boolean> {
  const facts = (await getServer(tx, serverId))?.facts;
  const own = addressesInFacts(facts);
  if (remote !== null && own.includes(plainAddress(remote))) return true;
  const isFromHere = remote === null || isOwnAddress(remote);
  return isFromHere && runsControlPlane(facts) && own.some(isOwnAddress);
}
