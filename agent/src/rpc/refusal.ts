import { Code, ConnectError } from "@connectrpc/connect";
import { CODE_HEADER } from "@holdfast/proto/wire/session.ts";

/**
 * Refusals that are no outcome of a transaction: nothing was recorded, and the same message may be sent again later. Each has its gRPC code
 * in one place.
 */
export const REFUSALS = {
  "command.signature": Code.PermissionDenied,
  "command.unreadable": Code.InvalidArgument,
  "command.wrong_server": Code.PermissionDenied,
  "command.expired": Code.PermissionDenied,
  "command.wrong_verb": Code.InvalidArgument,
  "command_key.unknown": Code.PermissionDenied,
  "command_key.signature": Code.PermissionDenied,
  "command_key.unwritable": Code.Internal,
  "guard.fence_stale": Code.FailedPrecondition,
  "guard.busy": Code.FailedPrecondition,
  "guard.locked": Code.FailedPrecondition,
  "guard.not_enrolled": Code.FailedPrecondition,
  "guard.not_prepared": Code.FailedPrecondition,
  "guard.session_not_fresh": Code.FailedPrecondition,
  "guard.nonce": Code.PermissionDenied,
  "guard.config_unreadable": Code.InvalidArgument,
  "guard.unavailable": Code.Unavailable,
  "ledger.unwritable": Code.Internal,
  "module.unavailable": Code.Unavailable,
  "module.not_at_step_begin": Code.FailedPrecondition,
  "module.config_invalid": Code.InvalidArgument,
  "module.step_unknown": Code.FailedPrecondition,
  "module.step_failed": Code.Aborted,
  "module.transaction_open": Code.FailedPrecondition,
  "module.snapshot_unreadable": Code.InvalidArgument,
} as const satisfies Record<string, Code>;
export type RefusalCode = keyof typeof REFUSALS;

export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

export function toConnectError(refusal: Refusal): ConnectError {
  return new ConnectError(`${refusal.code}: ${refusal.message}`, REFUSALS[refusal.code], {
    [CODE_HEADER]: refusal.code,
  });
}

/** The stable code that a peer's error carries, or the gRPC code in words. */
export function codeOf(error: ConnectError): string {
  return (
    error.metadata.get(CODE_HEADER) ??
    `rpc.${Code[error.code].replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? "" : "_") + letter.toLowerCase())}`
  );
}
