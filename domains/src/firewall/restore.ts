import type { Step } from "@holdfast/core/plan/step.ts";
import type { FirewallObserved } from "./facts.ts";
import { batchBetween, deleteTable, wholeTable } from "./nft-batch.ts";
import { batchStep } from "./step.ts";

/**
 * Puts our table back as the snapshot has it. It needs the snapshot and what is there now, nothing else. Where what is there now cannot be
 * read, the table is made anew: then counters begin at zero, and everything else is as before.
 */
export function restoreFirewall(snapshot: FirewallObserved, live: FirewallObserved): readonly Step[] {
  // The plan refuses to begin on a table that cannot be read, so no transaction of ours has such a snapshot to go back to.
  if (snapshot.unreadable !== null) return [];
  const batch = live.unreadable === null ? batchBetween(live.table, snapshot.table) : anew(snapshot);
  return batch === "" ? [] : [batchStep("firewall.restore", "Put the firewall back as it was", batch)];
}

function anew(snapshot: FirewallObserved): string {
  return snapshot.table === null ? `${deleteTable().join("\n")}\n` : wholeTable(snapshot.table);
}
