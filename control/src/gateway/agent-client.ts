import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { HostService } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { ReversedConnection } from "./reversed-transport.ts";

export type AgentClient = Client<typeof HostService>;

export function agentClient(connection: ReversedConnection): AgentClient {
  return createClient(HostService, connection.transport);
}

/**
 * How a call went. `unknown` is every loss on the way: the message may have arrived, and only asking tells. `rejected` is the agent's own
 * word that it did not obey; even then the ledger decides, so the saga asks.
 */
export type CallResult<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "unknown"; readonly message: string }
  | { readonly kind: "rejected"; readonly message: string };

/** Each code, whether it says something of the agent's will or only of the wire. */
const MEANS = {
  [Code.Canceled]: "unknown",
  [Code.Unknown]: "unknown",
  [Code.InvalidArgument]: "rejected",
  [Code.DeadlineExceeded]: "unknown",
  [Code.NotFound]: "rejected",
  [Code.AlreadyExists]: "rejected",
  [Code.PermissionDenied]: "rejected",
  [Code.ResourceExhausted]: "unknown",
  [Code.FailedPrecondition]: "rejected",
  [Code.Aborted]: "unknown",
  [Code.OutOfRange]: "rejected",
  [Code.Unimplemented]: "rejected",
  [Code.Internal]: "unknown",
  [Code.Unavailable]: "unknown",
  [Code.DataLoss]: "unknown",
  [Code.Unauthenticated]: "rejected",
} as const satisfies Record<Code, "unknown" | "rejected">;

export async function call<T>(answer: Promise<T>): Promise<CallResult<T>> {
  try {
    return { kind: "answered", value: await answer };
  } catch (error) {
    const failure = ConnectError.from(error, Code.Unavailable);
    return { kind: MEANS[failure.code], message: failure.message };
  }
}
