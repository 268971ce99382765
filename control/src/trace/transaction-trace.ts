import { readTraceparent, traceparentOf } from "@holdfast/core/trace/traceparent.ts";
import type { TransactionTrace } from "../store/host-transactions.ts";
import type { RolloutTrace } from "../store/rollouts.ts";
import { spanIdOf, traceIdOf } from "./span-id.ts";

/**
 * One server: the apply goes on in the trace of the request that began it. Several: each has a trace of its own that names the request's,
 * since nobody reads the spans of a thousand servers in one picture.
 */
export function traceOfTransaction(rollout: RolloutTrace, requestId: string): TransactionTrace | null {
  const cause = readTraceparent(rollout.traceparent);
  if (cause === null || rollout.traceparent === null) return null;
  const traceId = rollout.servers > 1 ? traceIdOf(requestId) : cause.traceId;
  return {
    traceparent: traceparentOf({ traceId, spanId: spanIdOf("transaction", requestId) }),
    tracedFrom: rollout.traceparent,
  };
}
