import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import { transactionOf } from "@holdfast/core/ledger/fold.ts";
import { digestOf } from "../digest.ts";
import { forgetTransactions, type UndoReason } from "../ledger/transaction-file.ts";
import { reasonOf } from "../log/log.ts";
import type { Refusal } from "../rpc/refusal.ts";
import type { GuardContext } from "./context.ts";
import { nonceDigest, preparedConfig, readBack } from "./execute.ts";
import { forgetSecrets } from "./kept-secrets.ts";
import { MODULE_READ_TIMEOUT_MS } from "./modules.ts";
import { isFresh } from "./transaction-message.ts";

/**
 * Confirm and what follows it. `confirmed` is the commit point: before it everything may be undone, after it nothing is.
 */
export type Confirmed = Result<null, Refusal> | { readonly ok: false; readonly undo: UndoReason };

export interface ConfirmRequest {
  readonly requestId: string;
  readonly fence: number;
  /** What proves that the one who confirms is the one who executed; null: a person with root on this server, who needs none. */
  readonly nonce: string | null;
  readonly sessionMonotonicNs: bigint;
}

/** Nanoseconds. */
const YOUNG_TRIAL_NS = 5_000_000_000n;

export async function confirm(context: GuardContext, request: ConfirmRequest): Promise<Confirmed> {
  const { requestId, fence } = request;
  const one = transactionOf(context.ledger.read(), requestId);
  // A known request is answered with what became of it, good or bad.
  if (one === null || one.last !== "on_trial" || one.onTrial === null || one.prepared === null) return ok(null);
  if (request.nonce !== null) {
    if (one.armed === null || nonceDigest(request.nonce) !== one.armed.nonceSha256)
      return err({ code: "guard.nonce", message: "the nonce is not the one that Execute brought" });
    // I19.
    if (!isFresh(one, request.sessionMonotonicNs)) {
      return err({
        code: "guard.session_not_fresh",
        message:
          "this session is older than the change and proves nothing about new connections; confirm over the next one",
      });
    }
  }
  const config = preparedConfig(context, requestId, one.prepared);
  if (!config.ok) return { ok: false, undo: { code: "server.snapshot_unreadable", message: config.error } };
  // A trial of a moment: nobody had time to change anything else, and drift would show it. A longer one is read back whole.
  const isYoung = context.clock.monotonicNs() - BigInt(one.onTrial.monotonicNs) < YOUNG_TRIAL_NS;
  const again = await readBackSafely(context, config.value, one.prepared.domains, isYoung ? requestId : "");
  if (!again.ok) return { ok: false, undo: { code: "verify.mismatch", message: again.error } };
  if (digestOf(again.value) !== digestOf(one.onTrial.liveDigests)) {
    return {
      ok: false,
      undo: {
        code: "verify.changed_on_trial",
        message:
          "somebody changed the server during the trial: what is read back now is not what was read back when the trial began",
      },
    };
  }
  const deadlineMs = one.onTrial.deadlineMs;
  const configDigest = one.prepared.configDigest;
  const written = await context.ledger.exclusively(({ state, append }) => {
    // Under the lock: the deadline of this very instant has either passed or not, and a newer claim has either been seen or not.
    if (context.clock.boottimeMs() >= deadlineMs) return "too_late";
    if (fence < state.maxFence) return "outrun";
    return append({ kind: "confirmed", requestId, fence, detail: { generation: state.generation + 1, configDigest } });
  });
  if (written === "too_late")
    return { ok: false, undo: { code: "trial.deadline", message: "the confirmation came after the deadline" } };
  if (written === "outrun")
    return err({
      code: "guard.fence_stale",
      message: "another holder has claimed this server while this confirmation was judged",
    });
  if (written.ok) context.log.info("confirmed", { requestId });
  else if (written.error.code === "ledger.unwritable")
    return err({ code: "ledger.unwritable", message: written.error.message });
  return ok(null);
}

/** Makes what is confirmed the boot config, and says so in the ledger. Done again after a crash; nothing is undone any more. */
export async function finalize(context: GuardContext, requestId: string): Promise<Result<null, string>> {
  const one = transactionOf(context.ledger.read(), requestId);
  if (one?.last !== "confirmed" || one.prepared === null || one.confirmed === null) return ok(null);
  const config = preparedConfig(context, requestId, one.prepared);
  if (!config.ok) return config;
  const digests: Record<string, string> = {};
  try {
    for (const domain of DOMAINS.filter((known) => one.prepared?.domains.includes(known))) {
      const client = await context.modules.of(domain);
      const persisted = await client.persist(
        { configJson: config.value.textOf(domain), requestId },
        { timeoutMs: MODULE_READ_TIMEOUT_MS },
      );
      if (persisted.liveDigest === "")
        return err(`${domain}: ${persisted.mismatches[0]?.found ?? "the boot config was not written"}`);
      digests[domain] = persisted.liveDigest;
    }
  } catch (error) {
    return err(reasonOf(error));
  }
  const written = await context.ledger.append({
    kind: "finalized",
    requestId,
    fence: one.fence,
    detail: { generation: one.confirmed.generation, liveDigest: digestOf(digests) },
  });
  if (!written.ok) return written.error.code === "ledger.unwritable" ? err(written.error.message) : ok(null);
  context.log.info("finalized", { requestId, resultCode: "ok" }, { generation: one.confirmed.generation });
  // Nobody waits for the tidying: what is armed finds nothing to undo any more.
  void context.init
    .disarm(requestId)
    .catch((error: unknown) =>
      context.log.warn("the armed deadline could not be taken away", { requestId }, { reason: reasonOf(error) }),
    );
  forgetTransactions(context.paths.snapshots, context.ledger.read());
  forgetSecrets(context.paths.secrets, config.value.secrets);
  return ok(null);
}

async function readBackSafely(...args: Parameters<typeof readBack>): ReturnType<typeof readBack> {
  try {
    return await readBack(...args);
  } catch (error) {
    return err(reasonOf(error));
  }
}
