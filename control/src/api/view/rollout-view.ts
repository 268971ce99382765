import type { Rollout } from "@holdfast/core/api/change.ts";
import { rolloutActions } from "@holdfast/core/apply/actions.ts";
import type { ApplyId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import type { House } from "../../house.ts";
import { visibleServers } from "../../planning/places.ts";
import { getRollout, listTargets } from "../../store/rollouts.ts";
import type { RolloutRow } from "../../store/tables.ts";
import type { Caller } from "../caller.ts";
import { notFound } from "../refused.ts";
import { listApplyDetails } from "../store/apply-list.ts";
import { serverNames, userNames } from "../store/named.ts";
import { applySummary } from "./apply-view.ts";

export async function rolloutDetail(house: House, caller: Caller, id: RolloutId): Promise<Rollout> {
  const row = (await getRollout(house.database, id)) ?? notFound("rollout with this id");
  return rolloutView(house, row, await visibleServers(house, caller));
}

/** Servers that the caller may not see are left out of the waves. */
export async function rolloutView(
  house: House,
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
    currentWave: row.current_wave,
    requestedBy: users.get(row.requested_by) ?? row.requested_by,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    actions: rolloutActions(row.state),
  };
}
