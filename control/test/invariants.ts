import type { TestDatabase } from "@holdfast/testkit/database.ts";
import type { SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { verifyAuditChain } from "../src/store/audit.ts";
import { listHostTransactions } from "../src/store/host-transactions.ts";
import type { ApplyRow } from "../src/store/tables.ts";

/** What holds in the rows and in the ledgers after any history: the numbers are those of docs/protocol/apply.md. */
export async function checkInvariants(test: TestDatabase, agents: readonly SimulatedAgent[]): Promise<void> {
  const chain = await verifyAuditChain(test.app);
  if (!chain.intact) throw new Error(`invariant 12: the audit chain is broken at ${chain.brokenAt}`);
  const applies = await test.app.rows<ApplyRow>({ text: "select * from applies", values: [] });
  for (const apply of applies) {
    const sent = await listHostTransactions(test.app, apply.id);
    const ledgers = agents.filter((agent) => agent.identity.serverId === apply.server_id).map((agent) => agent.ledger);
    const records = sent.flatMap((row) =>
      ledgers.flatMap((ledger) => [
        { kind: row.kind, records: ledger.transactions.get(row.request_id)?.records ?? [] },
      ]),
    );
    const forward = records.find((each) => each.kind === "forward")?.records ?? [];
    const rollbackHeld = records.some((each) => each.kind === "rollback" && each.records.includes("confirmed"));
    for (const each of records) {
      if (each.records.includes("confirmed") && each.records.includes("reverting"))
        throw new Error("invariant 3: confirmed and undone");
    }
    if (apply.state === "APPLIED" && !forward.includes("confirmed"))
      throw new Error("invariant 1: APPLIED without the ledger's word");
    if (
      apply.state === "ROLLED_BACK" &&
      !rollbackHeld &&
      (forward.includes("confirmed") || (forward.includes("armed") && !forward.includes("reverted")))
    ) {
      throw new Error(`invariant 2: ROLLED_BACK with ${forward.join(" ")}`);
    }
    if (apply.effect === "none" && forward.includes("armed"))
      throw new Error("effect none of a transaction that was armed");
  }
  for (const agent of agents) {
    const spans = [...agent.ledger.transactions.values()].filter((each) => each.records.includes("armed"));
    for (const one of spans) {
      for (const other of spans) {
        if (one === other) continue;
        const overlaps = one.begunAtMs < (other.endedAtMs ?? Infinity) && other.begunAtMs < (one.endedAtMs ?? Infinity);
        if (overlaps) throw new Error(`invariant 10: ${one.requestId} and ${other.requestId} overlap`);
      }
    }
  }
}
