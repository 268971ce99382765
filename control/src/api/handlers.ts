import type { Doctor } from "../doctor/doctor.ts";
import type { House } from "../house.ts";
import type { EventStream } from "./event-stream.ts";
import type { Handlers } from "./handler.ts";
import { accountHandlers } from "./handlers/account.ts";
import { alertHandlers } from "./handlers/alert.ts";
import { applyHandlers } from "./handlers/apply.ts";
import { certificateHandlers } from "./handlers/certificate.ts";
import { changeHandlers } from "./handlers/change.ts";
import { commandKeyHandlers } from "./handlers/command-key.ts";
import { documentHandlers } from "./handlers/document.ts";
import { objectiveHandlers } from "./handlers/objective.ts";
import { oidcHandlers } from "./handlers/oidc.ts";
import { passkeyHandlers } from "./handlers/passkey.ts";
import { proofHandlers } from "./handlers/proof.ts";
import { secondFactorHandlers } from "./handlers/second-factor.ts";
import { secretHandlers } from "./handlers/secret.ts";
import { serverHandlers } from "./handlers/server.ts";
import { toolHandlers } from "./handlers/tool.ts";
import { userSignInHandlers } from "./handlers/user-sign-in.ts";
import { userHandlers } from "./handlers/user.ts";
import type { PacketStreams } from "./packet-stream.ts";
import type { ToolStreams } from "./tool-stream.ts";

/** One handler for each row of ROUTES: the compiler refuses one that is missing, and one that has no row. */
export function allHandlers(
  house: House,
  doctor: Doctor,
  events: EventStream,
  packets: PacketStreams,
  tools: ToolStreams,
): Handlers {
  return {
    ...accountHandlers(house),
    ...secondFactorHandlers(house),
    ...oidcHandlers(house),
    ...passkeyHandlers(house),
    ...userHandlers(house),
    ...userSignInHandlers(house),
    ...commandKeyHandlers(house),
    ...certificateHandlers(house),
    ...serverHandlers(house, packets),
    ...toolHandlers(house, tools),
    ...documentHandlers(house),
    ...secretHandlers(house),
    ...changeHandlers(house),
    ...applyHandlers(house),
    ...alertHandlers(house),
    ...objectiveHandlers(house),
    ...proofHandlers(house, doctor, events),
  } satisfies Handlers;
}
