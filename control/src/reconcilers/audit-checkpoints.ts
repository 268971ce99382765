import type { AuditWitness } from "../audit/witness.ts";
import type { Reconciler } from "./context.ts";

/**
 * S36: what was changed behind our back is known within two minutes. Every instance walks the chain: one whose database was put back alone
 * still has its own file.
 */
export function auditCheckpoints(witness: AuditWitness): Reconciler {
  return {
    name: "audit-checkpoints",
    everyMs: 60_000,
    async run() {
      await witness.checkpoint();
    },
  };
}
