import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import { openTransaction, transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { TransactionState } from "@holdfast/core/ledger/record.ts";
import type { Command, PrepareCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { readTransaction, writeTransaction } from "../ledger/transaction-file.ts";
import { reasonOf } from "../log/log.ts";
import { freeBytes } from "../os/files.ts";
import type { Refusal } from "../rpc/refusal.ts";
import type { GuardContext } from "./context.ts";
import type { GuardConfig } from "./effective-config.ts";
import { keepSecrets } from "./kept-secrets.ts";
import { MODULE_READ_TIMEOUT_MS } from "./modules.ts";
import { planConfig, type GuardPlan } from "./planning.ts";

/**
 * Prepare: everything is looked at and nothing is changed. It ends in `prepared`, or in `refused`, which is an outcome with a receipt; only
 * what has nothing to do with the request itself (an old fence, another open transaction) is refused without a record.
 */

/** Bytes that must stay free beside the snapshot: finalising writes the boot config, and other programs of the server need some too. */
const DISK_RESERVE_BYTES = 32 * 1024 * 1024;

/** Milliseconds beyond the steps' own budgets: reading back every domain, and starting processes on a busy machine. */
const VERIFY_BUDGET_MS = 15_000;

/** How many findings a refusal keeps: enough to act on, and a record has a limit. */
const MOST_FINDINGS = 20;

interface Rejection {
  readonly code: string;
  readonly message: string;
  readonly findings: readonly Finding[];
}

export async function prepare(
  context: GuardContext,
  command: Command,
  wanted: PrepareCommand,
): Promise<Result<null, Refusal>> {
  const { requestId } = command;
  const fence = Number(command.fence);
  const state = context.ledger.read();
  // I11.
  if (transactionOf(state, requestId) !== null) return ok(null);
  // I9: the ledger says it again under its lock.
  if (fence <= state.maxFence)
    return err({
      code: "guard.fence_stale",
      message: `fence ${fence} is not above ${state.maxFence}; a new transaction needs a higher one`,
    });
  const open = openTransaction(state);
  if (open !== null && open.last !== "prepared" && open.last !== "revert_failed") {
    return err({ code: "guard.busy", message: `transaction ${open.requestId} is open here (${open.last})` });
  }
  const looked = await lookAtEverything(context, requestId, wanted);
  if (open?.last === "prepared") {
    const gone = await supersede(context, open);
    if (!gone.ok) return gone;
  }
  const appended = looked.ok
    ? await context.ledger.append({
        kind: "prepared",
        requestId,
        fence,
        detail: { ...looked.value, applyId: command.applyId, changeId: command.changeId, actor: command.actor },
      })
    : await context.ledger.append({
        kind: "refused",
        requestId,
        fence,
        detail: { ...looked.error, findings: looked.error.findings.slice(0, MOST_FINDINGS) },
      });
  if (!appended.ok)
    return err(
      appended.error.code === "ledger.unwritable"
        ? { code: "ledger.unwritable", message: appended.error.message }
        : { code: "guard.busy", message: appended.error.message },
    );
  const about = { requestId, changeId: command.changeId, actor: command.actor };
  if (looked.ok) context.log.info("transaction prepared", about, { plan_digest: looked.value.planDigest });
  else
    context.log.warn(
      "transaction refused",
      { ...about, resultCode: looked.error.code },
      { reason: looked.error.message },
    );
  return ok(null);
}

type Looked = Omit<NonNullable<TransactionState["prepared"]>, "applyId" | "changeId" | "actor">;

async function lookAtEverything(
  context: GuardContext,
  requestId: string,
  wanted: PrepareCommand,
): Promise<Result<Looked, Rejection>> {
  const state = context.ledger.read();
  if (state.lock !== null) return reject(state.lock.code, `This server takes no applies: ${state.lock.reason}.`);
  const kind = wanted.kind === "forward" || wanted.kind === "rollback" ? wanted.kind : null;
  if (kind === null)
    return reject("command.unreadable", `kind must be forward or rollback, not ${JSON.stringify(wanted.kind)}`);
  const config = context.configs.read(wanted.configJson, wanted.configDigest);
  if (!config.ok) return reject("config.unreadable", config.error);
  try {
    const plan = await planConfig(context, config.value, false);
    if (!plan.ok) return reject("server.unreadable", plan.error);
    const objection = objectionTo(plan.value, config.value, wanted);
    if (objection !== null) return err(objection);
    await context.ledger.reserve();
    const kept = keepSecrets(context, requestId, config.value.secrets, wanted.secrets);
    if (!kept.ok) return reject(kept.error.code, kept.error.message);
    const manifestDigest = await keepWhatIsThere(context, requestId, config.value, plan.value);
    if (!manifestDigest.ok) return manifestDigest;
    context.recentPlans.clear();
    context.recentPlans.set(requestId, { plan: plan.value, atMs: context.clock.boottimeMs() });
    const budgets = plan.value.domains.flatMap(({ plan: { steps } }) => steps.map((step) => Number(step.budgetMs)));
    return ok({
      transactionKind: kind,
      configDigest: config.value.digest,
      planDigest: plan.value.planDigest,
      baseGeneration: plan.value.baseGeneration,
      manifestDigest: manifestDigest.value,
      budgetMs: budgets.reduce((sum, one) => sum + one, VERIFY_BUDGET_MS),
      windowMs: config.value.windowMs,
      reconnectMs: config.value.reconnectMs,
      domains: plan.value.domains.map(({ domain }) => domain),
    });
  } catch (error) {
    return reject("server.unreadable", `the server could not be looked at: ${reasonOf(error)}`);
  }
}

/** Why a plan that could be made may not be applied. */
function objectionTo(plan: GuardPlan, config: GuardConfig, wanted: PrepareCommand): Rejection | null {
  const errors = plan.findings.filter((finding) => finding.severity === "error");
  const [first] = errors;
  if (first !== undefined) return { code: first.code, message: first.message, findings: errors };
  // I21.
  if (BigInt(plan.baseGeneration) !== wanted.baseGeneration) {
    return moved(`the server is at generation ${plan.baseGeneration}, the plan was made on ${wanted.baseGeneration}`);
  }
  if (plan.planDigest !== wanted.planDigest) {
    const steps = plan.domains.flatMap(({ domain, plan: { steps } }) =>
      steps.map((step) => `${domain}: ${step.title}`),
    );
    const now =
      steps.length === 0 ? "there is nothing to do any more" : `the steps would be: ${steps.slice(0, 10).join("; ")}`;
    return moved(
      `the live state or the agent is not what the plan was made on; for config ${config.digest.slice(0, 12)} ${now}`,
    );
  }
  if (plan.drift.length > 0 && !wanted.overwriteDrift) {
    return {
      code: "plan.drift",
      message: `Somebody changed on the server what this plan is about: ${plan.drift.slice(0, 10).join("; ")}. Plan again with overwrite, or take the change over into the policy.`,
      findings: [],
    };
  }
  return null;
}

function moved(what: string): Rejection {
  return { code: "plan.moved", message: `The plan has moved: ${what}. Plan again.`, findings: [] };
}

/** Writes config and snapshots where the undo finds them, and reads them back: what cannot be undone is not begun. */
async function keepWhatIsThere(
  context: GuardContext,
  requestId: string,
  config: GuardConfig,
  plan: GuardPlan,
): Promise<Result<string, Rejection>> {
  const snapshots = new Map<DomainName, Json>();
  let size = config.json.length;
  for (const { domain, plan: planned } of plan.domains) {
    const client = await context.modules.of(domain);
    const taken = await client.snapshot({ requestId }, { timeoutMs: MODULE_READ_TIMEOUT_MS });
    if (taken.digest !== planned.liveDigest)
      return reject("plan.moved", `${domain} changed on the server while it was planned. Plan again.`);
    snapshots.set(domain, JSON.parse(taken.snapshotJson) as Json);
    size += taken.snapshotJson.length;
  }
  const free = freeBytes(context.paths.state);
  if (free < DISK_RESERVE_BYTES + 2 * size) {
    return reject(
      "server.disk_full",
      `There are ${Math.floor(free / 1024 / 1024)} MB free below ${context.paths.state}; a safe apply needs ${Math.ceil((DISK_RESERVE_BYTES + 2 * size) / 1024 / 1024)}. Make room.`,
    );
  }
  const content = { configJson: config.json, snapshots };
  const digest = writeTransaction(context.paths.snapshots, requestId, content);
  const back = readTransaction(context.paths.snapshots, requestId, digest);
  // The bytes are those that were written, by their digest; they must also come apart as the undo takes them apart.
  const isWhole =
    back.ok &&
    back.value.configJson === config.json &&
    [...snapshots.keys()].every((domain) => back.value.snapshots.has(domain));
  if (!back.ok || !isWhole) {
    return reject(
      "server.snapshot_unreadable",
      `what was written for the undo does not read back: ${back.ok ? "it differs" : back.error}`,
    );
  }
  return ok(digest);
}

/** A transaction that was only prepared has changed nothing; a newer one takes its place. */
async function supersede(context: GuardContext, open: TransactionState): Promise<Result<null, Refusal>> {
  const appended = await context.ledger.append({
    kind: "reverted",
    requestId: open.requestId,
    fence: open.fence,
    detail: {
      code: "transaction.superseded",
      message: "A newer transaction was prepared before this one was executed; nothing was changed.",
      liveDigest: "",
      changed: false,
    },
  });
  return appended.ok ? ok(null) : err({ code: "guard.busy", message: appended.error.message });
}

function reject(code: string, message: string): Result<never, Rejection> {
  return err({ code, message, findings: [] });
}
