import type { AuditWitness } from "../audit/witness.ts";
import { reportAudit } from "../store/instances.ts";
import type { Reconciler } from "./context.ts";

/**
 * S36: what was changed behind our back is known within two minutes, and becomes an alert. Every instance looks: one whose database was put
 * back alone still has its own file.
 */
export function auditCheckpoints(witness: AuditWitness, onLooked: () => void = () => undefined): Reconciler {
  return {
    name: "audit-checkpoints",
    everyMs: 60_000,
    async run({ database, instanceId, signal }) {
      try {
        await witness.checkpoint(signal);
      } finally {
        // Also where the head could not be written to the file: what was found was found.
        const verdict = witness.last();
        if (verdict !== null) await reportAudit(database, instanceId, verdict.intact ? "whole" : verdict);
        onLooked();
      }
    },
  };
}
