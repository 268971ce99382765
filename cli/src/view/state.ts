import type { Effect, ServerIs, ApplyState } from "@holdfast/core/apply/state.ts";
import type { Context } from "../context.ts";
import { painter } from "./style.ts";

const COLOUR = {
  DRAFT: "gray",
  READY: "cyan",
  APPLYING: "yellow",
  APPLIED: "green",
  FAILED: "red",
  ROLLBACKING: "yellow",
  ROLLED_BACK: "magenta",
  CANCELLED: "gray",
} as const satisfies Record<ApplyState, string>;

const SERVER_WORDS = {
  as_before: "as before",
  as_requested: "as requested",
  mixed: "MIXED",
  unknown: "UNKNOWN",
} as const satisfies Record<ServerIs, string>;

const SERVER_COLOUR = {
  as_before: "green",
  as_requested: "green",
  mixed: "red",
  unknown: "red",
} as const satisfies Record<ServerIs, string>;

const EFFECT_WORDS = {
  none: "nothing was changed",
  restore_failed: "the undo failed",
  unknown: "what it left behind is not known",
} as const satisfies Record<Effect, string>;

export function stateWord(context: Context, state: ApplyState): string {
  return painter(context)(COLOUR[state], state);
}

/** Two facts, never one: the outcome, and what the server is. */
export function outcome(context: Context, state: ApplyState, serverIs: ServerIs, effect: Effect | null): string {
  const server = painter(context)(SERVER_COLOUR[serverIs], SERVER_WORDS[serverIs]);
  return `${stateWord(context, state)}, server ${server}${effect === null ? "" : ` (${EFFECT_WORDS[effect]})`}`;
}
