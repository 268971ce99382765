import { createHash } from "node:crypto";

/**
 * Ids of spans are made from what stands in the rows, not by chance: whoever goes on with an apply after a crash finds the very span again
 * that its predecessor has already named as a parent.
 */
export function spanIdOf(what: string, id: string): string {
  return hex(what, id).slice(0, 16);
}

/** The trace of an apply that gets one of its own. */
export function traceIdOf(requestId: string): string {
  return hex("trace", requestId).slice(0, 32);
}

/** A request of the API begins a trace under its own id: trace_id in the logs and X-Request-Id name it too. */
export function traceIdOfRequest(requestId: string): string {
  return requestId.replaceAll("-", "").toLowerCase();
}

function hex(what: string, id: string): string {
  return createHash("sha256").update(`holdfast ${what}\n${id}`).digest("hex");
}
