import { holdsOn } from "@holdfast/core/access/grant.ts";
import type { Permission } from "@holdfast/core/api/account.ts";
import type { applyDetailSchema } from "@holdfast/core/api/apply.ts";
import { type ApplyId, isUuid, type RolloutId } from "@holdfast/core/base/id.ts";
import type { z } from "zod";
import type { House, SeenHouse } from "../../house.ts";
import { wishFor } from "../../planning/apply-wish.ts";
import { confirmByPerson } from "../../planning/confirm-by-person.ts";
import { loadPlaces, reachById, reachByName, seenHouse, visibleServers } from "../../planning/places.ts";
import { retryApply } from "../../planning/retry-apply.ts";
import { rollbackApply } from "../../planning/rollback-change.ts";
import { listApplyEvents } from "../../store/applies.ts";
import { listHostTransactions } from "../../store/host-transactions.ts";
import { getPlan } from "../../store/plans.ts";
import { getRollout, listRollouts, listTargets, setRolloutState } from "../../store/rollouts.ts";
import { getServer } from "../../store/servers.ts";
import { transaction } from "../../store/transaction.ts";
import type { Caller } from "../caller.ts";
import { keyOf, pageOf } from "../cursor.ts";
import type { Handlers } from "../handler.ts";
import { applyId, rolloutId } from "../ids.ts";
import { notFound, refuse } from "../refused.ts";
import { type ListedApply, listApplyDetails } from "../store/apply-list.ts";
import { nameRefs, rolloutsOfOthers, userNames } from "../store/named.ts";
import { actionsOfApply, applySummary } from "../view/apply-view.ts";
import { rolloutDetail, rolloutView } from "../view/rollout-view.ts";
import { probeViews, transactionView } from "../view/transaction-view.ts";

type ApplyRoutes =
  | "listRollouts"
  | "getRollout"
  | "pauseRollout"
  | "resumeRollout"
  | "haltRollout"
  | "listApplies"
  | "getApply"
  | "confirmApply"
  | "abortApply"
  | "retryApply"
  | "rollbackApply"
  | "forceCloseApply";

export function applyHandlers(house: House): Pick<Handlers, ApplyRoutes> {
  const { database } = house;

  /** The apply, if the caller may see it and do this to its server. */
  const find = async (caller: Caller, permission: Permission, text: string): Promise<ListedApply> => {
    const id = applyId(text);
    const [row] = await listApplyDetails(database, { ids: [id], visible: null, before: null, limit: 1 });
    if (row === undefined) notFound("apply with this id");
    await reachById(house, caller, permission, row.server_id, "apply with this id");
    return row;
  };
  const detail = async (row: ListedApply, { database }: SeenHouse): Promise<z.input<typeof applyDetailSchema>> => {
    const [server, plan, events, transactions, revisions, users] = await Promise.all([
      getServer(database, row.server_id),
      getPlan(database, row.plan_id),
      listApplyEvents(database, row.id),
      listHostTransactions(database, row.id),
      nameRefs(database, row.revisions),
      userNames(database),
    ]);
    if (server === undefined) notFound("apply with this id");
    const probes = plan?.probes ?? [];
    return {
      ...applySummary(row),
      planId: row.plan_id,
      revisions: revisions.map(({ kind, name, revision }) => ({ kind, name, revision })),
      fence: row.fence,
      leaseOwner: row.lease_owner,
      events: events.map((event) => ({
        at: event.at.toISOString(),
        fromState: event.from_state,
        toState: event.to_state,
        phase: event.phase,
        code: event.code,
        message: event.message,
        actor: named(event.actor, users),
        requestId: event.request_id,
      })),
      transactions: transactions.map((one) => transactionView(one, probeViews(one, probes), house.evidence)),
      actions: actionsOfApply(row, server, house.nowMs()),
    };
  };
  const again = async (id: ApplyId): Promise<z.input<typeof applyDetailSchema>> => {
    const [row] = await listApplyDetails(database, { ids: [id], visible: null, before: null, limit: 1 });
    return detail(row ?? notFound("apply with this id"), house);
  };
  const steer = async (caller: Caller, text: string, to: "PAUSED" | "RUNNING" | "HALTED", reason: string) => {
    const id = rolloutId(text);
    await assertSteers(house, caller, id);
    const why =
      to === "HALTED"
        ? { code: "rollout.halted_by_operator", message: reason === "" ? null : reason }
        : { code: null, message: reason === "" ? null : reason };
    const done = await transaction(database, (tx) => setRolloutState(tx, id, to, why, caller.actor));
    if (!done.ok && done.error.code === "store.wrong_state") refuse("rollout.not_now", done.error.message);
    if (!done.ok) throw done.error;
    return { value: await rolloutDetail(house, caller, id) };
  };

  return {
    async listRollouts({ caller, query }) {
      const before = keyOf(query.cursor, isUuid) as RolloutId | null;
      const rows = await listRollouts(database, null, before, query.limit + 1);
      const visible = await visibleServers(house, caller);
      const seen = await seenHouse(house, caller);
      const views = await Promise.all(rows.slice(0, query.limit).map((row) => rolloutView(seen, row, visible)));
      const { nextCursor } = pageOf(
        rows,
        query.limit,
        (row) => row.id,
        (row) => row,
      );
      // One without a server that may be seen is left out, as it is when it is asked for by its id; one over no server at all is everybody's.
      const ofOthers = visible === null ? [] : await rolloutsOfOthers(database, rows, visible);
      return { value: { items: views.filter((view) => !ofOthers.includes(view.id)), nextCursor } };
    },

    async getRollout({ caller, params }) {
      return { value: await rolloutDetail(house, caller, rolloutId(params.id)) };
    },

    pauseRollout: ({ caller, params, body }) => steer(caller, params.id, "PAUSED", body.reason),
    resumeRollout: ({ caller, params, body }) => steer(caller, params.id, "RUNNING", body.reason),
    haltRollout: ({ caller, params, body }) => steer(caller, params.id, "HALTED", body.reason),

    async listApplies({ caller, query }) {
      const before = keyOf(query.cursor, isUuid) as ApplyId | null;
      const server = query.server === undefined ? undefined : await reachByName(house, caller, "view", query.server);
      const visible = await visibleServers(house, caller);
      const seen = await seenHouse(house, caller);
      const rows = await listApplyDetails(seen.database, {
        visible,
        before,
        limit: query.limit + 1,
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(server === undefined ? {} : { serverId: server.id }),
      });
      return { value: pageOf(rows, query.limit, (row) => row.id, applySummary) };
    },

    async getApply({ caller, params }) {
      return { value: await detail(await find(caller, "view", params.id), await seenHouse(house, caller)) };
    },

    async confirmApply({ caller, params, connection }) {
      const { id } = await find(caller, "apply", params.id);
      await confirmByPerson(house, caller, id, connection);
      return { value: await again(id) };
    },

    async abortApply({ caller, params, body }) {
      const { id } = await find(caller, "apply", params.id);
      await wishFor(house, caller, id, "abort", body.reason);
      return { value: await again(id) };
    },

    async forceCloseApply({ caller, params, body }) {
      const { id } = await find(caller, "admin", params.id);
      await wishFor(house, caller, id, "force_close", body.reason);
      return { value: await again(id) };
    },

    async retryApply({ caller, params }) {
      const { id } = await find(caller, "apply", params.id);
      return { value: await rolloutDetail(house, caller, await retryApply(house, caller, id)) };
    },

    async rollbackApply({ caller, params }) {
      const { id } = await find(caller, "apply", params.id);
      return { value: await rolloutDetail(house, caller, await rollbackApply(house, caller, id)) };
    },
  };
}

/** Whoever steers a rollout must have `apply` on every server of it. */
async function assertSteers(house: House, caller: Caller, id: RolloutId): Promise<void> {
  if ((await getRollout(house.database, id)) === undefined) notFound("rollout with this id");
  const places = new Map((await loadPlaces(house)).map((place) => [place.id, place]));
  const targets = await listTargets(house.database, id);
  const mine = targets.flatMap((target) => places.get(target.server_id) ?? []);
  if (!mine.some((place) => holdsOn(caller.grants, "view", place)) && mine.length > 0) notFound("rollout with this id");
  if (!mine.every((place) => holdsOn(caller.grants, "apply", place)))
    refuse("access.out_of_scope", "You do not have the permission apply on every server of this rollout.");
}

/** `user/<id>` as the account's name; everything else as it is. */
function named(actor: string, users: Awaited<ReturnType<typeof userNames>>): string {
  const id = actor.startsWith("user/") ? actor.slice("user/".length) : null;
  return [...users].find(([user]) => user === id)?.[1] ?? actor;
}
