import { randomInt } from "node:crypto";
import type { ApplyId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import { DEFAULT_WAVES, type FloorSettings, type WaveSettings } from "@holdfast/core/compose/floor-settings.ts";
import { partiesOf, planWaves } from "@holdfast/core/rollout/wave.ts";
import type { Caller } from "../api/caller.ts";
import { newId } from "../store/new-id.ts";
import type { PlanHead } from "../store/plans.ts";
import { insertRollout, type NewTarget } from "../store/rollouts.ts";
import type { BreakGlass, ChangeRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import type { BoundPlan } from "./bind-plans.ts";
import { adoptRevisions, finishRollout } from "./store/adopt.ts";

/** Any order is as good as another; it only must not be the same each time. */
const SEEDS = 2 ** 32;

/** Writes the rollout of bound plans. Servers that have what is asked already take it over at once; the others follow in waves. */
export async function startRollout(
  tx: Transaction,
  caller: Caller,
  change: ChangeRow,
  kind: PlanHead["kind"],
  bound: readonly BoundPlan[],
  appliesBack: ReadonlyMap<ServerId, ApplyId>,
  approved: { readonly needed: number; readonly breakGlass: BreakGlass | null } = { needed: 0, breakGlass: null },
): Promise<RolloutId> {
  const id: RolloutId = newId();
  const sent = bound.filter(({ plan }) => plan.status === "planned");
  const adopting = bound.filter(({ plan }) => plan.status === "nothing_to_do");
  const strictest = strictestWaves(sent.map(({ composition }) => composition.composed.floor));
  const ids = sent.map(({ server }) => server.id);
  const together = tunnelEnds(sent);
  // Ends that wait for each other must be on trial at once.
  const largest = Math.max(1, ...partiesOf(ids, together).map((party) => party.length));
  const settings = { ...strictest, atOnce: Math.max(strictest.atOnce, largest) };
  const waves = planWaves(ids, settings, randomInt(SEEDS), together);
  const planOf = new Map(sent.map(({ server, plan }) => [server.id as string, plan]));
  const targets = waves.flatMap((servers, wave) =>
    servers.flatMap((serverId, position): NewTarget[] => {
      const plan = planOf.get(serverId);
      return plan === undefined
        ? []
        : [
            {
              serverId: plan.server_id,
              wave,
              position,
              planId: plan.id,
              applyId: appliesBack.get(plan.server_id) ?? null,
            },
          ];
    }),
  );
  const { userId: requestedBy, traceId, traceparent } = caller;
  const rollout = {
    id,
    changeId: change.id,
    kind,
    settings: { ...settings },
    requestedBy,
    targets,
    traceId,
    traceparent,
    approvalsNeeded: approved.needed,
  };
  const { breakGlass } = approved;
  await insertRollout(tx, breakGlass === null ? rollout : { ...rollout, breakGlass }, caller.actor);
  for (const { server, plan } of adopting)
    await adoptRevisions(tx, server.id, change.id, id, plan.revisions, caller.actor);
  if (sent.length === 0) await finishRollout(tx, id);
  return id;
}

/** The servers of each tunnel, as far as this rollout changes their tunnels. */
function tunnelEnds(sent: readonly BoundPlan[]): readonly (readonly ServerId[])[] {
  const ends = new Map<string, ServerId[]>();
  for (const { server, composition, plan } of sent) {
    if (!plan.steps.some(({ domain }) => domain === "vpn")) continue;
    for (const { document } of composition.selected.documents) {
      if (document.kind !== "Tunnel") continue;
      ends.set(document.name, [...(ends.get(document.name) ?? []), server.id]);
    }
  }
  return [...ends.values()];
}

/** Of several floors the most careful of each: the rollout goes as slowly as its most careful server asks. */
export function strictestWaves(floors: readonly FloorSettings[]): WaveSettings {
  const all = floors.map((floor) => floor.waves);
  if (all.length === 0) return DEFAULT_WAVES;
  return {
    canary: Math.min(...all.map((one) => one.canary)),
    percent: [...new Set(all.flatMap((one) => one.percent))].toSorted((a, b) => a - b),
    pauseSeconds: Math.max(...all.map((one) => one.pauseSeconds)),
    atOnce: Math.min(...all.map((one) => one.atOnce)),
  };
}
