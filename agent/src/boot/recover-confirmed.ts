import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import { needsUndo, openTransaction } from "@holdfast/core/ledger/fold.ts";
import { digestOf } from "../digest.ts";
import { confirmedConfig } from "../guard/planning.ts";
import { reasonOf } from "../log/log.ts";
import { NO_MANAGEMENT_PATH } from "../management-path.ts";
import type { DomainHands, Observation } from "../module/domain-hands.ts";
import type { UndoContext } from "../revert/undo-transaction.ts";

/**
 * I17: puts what is confirmed into force on every boot: nftables and sysctl hold it in the kernel only, and the system's own units may have loaded
 * something else before. What was confirmed and not yet finalised is finished here too. Each domain is tried; answers with what failed.
 */
export async function recoverConfirmed(context: UndoContext): Promise<Result<null, string>> {
  return context.ledger.exclusively(async ({ state, append }) => {
    const open = openTransaction(state);
    // In the middle of a trial what is confirmed is not what is in force, and that is as it should be.
    if (open !== null && needsUndo(open)) return ok(null);
    const confirmed = confirmedConfig(context);
    if (!confirmed.ok) return confirmed;
    if (confirmed.value === null) return ok(null);
    const digests: Record<string, string> = {};
    const failures: string[] = [];
    for (const domain of DOMAINS) {
      const part = confirmed.value.domains.get(domain) ?? null;
      const touched = part !== null || (open?.last === "confirmed" && open.prepared?.domains.includes(domain) === true);
      if (!touched) continue;
      const recovered = await recoverDomain(context.handsOf(domain), part, open?.last === "confirmed");
      if (recovered.ok) digests[domain] = recovered.value.liveDigest;
      else failures.push(`${domain}: ${recovered.error}`);
    }
    if (failures.length > 0) return err(failures.join("; "));
    if (open?.last === "confirmed") {
      const detail = { generation: state.generation, liveDigest: digestOf(digests) };
      const written = append({ kind: "finalized", requestId: open.requestId, fence: open.fence, detail });
      if (!written.ok) return err(written.error.message);
      context.log.info("finalized", { requestId: open.requestId, resultCode: "ok" });
    }
    context.log.info("what is confirmed is in force", {}, { generation: state.generation });
    return ok(null);
  });
}

async function recoverDomain(
  hands: DomainHands | null,
  part: Json | null,
  persist: boolean,
): Promise<Result<Observation, string>> {
  if (hands === null) return err("this agent has no module for it");
  const parsed = part === null ? null : hands.domain.parseConfig(part);
  if (parsed !== null && !parsed.ok) return err(parsed.findings[0]?.message ?? "the confirmed config is not readable");
  const config = parsed === null ? null : parsed.config;
  try {
    const loaded = await hands.load(config, NO_MANAGEMENT_PATH);
    if (!loaded.ok || !persist) return loaded;
    const persisted = await hands.persist(config);
    return persisted.ok ? loaded : persisted;
  } catch (error) {
    return err(reasonOf(error));
  }
}
