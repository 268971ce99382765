import { setTimeout as sleep } from "node:timers/promises";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import { transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { RecordDraft, TransactionState } from "@holdfast/core/ledger/record.ts";
import { digestOf } from "../digest.ts";
import { confirmedConfig } from "../guard/planning.ts";
import type { Ledger, LockedLedger } from "../ledger/ledger.ts";
import { readTransaction, type TransactionContent, type UndoReason } from "../ledger/transaction-file.ts";
import { reasonOf, type Log } from "../log/log.ts";
import { NO_MANAGEMENT_PATH } from "../management-path.ts";
import type { DomainHands } from "../module/domain-hands.ts";
import type { Init } from "../os/init.ts";
import type { AgentPaths } from "../paths.ts";

/**
 * The one way back, whoever asks for it: deadline, abort, failed step, boot, a person on the server.
 *
 *   U1. Once `confirmed` is in the ledger nothing is undone.
 *   U2. Nothing else changes the server meanwhile: the modules are killed before, and the ledger's lock is held throughout.
 *   U3. It needs the ledger and the snapshots, nothing else (I18). Where the ledger cannot be written any more, the server is put back all the same.
 *   U4. It may be killed anywhere and begin again: each restore is repeatable.
 *   U5. `reverted` is written only after the server was read back and is what the snapshots hold; or, where they are damaged, what was
 *       confirmed last, and then the server is locked until a person has looked (I4, I5).
 */
export interface UndoContext {
  readonly paths: AgentPaths;
  readonly ledger: Ledger;
  readonly log: Log;
  /** Null where nothing of ours can be running yet: at boot. */
  readonly init: Init | null;
  readonly handsOf: (domain: DomainName) => DomainHands | null;
}

export type UndoOutcome =
  | { readonly kind: "undone" }
  /** There was nothing to undo: `why` says what the ledger holds. */
  | { readonly kind: "nothing_to_undo"; readonly why: string }
  | { readonly kind: "failed"; readonly message: string };

/** Milliseconds before each further attempt. A lock that nft holds for a moment is over by then; what still fails needs a person. */
const BACK_OFF_MS = [200, 500, 1_000, 2_000] as const;

export async function undoTransaction(
  context: UndoContext,
  requestId: string,
  reason: UndoReason,
): Promise<UndoOutcome> {
  const { ledger, log, init } = context;
  const before = transactionOf(ledger.read(), requestId);
  const settled = nothingToUndo(before, requestId);
  if (settled !== null) {
    await init?.disarm(requestId);
    return settled;
  }
  const domains = domainsOf(before);
  const stopped = (await init?.stopModules(domains)) ?? ok(null);
  // A process that cannot be killed may still hold the lock; then the lock's timeout below is what is reported.
  if (!stopped.ok) log.error("a module could not be stopped", { requestId }, { reason: stopped.error });
  try {
    const outcome = await ledger.exclusively((locked) => undoUnderLock(context, locked, requestId, reason));
    log.info(
      outcome.kind === "undone" ? "undone" : "not undone",
      { requestId, resultCode: outcome.kind === "undone" ? reason.code : `undo.${outcome.kind}` },
      { reason: outcome.kind === "failed" ? outcome.message : reason.message },
    );
    return outcome;
  } catch (error) {
    return { kind: "failed", message: reasonOf(error) };
  } finally {
    await init?.resumeModules(domains);
    if (transactionOf(ledger.read(), requestId)?.last === "reverted") await init?.disarm(requestId);
  }
}

function nothingToUndo(one: TransactionState | null, requestId: string): UndoOutcome | null {
  if (one === null) return { kind: "nothing_to_undo", why: `the ledger has nothing of ${requestId}` };
  if (one.last === "confirmed" || one.last === "finalized") return { kind: "nothing_to_undo", why: "it is confirmed" };
  if (one.last === "reverted") return { kind: "nothing_to_undo", why: "it is undone already" };
  if (one.last === "refused") return { kind: "nothing_to_undo", why: "it was refused and changed nothing" };
  return null;
}

async function undoUnderLock(
  context: UndoContext,
  locked: LockedLedger,
  requestId: string,
  asked: UndoReason,
): Promise<UndoOutcome> {
  const one = transactionOf(locked.state, requestId);
  const settled = nothingToUndo(one, requestId);
  if (settled !== null || one === null) return settled ?? { kind: "nothing_to_undo", why: "it is gone" };
  const reason = one.why ?? asked;
  const draft = { requestId, fence: one.fence };
  if (one.last === "prepared") {
    return wrote(context, locked, {
      kind: "reverted",
      ...draft,
      detail: { ...reason, liveDigest: "", changed: false },
    });
  }
  // U3: a ledger that takes nothing more must not keep the server from being put back.
  if (one.last !== "reverting") wrote(context, locked, { kind: "reverting", ...draft, detail: reason });
  let last = "";
  for (let attempt = 1; ; attempt++) {
    // After damage the record of a step may be among what was lost.
    const restored = await restoreDomains(context, one, locked.state.lock?.code === "ledger.damaged");
    if (restored.ok) {
      // U5: what is there now is what was confirmed last. Whether that is what was there before this transaction, a person must see.
      if (restored.value.fromConfirmed) lockForDamage(context, locked, one);
      const detail = { ...reason, liveDigest: restored.value.liveDigest, changed: one.begun.length > 0 };
      return wrote(context, locked, { kind: "reverted", ...draft, detail });
    }
    last = restored.error.message;
    context.log.error("a restore failed", { requestId }, { attempt, domains: restored.error.domains, reason: last });
    const pauseMs = BACK_OFF_MS[attempt - 1];
    if (pauseMs === undefined) {
      wrote(context, locked, {
        kind: "revert_failed",
        ...draft,
        detail: { code: reason.code, message: last, attempt, domains: restored.error.domains },
      });
      return { kind: "failed", message: last };
    }
    await sleep(pauseMs);
  }
}

function wrote(context: UndoContext, locked: LockedLedger, draft: RecordDraft): UndoOutcome {
  const appended = locked.append(draft);
  if (appended.ok) return { kind: "undone" };
  context.log.error(
    "the ledger could not be written",
    { requestId: draft.requestId },
    { reason: appended.error.message },
  );
  return { kind: "failed", message: `the ledger could not be written: ${appended.error.message}` };
}

/** Before `reverted`: the outcome must not be heard of without it. */
function lockForDamage(context: UndoContext, locked: LockedLedger, one: TransactionState): void {
  if (locked.state.lock !== null) return;
  const reason = `the snapshots of transaction ${one.requestId} could not be used, so the last confirmed state was loaded in their place. Look at the server, then release it`;
  wrote(context, locked, {
    kind: "locked",
    requestId: "",
    fence: one.fence,
    detail: { code: "server.snapshot_damaged", reason },
  });
}

interface Restored {
  readonly liveDigest: string;
  /** The snapshots could not be used: the last confirmed state was loaded in their place. */
  readonly fromConfirmed: boolean;
}

interface RestoreFailure {
  readonly domains: readonly string[];
  readonly message: string;
}

/** Puts every begun domain back, the last one first; one that fails does not keep the others from it. Answers with the live digest. */
async function restoreDomains(
  context: UndoContext,
  one: TransactionState,
  everyDomain: boolean,
): Promise<Result<Restored, RestoreFailure>> {
  const content = readTransaction(context.paths.snapshots, one.requestId, one.prepared?.manifestDigest ?? null);
  if (!content.ok)
    context.log.error(
      "the snapshots cannot be used; the confirmed config is loaded in their place",
      { requestId: one.requestId },
      { reason: content.error },
    );
  const digests: Record<string, string> = {};
  const failed: string[] = [];
  let message = "";
  const known = content.ok ? [...content.value.snapshots.keys()] : (one.prepared?.domains ?? []);
  const due: readonly string[] = everyDomain ? known : one.begun;
  for (const domain of DOMAINS.filter((name) => due.includes(name)).reverse()) {
    const restored = await restoreDomain(context, domain, content.ok ? content.value : null);
    if (restored.ok) digests[domain] = restored.value;
    else {
      failed.push(domain);
      message ||= `${domain}: ${restored.error}`;
    }
  }
  if (failed.length > 0) return err({ domains: failed, message });
  return ok({ liveDigest: digestOf(digests), fromConfirmed: !content.ok && Object.keys(digests).length > 0 });
}

async function restoreDomain(
  context: UndoContext,
  domain: DomainName,
  content: TransactionContent | null,
): Promise<Result<string, string>> {
  const hands = context.handsOf(domain);
  if (hands === null) return err("this agent has no module for it");
  try {
    const snapshot = content?.snapshots.get(domain);
    const restored = snapshot === undefined ? await loadConfirmed(context, hands) : await hands.restore(snapshot);
    return restored.ok ? ok(restored.value.liveDigest) : restored;
  } catch (error) {
    return err(reasonOf(error));
  }
}

/** The last resort where a snapshot is damaged: the last state that was confirmed. */
async function loadConfirmed(context: UndoContext, hands: DomainHands): ReturnType<DomainHands["load"]> {
  const confirmed = confirmedConfig(context);
  if (!confirmed.ok) return confirmed;
  if (confirmed.value === null) return err("there is no usable snapshot and no confirmed config to fall back on");
  const part = confirmed.value.domains.get(hands.domain.name) ?? null;
  const parsed = part === null ? null : hands.domain.parseConfig(part);
  if (parsed !== null && !parsed.ok)
    return err(
      `the confirmed config is not readable: ${canonicalJson(parsed.findings.map((finding) => finding.message))}`,
    );
  return hands.load(parsed === null ? null : parsed.config, NO_MANAGEMENT_PATH);
}

function domainsOf(one: TransactionState | null): readonly DomainName[] {
  const prepared = one?.prepared?.domains;
  return prepared === undefined ? DOMAINS : DOMAINS.filter((domain) => prepared.includes(domain));
}
