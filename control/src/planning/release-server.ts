import type { Caller } from "../api/caller.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { listApplies } from "../store/applies.ts";
import { revokeKeys } from "../store/enrolment.ts";
import { lockServer, setEnrolment } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import type { ServerPlace } from "./places.ts";

/** Ends the management of a server. It keeps what is in force; its keys are revoked, and its id and name are never used again. */
export async function releaseServer(house: House, caller: Caller, place: ServerPlace, reason: string): Promise<void> {
  const done = await transaction(house.database, async (tx) => {
    const server = await lockServer(tx, place.id);
    if (server.enrolment === "released") refuse("server.not_now", `${place.name} has been released already.`);
    // Its way back lies in the hands of an agent that would lose its certificate.
    const open = (
      await listApplies(tx, { serverId: place.id, states: ["READY", "APPLYING", "ROLLBACKING"], limit: 1 })
    )[0];
    if (open !== undefined)
      refuse("server.not_now", `${place.name} has an apply that is ${open.state}; wait for its end, or abort it.`);
    await setEnrolment(tx, place.id, ["expected", "pending", "enrolled"], "released", caller.actor);
    await revokeKeys(tx, place.id, caller.actor);
    tx.audit({
      ...caller.actor,
      action: "server.release_asked",
      object: `server/${place.id}`,
      serverId: place.id,
      new: { reason },
      resultCode: "ok",
    });
  });
  if (!done.ok) throw done.error;
}
