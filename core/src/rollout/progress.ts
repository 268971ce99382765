import type { WaveSettings } from "../compose/floor-settings.ts";

/**
 * What a rollout does next, decided from what its servers came to.
 *   R1. Wave k+1 opens only when wave k has ended well on every server.
 *   R2. One server that failed, was undone or was quarantined halts the rollout: a change that hurt one server is not tried on another
 *       until a person has looked. Work under way goes on to its end; nothing new is dispatched.
 *   R3. No more servers are on trial at once than the floor says, over all rollouts: an outage of the control plane undoes them all.
 *   R4. Paused and halted rollouts dispatch nothing.
 */
export const TARGET_STATUSES = ["waiting", "under_way", "good", "bad", "withdrawn"] as const;
/** `bad`: ended otherwise than asked. `withdrawn`: taken out before anything changed; it neither helps nor hurts. */
export type TargetStatus = (typeof TARGET_STATUSES)[number];

export interface RolloutTarget {
  readonly serverId: string;
  readonly serverName: string;
  readonly wave: number;
  readonly position: number;
  readonly status: TargetStatus;
  /** Why it is bad, for the halt's own words. */
  readonly code: string | null;
}

export interface RolloutProgress {
  readonly state: "RUNNING" | "PAUSED" | "HALTED" | "DONE";
  readonly currentWave: number;
  /** Null while the current wave is open. */
  readonly waveOpensAtMs: number | null;
  readonly settings: WaveSettings;
  readonly targets: readonly RolloutTarget[];
  /** Applies under way or waiting to be claimed in other rollouts. */
  readonly underWayElsewhere: number;
}

export type RolloutAction =
  | { readonly kind: "nothing" }
  | { readonly kind: "dispatch"; readonly serverIds: readonly string[] }
  | { readonly kind: "next_wave"; readonly wave: number; readonly opensAtMs: number }
  | { readonly kind: "halt"; readonly code: string; readonly message: string }
  | { readonly kind: "finish" };

export function nextRolloutAction(progress: RolloutProgress, nowMs: number): RolloutAction {
  if (progress.state !== "RUNNING") return { kind: "nothing" }; // R4
  const bad = progress.targets.find((target) => target.status === "bad");
  if (bad !== undefined) return { kind: "halt", code: "rollout.server_did_not_take_it", message: haltMessage(bad) }; // R2
  if (progress.waveOpensAtMs !== null && nowMs < progress.waveOpensAtMs) return { kind: "nothing" };

  const wave = progress.targets.filter((target) => target.wave <= progress.currentWave);
  const waiting = wave.filter((target) => target.status === "waiting");
  const underWay = progress.targets.filter((target) => target.status === "under_way").length;
  if (waiting.length > 0) {
    const room = progress.settings.atOnce - underWay - progress.underWayElsewhere; // R3
    if (room <= 0) return { kind: "nothing" };
    return {
      kind: "dispatch",
      serverIds: waiting
        .toSorted(byPlace)
        .slice(0, room)
        .map((target) => target.serverId),
    };
  }
  if (wave.some((target) => target.status === "under_way")) return { kind: "nothing" }; // R1
  const later = progress.targets.filter((target) => target.wave > progress.currentWave).map((target) => target.wave);
  if (later.length === 0) return { kind: "finish" };
  return { kind: "next_wave", wave: Math.min(...later), opensAtMs: nowMs + progress.settings.pauseSeconds * 1000 };
}

function haltMessage(target: RolloutTarget): string {
  const why = target.code === null ? "" : ` (${target.code})`;
  return `${target.serverName} in wave ${target.wave + 1} did not take the change${why}; no further server is touched. Look at it, then retry or roll back.`;
}

function byPlace(a: RolloutTarget, b: RolloutTarget): number {
  return a.wave - b.wave || a.position - b.position;
}
