import { createHash } from "node:crypto";
import { ConnectError } from "@connectrpc/connect";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import { transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { PreparedDetail, RecordDraft } from "@holdfast/core/ledger/record.ts";
import type { UndoReason } from "../ledger/transaction-file.ts";
import { codeOf, type Refusal } from "../rpc/refusal.ts";
import { whereTraced } from "../trace/tracing.ts";
import type { GuardContext } from "./context.ts";
import type { GuardConfig } from "./effective-config.ts";
import { MODULE_READ_TIMEOUT_MS } from "./modules.ts";
import { planConfig, type GuardPlan, type PlannedDomain } from "./planning.ts";

/**
 * Execute: arm, change, read back, go on trial. Each record is on disk before the next act, so that at every instant either nothing has
 * changed or somebody else than this process holds the way back.
 *
 *   X1. `arm` has answered before `armed` is written, and `armed` is written before anything changes.
 *   X2. A step that fails, is late or cannot be written down ends in the undo, never in the next step.
 *   X3. Going on trial may only bring the deadline nearer.
 */
export type Executed =
  | { readonly kind: "on_trial" }
  | { readonly kind: "undo"; readonly reason: UndoReason }
  | { readonly kind: "overtaken" };

/** Writes `armed`. What fails here has changed nothing. */
export async function armTransaction(
  context: GuardContext,
  requestId: string,
  fence: number,
  nonce: string,
): Promise<Result<null, Refusal>> {
  const one = transactionOf(context.ledger.read(), requestId);
  if (one?.prepared === null || one?.prepared === undefined)
    return err({ code: "guard.not_prepared", message: `transaction ${requestId} is not prepared here` });
  const afterMs = one.prepared.budgetMs + one.prepared.windowMs;
  const deadlineMs = context.clock.boottimeMs() + afterMs;
  const armed = await whereTraced("guard arm", {}, () => context.init.arm(requestId, afterMs));
  if (!armed.ok)
    return err({
      code: "guard.unavailable",
      message: `the automatic undo cannot be armed, so nothing is changed: ${armed.error}`,
    });
  const appended = await context.ledger.append({
    kind: "armed",
    requestId,
    fence,
    detail: { nonceSha256: nonceDigest(nonce), deadlineMs },
  });
  if (!appended.ok) {
    await context.init.disarm(requestId);
    return err({ code: "ledger.unwritable", message: appended.error.message });
  }
  return ok(null);
}

/** Changes the server step by step. Never rejects: whatever goes wrong is a reason to undo. */
export async function changeServer(context: GuardContext, requestId: string): Promise<Executed> {
  try {
    return await runSteps(context, requestId);
  } catch (error) {
    const failure = ConnectError.from(error);
    return undo(codeOf(failure), failure.rawMessage);
  }
}

async function runSteps(context: GuardContext, requestId: string): Promise<Executed> {
  const one = transactionOf(context.ledger.read(), requestId);
  const prepared = one?.prepared ?? null;
  if (one === null || prepared === null) return undo("guard.not_prepared", "the ledger does not say what was prepared");
  const config = preparedConfig(context, requestId, prepared);
  if (!config.ok) return undo("server.snapshot_unreadable", config.error);
  const plan = await planAgain(context, requestId, config.value);
  if (!plan.ok) return undo("server.unreadable", plan.error);
  if (plan.value.planDigest !== prepared.planDigest)
    return undo("plan.moved", "the server changed between Prepare and Execute");
  const stepCount = plan.value.domains.reduce((count, { plan: { steps } }) => count + steps.length, 0);
  let ordinal = 0;
  for (const planned of plan.value.domains) {
    for (const step of planned.plan.steps) {
      const began = await write(context, {
        kind: "step_begin",
        requestId,
        fence: one.fence,
        detail: { stepId: step.id, title: step.title, domain: planned.domain, digest: step.digest },
      });
      if (began !== null) return began;
      ordinal += 1;
      // Of a step its place only: its id may name what stands in a document.
      const details = { domain: planned.domain, step: `${ordinal}/${stepCount}` };
      await whereTraced("guard step", details, () => applyStep(context, requestId, planned, step));
      const done = await write(context, {
        kind: "step_done",
        requestId,
        fence: one.fence,
        detail: { stepId: step.id, liveDigest: "" },
      });
      if (done !== null) return done;
    }
  }
  const verified = await readBack(context, config.value, prepared.domains, requestId);
  if (!verified.ok) return undo("verify.mismatch", verified.error);
  return goOnTrial(context, requestId, one.fence, prepared, verified.value);
}

/** Milliseconds for which a plan that was prepared counts as made from live facts. */
const RECENT_MS = 10_000;

async function planAgain(
  context: GuardContext,
  requestId: string,
  config: GuardConfig,
): Promise<Result<GuardPlan, string>> {
  const recent = context.recentPlans.get(requestId);
  context.recentPlans.clear();
  if (recent !== undefined && context.clock.boottimeMs() - recent.atMs <= RECENT_MS) return ok(recent.plan);
  return planConfig(context, config, false);
}

async function applyStep(
  context: GuardContext,
  requestId: string,
  planned: PlannedDomain,
  step: { id: string; digest: string; budgetMs: bigint },
): Promise<void> {
  const { domain, configJson, confirmedJson, managementPathJson } = planned;
  const client = await context.modules.of(domain);
  context.log.info("step begins", { requestId, domain }, { step: step.id });
  await client.applyStep(
    { requestId, stepId: step.id, stepDigest: step.digest, configJson, confirmedJson, managementPathJson },
    { timeoutMs: Number(step.budgetMs) },
  );
}

async function goOnTrial(
  context: GuardContext,
  requestId: string,
  fence: number,
  prepared: PreparedDetail,
  liveDigests: Record<string, string>,
): Promise<Executed> {
  const now = context.clock.boottimeMs();
  const armedUntil = transactionOf(context.ledger.read(), requestId)?.armed?.deadlineMs ?? now;
  const deadlineMs = Math.min(armedUntil, now + prepared.windowMs); // X3
  const detail = {
    liveDigests,
    deadlineMs,
    reconnectByMs: Math.min(deadlineMs, now + prepared.reconnectMs),
    monotonicNs: String(context.clock.monotonicNs()),
  };
  const failed = await write(context, { kind: "on_trial", requestId, fence, detail });
  if (failed !== null) return failed;
  context.log.info("on trial", { requestId }, { remaining_ms: deadlineMs - now });
  return { kind: "on_trial" };
}

/** Appends; what is returned is why not to go on. */
async function write(context: GuardContext, draft: RecordDraft): Promise<Executed | null> {
  const appended = await context.ledger.append(draft);
  if (appended.ok) return null;
  // Somebody has written `reverting` meanwhile: the undo is theirs.
  if (appended.error.code === "ledger.not_next") return { kind: "overtaken" };
  return undo(appended.error.code, appended.error.message);
}

/**
 * Reads every domain back through the facts that plans use, and holds it against what was wanted. With a `requestId` a module may read only
 * what the steps of that transaction were meant to change; without one everything is read.
 */
export async function readBack(
  context: GuardContext,
  config: GuardConfig,
  domains: readonly string[],
  requestId: string,
): Promise<Result<Record<string, string>, string>> {
  const digests: Record<string, string> = {};
  for (const domain of DOMAINS.filter((known): known is DomainName => domains.includes(known))) {
    const client = await context.modules.of(domain);
    const configJson = config.textOf(domain);
    const { mismatches, liveDigest } = await client.verify(
      { configJson, requestId },
      { timeoutMs: MODULE_READ_TIMEOUT_MS },
    );
    const [first] = mismatches;
    if (first !== undefined) {
      return err(
        `${domain} reads back differently: ${first.path}: expected ${first.expected}, found ${first.found}${mismatches.length > 1 ? ` (and ${mismatches.length - 1} more)` : ""}`,
      );
    }
    if (liveDigest === "") return err(`${domain} did not say what it read back`);
    digests[domain] = liveDigest;
  }
  return ok(digests);
}

export function preparedConfig(
  context: GuardContext,
  requestId: string,
  prepared: PreparedDetail,
): Result<GuardConfig, string> {
  const { manifestDigest, configDigest } = prepared;
  return context.configs.ofTransaction(context.paths.snapshots, requestId, manifestDigest, configDigest);
}

export function nonceDigest(nonce: string): string {
  return createHash("sha256").update(nonce, "utf8").digest("hex");
}

function undo(code: string, message: string): Executed {
  return { kind: "undo", reason: { code, message } };
}
