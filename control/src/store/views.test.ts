import type { ChangeId, Digest, Generation, RequestId, ServerId } from "@holdfast/core/base/id.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { DIGEST, storedHouse, type Applying, type StoredHouse } from "@holdfast/testkit/stored-house.ts";
/** The questions that the database answers alone: what is this server's state and what is in force, when was its last success, why did it last fail. */
import { expect, test } from "vitest";
import { claimNext } from "./apply-claim.ts";
import { insertReady, move, setPhase } from "./apply-move.ts";
import { moveAssignments } from "./assignments.ts";
import { getChangeStatus } from "./changes.ts";
import { insertHostTransaction, recordOutcome } from "./host-transactions.ts";
import { newId } from "./new-id.ts";
import { listTargets, setRolloutState } from "./rollouts.ts";
import { getServerStatus, listServerPolicies, recordConfirmed } from "./servers.ts";
import type { ApplyRow } from "./tables.ts";

/** Ends an apply well, as the saga does: the server's word, the state, what is in force, in one transaction. */
function succeed(
  house: StoredHouse,
  server: ServerId,
  { apply, sent }: Applying,
  generation: number,
): Promise<ApplyRow> {
  return house.do(async (tx) => {
    await recordOutcome(tx, sent.request_id, { outcome: "finalized", code: null, receipt: {} });
    const done = await move(tx, apply, { to: "APPLIED" }, house.by);
    await moveAssignments(tx, server, apply.id, apply.revisions);
    await recordConfirmed(tx, server, {
      generation: generation as Generation,
      digest: DIGEST,
      applyId: apply.id,
    });
    return done;
  });
}

const endRollout = (house: StoredHouse, apply: ApplyRow) =>
  house.do((tx) => setRolloutState(tx, apply.rollout_id, "DONE", { code: null, message: null }, house.by));
const stateOf = async (house: StoredHouse, change: ChangeId) => (await getChangeStatus(house.database, change))?.state;

test("a server's story: applied, then a trial, then undone, then rolled back by an operator", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const status = async () => getServerStatus(app, server);
    const inForce = async () =>
      (await listServerPolicies(app, server)).map(({ kind, name, revision }) => `${kind}/${name}@${revision}`);
    expect(await status()).toMatchObject({
      name: "web-1",
      generation: 0,
      open_state: null,
      last_success_apply_id: null,
      last_failure_apply_id: null,
    });

    // First change: applied.
    const good = await house.change("one");
    const first = await house.applying(server, good);
    expect(await stateOf(house, good.id)).toBe("APPLYING");
    const applied = await succeed(house, server, first, 1);
    expect(await stateOf(house, good.id), "while its rollout runs").toBe("APPLYING");
    await endRollout(house, applied);
    expect(await stateOf(house, good.id)).toBe("APPLIED");
    expect(await inForce()).toEqual(["Policy/web@1"]);
    expect(await status()).toMatchObject({
      generation: 1,
      open_state: null,
      last_success_apply_id: applied.id,
      last_success_change_id: good.id,
    });

    // Second change: goes on trial and is undone.
    const bad = await house.change("two");
    const second = await house.applying(server, bad);
    const trial = await house.do((tx) => setPhase(tx, second.apply, { phase: "on_trial" }, house.by));
    expect(await status()).toMatchObject({ open_apply_id: trial.id, open_state: "APPLYING", open_phase: "on_trial" });
    const undoing = await house.do((tx) =>
      move(tx, trial, { to: "ROLLBACKING", code: "apply.probe_failed", message: "ssh is closed" }, house.by),
    );
    expect(await stateOf(house, bad.id)).toBe("ROLLBACKING");
    await second.said("reverted");
    const undone = await house.do((tx) => move(tx, undoing, { to: "ROLLED_BACK" }, house.by));
    await endRollout(house, undone);
    expect(await stateOf(house, bad.id)).toBe("ROLLED_BACK");
    expect(await inForce(), "what was undone was never in force").toEqual(["Policy/web@1"]);
    expect(await status()).toMatchObject({
      open_apply_id: null,
      last_success_apply_id: applied.id,
      last_failure_apply_id: undone.id,
      last_failure_state: "ROLLED_BACK",
      last_failure_server_is: "as_before",
      last_failure_code: "apply.probe_failed",
      last_failure_message: "ssh is closed",
    });

    // The first change is rolled back: a transaction of its own, and then nothing is in force.
    const back = await house.do(async (tx) => {
      const open = await move(tx, applied, { to: "ROLLBACKING", code: "apply.rollback_asked" }, house.by);
      const claimed = await claimNext(tx, house.instance, [server], house.by);
      expect(claimed?.id).toBe(open.id);
      const requestId: RequestId = newId();
      const { kind: _kind, ...same } = first.sent;
      await insertHostTransaction(tx, {
        requestId,
        applyId: open.id,
        serverId: server,
        kind: "rollback",
        planId: same.plan_id,
        fence: same.fence,
        nonce: "n",
        configDigest: DIGEST,
        planDigest: DIGEST,
        trial: same.trial,
        before: { state: "APPLIED", effect: null, serverIs: "as_requested" },
      });
      await recordOutcome(tx, requestId, { outcome: "finalized", code: null, receipt: {} });
      await moveAssignments(tx, server, open.id, []);
      return move(tx, claimed ?? open, { to: "ROLLED_BACK", code: "apply.rolled_back_by_operator" }, house.by);
    });
    expect(back).toMatchObject({ state: "ROLLED_BACK", server_is: "as_before" });
    expect(await inForce()).toEqual([]);
    expect(await stateOf(house, good.id)).toBe("ROLLED_BACK");
    expect(await status()).toMatchObject({
      last_success_apply_id: null,
      last_failure_apply_id: applied.id,
      last_failure_code: "apply.rolled_back_by_operator",
    });
  });
});

test("a retry takes the place of the apply that it retries", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const change = await house.change("one");
    const { apply } = await house.applying(server, change);
    const failed = await house.do((tx) =>
      move(tx, apply, { to: "FAILED", effect: "none", code: "agent.disk_full", message: "no space" }, house.by),
    );
    expect(failed).toMatchObject({ server_is: "as_before", finished_at: expect.any(Date) as unknown });
    expect(await listTargets(app, apply.rollout_id)).toHaveLength(1);
    await endRollout(house, failed);
    expect(await stateOf(house, change.id)).toBe("FAILED");
    expect(await getServerStatus(app, server)).toMatchObject({
      last_failure_code: "agent.disk_full",
      last_failure_effect: "none",
    });

    const again = await house.do((tx) =>
      insertReady(
        tx,
        {
          id: newId(),
          changeId: change.id,
          rolloutId: apply.rollout_id,
          serverId: server,
          planId: apply.plan_id,
          wave: 0,
          revisions: apply.revisions,
          requestedBy: house.author,
          retryOf: failed,
        },
        house.by,
      ),
    );
    expect(again).toMatchObject({ state: "READY", retry_of: failed.id, retry_count: 1 });
    expect(await stateOf(house, change.id)).toBe("APPLYING");
    await house.do((tx) => move(tx, again, { to: "CANCELLED", code: "apply.withdrawn" }, house.by));
    expect(await stateOf(house, change.id)).toBe("CANCELLED");
  });
});

test("a generation that the server has left behind is not recorded", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const first = await house.applying(server);
    await succeed(house, server, first, 5);
    const late = house.do((tx) =>
      recordConfirmed(tx, server, {
        generation: 4 as Generation,
        digest: "e".repeat(64) as Digest,
        applyId: first.apply.id,
      }),
    );
    await expect(late).rejects.toMatchObject({ code: "store.lost_race" });
  });
});
