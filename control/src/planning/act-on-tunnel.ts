import { holdsOn } from "@holdfast/core/access/grant.ts";
import type { TunnelActed, tunnelActSchema } from "@holdfast/core/api/tunnel-act.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type { RequestId } from "@holdfast/core/base/id.ts";
import { TUNNEL_OUTCOMES, type TunnelAct, unacknowledged, USUAL_PART } from "@holdfast/core/plan/tunnel-act.ts";
import type { TunnelActResponse } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { z } from "zod";
import type { Caller } from "../api/caller.ts";
import { inTransaction } from "../api/in-transaction.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { listApplies } from "../store/applies.ts";
import { newId } from "../store/new-id.ts";
import { lockServer } from "../store/servers.ts";
import { StoreFailure } from "../store/store-failure.ts";
import type { TunnelActOutcome, TunnelActRow } from "../store/tables.ts";
import { endTunnelAct, insertTunnelAct } from "../store/tunnel-acts.ts";
import { readFinding } from "./ask-agent.ts";
import { composer } from "./compose-for.ts";
import type { ServerPlace } from "./places.ts";
import { assertFresh } from "./step-up.ts";
import { loadWorld } from "./world.ts";

/**
 * An operator's act on a tunnel that is in force (ADR 0033). It changes no configuration and is no apply; it makes a server move all the same, so
 * it takes the permission apply on its vpn domain and the floor's second factor.
 *   T1. The intent, a higher fence and an audit entry are committed before anything is signed; the signer signs what the row says.
 *   T2. The agent does it at most once. A lost answer is asked for once more; where that is lost too, the row says `unknown`, and never a guess.
 *   T3. While an apply is open on the server, and while another act is, it is refused.
 */
export async function actOnTunnel(
  house: House,
  caller: Caller,
  place: ServerPlace,
  tunnel: string,
  body: z.output<typeof tunnelActSchema>,
): Promise<TunnelActed> {
  if (!holdsOn(caller.grants, "apply", place, ["vpn"]))
    refuse("access.out_of_scope", `You do not have the permission apply on the vpn domain of ${place.name}.`);
  const act: TunnelAct = { tunnel, verb: body.act, of: body.of ?? USUAL_PART[body.act] };
  if (body.preview) return preview(house, place, act);

  const world = await loadWorld(house.database, house.documents);
  const server = world.servers.find((one) => one.id === place.id);
  if (server !== undefined) assertFresh(caller, [composer(house, world, [])(server).composed.floor]);
  const row = await begin(house, caller, place, act, body.acknowledge);
  const answer = await house.agents.tunnel(place.id, row);
  const end = async (outcome: TunnelActOutcome, code: string | null): Promise<void> => {
    await inTransaction(house, (tx) => endTunnelAct(tx, row.id, outcome, code, caller.actor));
    house.log.info(
      {
        request_id: row.id,
        server_id: place.id,
        target_host: place.name,
        domain: "vpn",
        result_code: code ?? "ok",
        actor: caller.actor.actor,
      },
      `tunnel ${tunnel}: ${act.verb} ${act.of}: ${outcome}`,
    );
  };
  switch (answer.kind) {
    case "not_signed":
      await end("refused", answer.code);
      return refuse("tunnel.refused", `Nothing was done: ${answer.message} (${answer.code}).`);
    case "lost":
      await end("unknown", "tunnel.outcome_unknown");
      return refuse("tunnel.outcome_unknown", `Whether ${place.name} has done it is not known: ${answer.why}.`);
    case "answered": {
      const said = read(answer.value);
      await end(
        said.outcome === "possible" ? "refused" : said.outcome,
        said.outcome === "refused" || said.outcome === "failed" ? codeOf(said.findings) : null,
      );
      return answered(place, row.id, said, body.acknowledge);
    }
  }
}

async function preview(house: House, place: ServerPlace, act: TunnelAct): Promise<TunnelActed> {
  const asked = await house.agents.previewTunnel(place.id, act);
  if (asked.kind === "unreachable") refuse("server.unreachable", `${place.name} cannot be asked now: ${asked.why}.`);
  const { outcome, findings } = read(asked.value);
  return { id: null, outcome: outcome === "failed" ? "refused" : outcome, findings: [...findings] };
}

/** T1, T3. */
function begin(
  house: House,
  caller: Caller,
  place: ServerPlace,
  act: TunnelAct,
  acknowledged: readonly string[],
): Promise<TunnelActRow> {
  return inTransaction(house, async (tx) => {
    const server = await lockServer(tx, place.id);
    if (server.enrolment !== "enrolled") refuse("apply.server_not_enrolled", `${place.name} has no agent.`);
    // Where nobody can be asked, nothing is begun whose end would not be known.
    if (server.session_instance === null)
      refuse("server.unreachable", `The agent of ${place.name} is not connected; nothing was done.`);
    const open = (await listApplies(tx, { serverId: place.id, states: ["APPLYING", "ROLLBACKING"], limit: 1 }))[0];
    if (open !== undefined)
      refuse("apply.server_busy", `${place.name} has an apply that is ${open.state}: its tunnels may be on trial.`);
    try {
      return await insertTunnelAct(
        tx,
        { id: newId<RequestId>(), serverId: place.id, ...act, acknowledged, requestedBy: caller.userId },
        caller.actor,
      );
    } catch (error) {
      if (error instanceof StoreFailure && error.code === "store.server_busy")
        refuse("tunnel.act_under_way", `Somebody acts on a tunnel of ${place.name} at this moment.`);
      throw error;
    }
  });
}

interface Said {
  readonly outcome: Exclude<TunnelActOutcome, "unknown"> | "possible";
  readonly findings: readonly Finding[];
}

/** An outcome that this version does not know is none that it could vouch for. */
function read({ outcome, findings }: TunnelActResponse): Said {
  return {
    outcome: TUNNEL_OUTCOMES.find((known) => known === outcome) ?? "failed",
    findings: findings.map(readFinding),
  };
}

function codeOf(findings: readonly Finding[]): string {
  return findings[0]?.code ?? "tunnel.failed";
}

function answered(place: ServerPlace, id: RequestId, said: Said, acknowledged: readonly string[]): TunnelActed {
  const { outcome, findings } = said;
  const [worst] = findings;
  switch (outcome) {
    case "done":
    case "nothing_to_do":
      return { id, outcome, findings: [...findings] };
    case "possible":
    case "refused": {
      const unread = unacknowledged(findings, acknowledged);
      if (unread.length > 0)
        refuse("tunnel.danger_not_acknowledged", `Nothing was done on ${place.name}.`, { findings });
      return refuse("tunnel.refused", `Nothing was done on ${place.name}: ${worst?.message ?? ""}`, { findings });
    }
    case "failed":
      return refuse("tunnel.failed", `It was tried on ${place.name}: ${worst?.message ?? ""}`, { findings });
  }
}
