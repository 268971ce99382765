import type { Probe, ProbeResult } from "@holdfast/core/plan/probe.ts";

/**
 * Whether a change on trial has earned its confirmation (I7).
 *   T1. A probe counts only when it passed before the change: what did not work before proves nothing now. One that must hold counts anyway.
 *   T2. Green means that every counting probe passed in the last round and the soak is over.
 *   T3. A vantage point that cannot see is no evidence: it neither passes a counting probe nor excuses it.
 *   T4. One that must hold and has not passed on this trial is waited for: the other end may not be there yet. The server's own deadline ends it.
 */
export interface ProbeRound {
  readonly atMs: number;
  readonly results: Readonly<Record<string, ProbeResult>>;
}

export type TrialVerdict =
  | { readonly kind: "probe_now" }
  /** Nothing to do until then; the next round follows. */
  | { readonly kind: "soak"; readonly ms: number }
  | { readonly kind: "green" }
  | { readonly kind: "failed"; readonly probes: readonly string[] };

export interface TrialView {
  readonly probes: readonly Probe[];
  readonly baseline: Readonly<Record<string, ProbeResult>>;
  /** Oldest first. */
  readonly rounds: readonly ProbeRound[];
  /** When on_trial was learnt over a fresh session: the soak begins there. */
  readonly freshSinceMs: number;
  readonly soakMs: number;
}

/** One lost SYN is no verdict; three rounds in a row are. Higher would spend the window, lower would undo over a hiccup. */
export const ROUNDS_TO_FAIL = 3;
/** Between rounds. Shorter than a probe's own timeout would pile up; longer would waste a short window. */
export const ROUND_EVERY_MS = 2_000;
/** After a failed round the next comes sooner, so that three fit well into the shortest window. */
export const ROUND_AGAIN_MS = 700;

/** A green round this old says nothing of now. Shorter than ROUND_EVERY_MS would never be green while a person is awaited. */
export const ROUND_AGED_MS = 5_000;

export function countingProbes(
  probes: readonly Probe[],
  baseline: Readonly<Record<string, ProbeResult>>,
): readonly Probe[] {
  return probes.filter((probe) => probe.mustHold === true || baseline[probe.id] === probe.expected); // T1
}

export function judgeTrial(view: TrialView, nowMs: number): TrialVerdict {
  const counting = countingProbes(view.probes, view.baseline);
  const soakEndsMs = view.freshSinceMs + view.soakMs;
  if (counting.length === 0) return nowMs >= soakEndsMs ? { kind: "green" } : { kind: "soak", ms: soakEndsMs - nowMs };
  const last = view.rounds.at(-1);
  if (last === undefined) return { kind: "probe_now" };
  const failing = failingIn(counting, last);
  if (failing.length > 0) {
    const recent = view.rounds.slice(-ROUNDS_TO_FAIL);
    const stubborn = failing.filter(
      (probe) =>
        isLost(probe, view) &&
        recent.length === ROUNDS_TO_FAIL &&
        recent.every((round) => failingIn([probe], round).length > 0),
    );
    if (stubborn.length > 0) return { kind: "failed", probes: stubborn.map((probe) => probe.id) };
    return dueIn(last.atMs + ROUND_AGAIN_MS - nowMs);
  }
  // The round that confirms is taken when the soak is over, not just before, and not long before a person makes up their mind.
  if (last.atMs >= soakEndsMs) return nowMs - last.atMs < ROUND_AGED_MS ? { kind: "green" } : { kind: "probe_now" };
  return dueIn(Math.min(last.atMs + ROUND_EVERY_MS, Math.max(soakEndsMs, last.atMs + 1)) - nowMs);
}

/** Its failing is news: what must hold may take until the other end has the change too, though it held before with the old one. */
function isLost(probe: Probe, { rounds }: TrialView): boolean {
  return probe.mustHold !== true || rounds.some((round) => round.results[probe.id] === probe.expected); // T4
}

function dueIn(ms: number): TrialVerdict {
  return ms <= 0 ? { kind: "probe_now" } : { kind: "soak", ms };
}

function failingIn(probes: readonly Probe[], round: ProbeRound): readonly Probe[] {
  return probes.filter((probe) => round.results[probe.id] !== probe.expected); // T3: a blind vantage is never `expected`
}
