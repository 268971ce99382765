import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import { confirmedConfig } from "../guard/planning.ts";
import { reasonOf } from "../log/log.ts";
import type { UndoContext } from "../revert/undo-transaction.ts";

/**
 * Keeps going what is confirmed and does not come back by itself: a tunnel whose other end refused for a moment is begun again by nobody else.
 * Nothing that is configured changes, and nothing happens while a transaction is open: what is in force then is that transaction's matter.
 */
export async function tendConfirmed(context: UndoContext): Promise<Result<null, string>> {
  return context.ledger.exclusively(async ({ state }) => {
    if (openTransaction(state) !== null || state.lock !== null) return ok(null);
    const confirmed = confirmedConfig(context);
    if (!confirmed.ok) return confirmed;
    const failures: string[] = [];
    for (const domain of DOMAINS) {
      const part = confirmed.value?.domains.get(domain);
      const hands = context.handsOf(domain);
      const parsed = part === undefined || hands === null ? null : hands.domain.parseConfig(part);
      if (hands?.domain.tend === undefined || parsed === null || !parsed.ok) continue;
      try {
        const tended = await hands.tend(parsed.config);
        if (!tended.ok) failures.push(`${domain}: ${tended.error}`);
      } catch (error) {
        failures.push(`${domain}: ${reasonOf(error)}`);
      }
    }
    return failures.length === 0 ? ok(null) : err(failures.join("; "));
  });
}
