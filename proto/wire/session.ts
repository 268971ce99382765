/**
 * What both ends of the wire must spell alike and what no message carries.
 */

/**
 * ALPN of the connection that an agent dials to be commanded over: after the handshake the control plane speaks HTTP/2 as the client.
 * Plain `h2` on the same port is ordinary gRPC with the agent as the client: EnrolmentService and RenewalService.
 */
export const AGENT_SESSION_ALPN = "holdfast-agent/1";
export const GRPC_ALPN = "h2";

/** Subject alternative name (URI) in the control plane's certificate. Nothing else may command an agent. */
export const CONTROL_PLANE_URI = "holdfast:role:control";

/** Put before the bytes that are signed, so that a signature of one kind can never be shown as one of another kind. */
export const SIGNED_TEXT = {
  command: "holdfast-command-v1\n",
  commandKey: "holdfast-command-key-v1\n",
  receipt: "holdfast-receipt-v1\n",
  enrolment: "holdfast-enrol-v1\n",
  renewal: "holdfast-renew-v1\n",
  sealingKey: "holdfast-sealing-key-v1\n",
  auditAnchor: "holdfast-audit-anchor-v1\n",
  auditReceipt: "holdfast-audit-receipt-v1\n",
} as const;

/** Response header and error metadata that carry the stable dotted code of a refusal. */
export const CODE_HEADER = "holdfast-code";

/** Trailer that carries what a process of the agent did in a trace, base64 of JSON (core/src/trace/agent-span.ts); optional. */
export const SPANS_TRAILER = "holdfast-spans";
