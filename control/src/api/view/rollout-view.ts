import type { Rollout } from "@holdfast/core/api/change.ts";
import { rolloutActions } from "@holdfast/core/apply/actions.ts";
import type { ApplyId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import type { House, SeenHouse } from "../../house.ts";
import { seenHouse, visibleServers } from "../../planning/places.ts";
import { getRollout, listTargets } from "../../store/rollouts.ts";
import type { RolloutRow } from "../../store/tables.ts";
import type { Caller } from "../caller.ts";
import { notFound } from "../refused.ts";
import { listApplyDetails } from "../store/apply-list.ts";
import { serverNames, userNames } from "../store/named.ts";
import { applySummary } from "./apply-view.ts";

export async function rolloutDetail(house: House, caller: Caller, id: RolloutId): Promise<Rollout> {
  const row = (await getRollout(house.database, id)) ?? notFound("rollout with this id");
  if (await isHidden(house, caller, id)) notFound("rollout with this id");
  return rolloutView(await seenHouse(house, caller), row, await visibleServers(house, caller));
}

/** A rollout over servers of which the caller sees none is none of theirs. */
async function isHidden(house: House, caller: Caller, id: RolloutId): Promise<boolean> {
  const visible = await visibleServers(house, caller);
  const targets = visible === null ? [] : await listTargets(house.database, id);
  return targets.length > 0 && !targets.some((target) => visible?.includes(target.server_id) === true);
}

/** Servers that the caller may not see are left out of the waves. */
export async function rolloutView(
  house: SeenHouse,
  row: RolloutRow,
  visible: readonly ServerId[] | null,
): Promise<Rollout> {
  const { database } = house;
  const targets = (await listTargets(database, row.id)).filter(
    (target) => visible === null || visible.includes(target.server_id),
  );
  const ids = targets.flatMap((target): ApplyId[] => (target.apply_id === null ? [] : [target.apply_id]));
  const [names, users, applies] = await Promise.all([
    serverNames(
      database,
      targets.map((target) => target.server_id),
    ),
    userNames(database),
    ids.length === 0 ? [] : listApplyDetails(database, { ids, visible, before: null, limit: ids.length }),
  ]);
  const waves = [...new Set(targets.map((target) => target.wave))].toSorted((a, b) => a - b);
  return {
    id: row.id,
    changeId: row.change_id,
    kind: row.kind,
    state: row.state,
    haltCode: row.halt_code,
    haltMessage: row.halt_message,
    waves: waves.map((wave) => ({
      wave,
      servers: targets
        .filter((target) => target.wave === wave)
        .map((target) => {
          const apply = applies.find((one) => one.id === target.apply_id);
          return {
            server: names.get(target.server_id) ?? target.server_id,
            apply: apply === undefined ? null : applySummary(apply),
          };
        }),
    })),
    breakGlass: row.break_glass,
    currentWave: row.current_wave,
    requestedBy: users.get(row.requested_by) ?? row.requested_by,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    actions: rolloutActions(row.state),
  };
}
