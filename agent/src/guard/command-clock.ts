import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import type { LedgerState } from "@holdfast/core/ledger/record.ts";
import type { Clock } from "../os/clock.ts";

/**
 * The time by which a command has expired. From `armed` on it is the wall clock of that moment and what the boot clock counted since: somebody
 * who sets the clock during a trial must not make its Confirm look years old.
 */
export function commandTimeMs(state: LedgerState, clock: Clock): number {
  const open = openTransaction(state);
  const armed = open?.entries.find((entry) => entry.kind === "armed");
  if (open === null || armed === undefined || open.armed === null || open.prepared === null) return clock.wallMs();
  // Boot time counts from zero in every boot.
  if (open.bootId !== clock.bootId()) return clock.wallMs();
  const armedAtMs = open.armed.deadlineMs - open.prepared.budgetMs - open.prepared.windowMs;
  return armed.atMs + clock.boottimeMs() - armedAtMs;
}
