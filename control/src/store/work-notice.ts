import type { RolloutId, ServerId } from "@holdfast/core/base/id.ts";

/**
 * What a notification of the work channel is about. The dispatcher wakes for rollouts alone: one that was begun or set going, and an apply that has
 * ended. Most of what happens to a server on the way there is the engine's.
 */
export interface WorkNotice {
  readonly serverId: ServerId | null;
  readonly rolloutId: RolloutId | null;
}

/** Of a payload that this house wrote itself. */
export function readNotice(payload: string): WorkNotice {
  const told = JSON.parse(payload) as { readonly server_id?: ServerId; readonly rollout_id?: RolloutId };
  return { serverId: told.server_id ?? null, rolloutId: told.rollout_id ?? null };
}
