import type { Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";

/**
 * What is asked of whoever outlives our processes: systemd where it runs, detached processes of our own where it does not.
 *
 *   O1. When `arm` has answered ok, the undo of that request starts at the deadline though every process of ours is killed (I8).
 *   O2. When `stopModules` has answered ok, no process of those modules runs, nor any that they started.
 */
export interface Init {
  readonly kind: "systemd" | "plain";
  /** `afterMs` from now. Arming again replaces what was armed. */
  arm(requestId: string, afterMs: number): Promise<Result<null, string>>;
  /** What is armed for the request does no harm any more: its undo finds nothing to do. This only tidies up. */
  disarm(requestId: string): Promise<void>;
  /** Starts the undo now and does not wait for it. */
  startRevert(requestId: string): Promise<Result<null, string>>;
  stopModules(domains: readonly DomainName[]): Promise<Result<null, string>>;
  resumeModules(domains: readonly DomainName[]): Promise<void>;
  /** Makes a module answer on its socket, where nobody listens for it. */
  startModule(domain: DomainName): Promise<Result<null, string>>;
}
