import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type TunnelActResponse, TunnelActResponseSchema } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { CODE_HEADER } from "@holdfast/proto/wire/session.ts";

/**
 * An agent's own word that it does not do it is an answer like any other, and goes back as one, also to another instance: only a loss on the way
 * leaves open what happened.
 */
export async function tunnelAnswer(asked: Promise<TunnelActResponse>): Promise<Uint8Array> {
  let answer: TunnelActResponse;
  try {
    answer = await asked;
  } catch (error) {
    const refusal = refusalOf(ConnectError.from(error, Code.Unavailable));
    if (refusal === null) throw error;
    answer = create(TunnelActResponseSchema, {
      outcome: "refused",
      findings: [{ severity: "error", path: "", ...refusal }],
    });
  }
  return toBinary(TunnelActResponseSchema, answer);
}

function refusalOf(
  error: ConnectError,
): { readonly code: string; readonly message: string; readonly remedy: string } | null {
  switch (error.code) {
    case Code.Unimplemented:
      return {
        code: "tunnel.agent_too_old",
        message: "The agent of this server does not know acts on tunnels.",
        remedy: "Upgrade the agent. On the server itself: swanctl.",
      };
    case Code.PermissionDenied:
    case Code.FailedPrecondition:
    case Code.InvalidArgument:
      return {
        code: error.metadata.get(CODE_HEADER) ?? "tunnel.refused",
        message: error.rawMessage,
        remedy: "Look at the tunnel as it is now, then do it again if it is still wanted.",
      };
    case Code.Canceled:
    case Code.Unknown:
    case Code.DeadlineExceeded:
    case Code.NotFound:
    case Code.AlreadyExists:
    case Code.ResourceExhausted:
    case Code.Aborted:
    case Code.OutOfRange:
    case Code.Internal:
    case Code.Unavailable:
    case Code.DataLoss:
    case Code.Unauthenticated:
      return null;
  }
}
