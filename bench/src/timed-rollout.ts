import { applyDetailSchema } from "@holdfast/core/api/apply.ts";
import { type ChangeDetail, type Rollout, rolloutSchema } from "@holdfast/core/api/change.ts";
import type { Operator } from "@holdfast/testkit/operator/operator.ts";
import type { EventTap } from "./event-tap.ts";

export interface TimedRollout {
  /** Milliseconds from the call of the API to APPLIED, in the order in which the servers ended. */
  readonly appliedMs: readonly number[];
  /** What was heard meanwhile. */
  readonly story: readonly { readonly atMs: number; readonly what: string }[];
}

/** Longer than any trial of the bench's floor: what has not ended by then never will. */
const APPLIED_WITHIN_MS = 120_000;

/** Applies what has been planned, with the clock running until `servers` servers have said APPLIED. */
export async function timedRollout(
  operator: Operator,
  events: EventTap,
  change: ChangeDetail,
  servers: number,
): Promise<TimedRollout> {
  events.clear();
  const began = performance.now();
  const answered = operator.applyPlanned(change);
  const done = new Map<string, number>();
  const last = events.until(({ kind, state, server_id, at }) => {
    if (kind !== "apply" || done.has(server_id)) return false;
    if (state === "FAILED" || state === "ROLLED_BACK" || state === "CANCELLED") return true;
    if (state === "APPLIED") done.set(server_id, at - began);
    return done.size === servers;
  }, APPLIED_WITHIN_MS);
  const [rollout, { apply_id: id, state }] = await Promise.all([answered, last]).catch(async (error: unknown) => {
    throw new Error(`"${change.title}" did not end: ${await unended(operator, answered).catch(String)}`, {
      cause: error,
    });
  });
  if (state !== "APPLIED") {
    const { server, code, message, lastStep } = await operator.call("getApply", {
      params: { id },
      answer: applyDetailSchema,
    });
    throw new Error(
      `"${change.title}" ended ${state} on ${server}: ${code ?? ""} ${message ?? ""} (last step: ${lastStep ?? "none"})`,
    );
  }
  if (rollout === null) throw new Error(`"${change.title}" changes nothing anywhere`);
  const story = events.heard().map(({ at, kind, action, state, phase }) => ({
    atMs: at - began,
    what: [kind, action, state, phase].filter((word) => word !== "").join(" "),
  }));
  await operator.waitRollout(rollout.id);
  return { appliedMs: [...done.values()], story };
}

/** For whoever reads why a measurement broke: which servers, and what they wait for. */
async function unended(operator: Operator, answered: Promise<Rollout | null>): Promise<string> {
  const begun = await answered.catch(() => null);
  if (begun === null) return "it was not begun";
  const { state, waves } = await operator.call("getRollout", { params: { id: begun.id }, answer: rolloutSchema });
  const open = waves
    .flatMap(({ servers }) => servers)
    .filter(({ apply }) => apply?.state !== "APPLIED")
    .map(({ server, apply }) => `${server} ${apply?.state ?? "not begun"} (${apply?.waitingFor ?? apply?.code ?? ""})`);
  return `the rollout is ${state}, ${open.length} servers are not APPLIED: ${open.join("; ")}`;
}
