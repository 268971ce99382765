import { systemActor, type Actor } from "@holdfast/control/store/actor.ts";
import { claimNext } from "@holdfast/control/store/apply-claim.ts";
import { insertReady, setPhase } from "@holdfast/control/store/apply-move.ts";
import { insertChange, listChangeItems, makeReady } from "@holdfast/control/store/changes.ts";
import type { Database } from "@holdfast/control/store/database.ts";
import { getDocument } from "@holdfast/control/store/documents.ts";
import { insertHostTransaction, recordOutcome } from "@holdfast/control/store/host-transactions.ts";
import { newId } from "@holdfast/control/store/new-id.ts";
import { insertPlan } from "@holdfast/control/store/plans.ts";
import { insertRollout } from "@holdfast/control/store/rollouts.ts";
import { insertServer, setEnrolment } from "@holdfast/control/store/servers.ts";
import type { ApplyRow, HostTransactionRow, Outcome, RevisionRef } from "@holdfast/control/store/tables.ts";
import { transaction, type Transaction } from "@holdfast/control/store/transaction.ts";
import { insertUser } from "@holdfast/control/store/users.ts";
import type {
  ApplyId,
  ChangeId,
  Digest,
  DocumentId,
  Fence,
  InstanceId,
  PlanId,
  RequestId,
  RolloutId,
  ServerId,
  UserId,
} from "@holdfast/core/base/id.ts";

/** Rows to begin a test with, made by the store's own functions: what a test stands on is what production writes. */
export interface StoredHouse {
  readonly database: Database;
  readonly instance: InstanceId;
  readonly author: UserId;
  readonly by: Actor;
  /** Runs a transaction that the test expects to succeed. */
  do<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
  /** An enrolled server. */
  server(name: string): Promise<ServerId>;
  /** A READY change of one policy, by default always the same policy. */
  change(text: string, policy?: string): Promise<{ readonly id: ChangeId; readonly revisions: readonly RevisionRef[] }>;
  /** A READY apply of a change on a server, with its plan and rollout. */
  apply(
    server: ServerId,
    change?: { readonly id: ChangeId; readonly revisions: readonly RevisionRef[] },
  ): Promise<ApplyRow>;
  /** The same, claimed by `instance`, with its forward transaction. */
  applying(
    server: ServerId,
    change?: { readonly id: ChangeId; readonly revisions: readonly RevisionRef[] },
  ): Promise<Applying>;
}

export interface Applying {
  readonly apply: ApplyRow;
  readonly sent: HostTransactionRow;
  /** What the server says of the forward transaction, recorded. */
  said(outcome: Outcome): Promise<void>;
}

export const DIGEST = "d".repeat(64) as Digest;

export async function storedHouse(database: Database): Promise<StoredHouse> {
  const instance: InstanceId = newId();
  const author: UserId = newId();
  const by = systemActor("test", instance);

  const run = async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    const result = await transaction(database, body);
    if (!result.ok) throw result.error;
    return result.value;
  };
  await run((tx) => insertUser(tx, { id: author, name: "author", passwordHash: null, mustChange: false }, by));

  const change: StoredHouse["change"] = (text, policy = "web") =>
    run(async (tx) => {
      const id: ChangeId = newId();
      const draft = await insertChange(
        tx,
        { id, title: `change ${policy}`, reason: "", authorId: author },
        [{ kind: "Policy", name: policy, text }],
        by,
      );
      await makeReady(tx, id, draft.version, () => DIGEST, by);
      const [item] = await listChangeItems(tx, id);
      const document = await getDocument(tx, "Policy", policy);
      return { id, revisions: [{ document_id: document?.id as DocumentId, revision: item?.revision ?? 0 }] };
    });

  const apply: StoredHouse["apply"] = async (serverId, of) => {
    const { id: changeId, revisions } = of ?? (await change("some text"));
    return run(async (tx) => {
      const planId: PlanId = newId();
      const rolloutId: RolloutId = newId();
      const plan = {
        id: planId,
        change_id: changeId,
        server_id: serverId,
        kind: "forward",
        status: "planned",
        config: "{}",
        config_digest: DIGEST,
        provenance: [],
        revisions,
        before_revisions: [],
        plan_digest: DIGEST,
        base_digest: null,
        base_generation: null,
        steps: [],
        native_diff: {},
        findings: [],
        probes: [],
        touches_management_path: false,
        created_by: author,
      } as const;
      await insertPlan(tx, plan);
      const targets = [{ serverId, wave: 0, position: 0, planId, applyId: null }];
      await insertRollout(
        tx,
        { id: rolloutId, changeId, kind: "forward", settings: {}, requestedBy: author, targets },
        by,
      );
      const id: ApplyId = newId();
      return insertReady(
        tx,
        { id, changeId, rolloutId, serverId, planId, wave: 0, revisions, requestedBy: author, retryOf: null },
        by,
      );
    });
  };

  return {
    database,
    instance,
    author,
    by,
    do: run,
    change,
    apply,
    server: (name) =>
      run(async (tx) => {
        const id: ServerId = newId();
        await insertServer(tx, id, name, by);
        await setEnrolment(tx, id, ["expected"], "enrolled", by);
        return id;
      }),
    async applying(serverId, of) {
      await apply(serverId, of);
      const claimed = await run((tx) => claimNext(tx, instance, [serverId], by));
      if (claimed === undefined) throw new Error("the apply was not claimed");
      return run(async (tx) => {
        const requestId: RequestId = newId();
        const sent = await insertHostTransaction(tx, {
          requestId,
          applyId: claimed.id,
          serverId,
          kind: "forward",
          planId: claimed.plan_id,
          fence: claimed.fence as Fence,
          nonce: "nonce",
          configDigest: DIGEST,
          planDigest: DIGEST,
          trial: { windowMs: 120_000, soakMs: 0, budgetMs: 1_000, needsPerson: false },
          before: null,
        });
        const open = await setPhase(tx, claimed, { phase: "dispatched", requestId }, by);
        const said = async (outcome: Outcome): Promise<void> => {
          await run((own) => recordOutcome(own, requestId, { outcome, code: null, receipt: { signed: true } }));
        };
        return { apply: open, sent, said };
      });
    },
  };
}
