import { sql } from "@holdfast/control/store/sql.ts";
import { controlAddress } from "@holdfast/testkit/house/house-networks.ts";
import { ASK_API_EVERY_MS, until } from "@holdfast/testkit/until.ts";
import { type BegunApply, endOf, factsOf, untilRow } from "../one-apply.ts";
import type { Fault } from "./fault.ts";
import { sendAgain } from "./old-messages.ts";
import type { Ending, Stage } from "./stage.ts";

/** The control plane and its database, killed or frozen at what they do. */
export const CONTROL_FAULTS: readonly Fault[] = [
  {
    test: "fault-01-claim-not-committed",
    suffer: (stage) => whileClaiming(stage, () => stage.house.killControl()),
  },
  {
    test: "fault-02-claim-commit-lost",
    suffer: (stage) => whileClaiming(stage, async () => stage.house.database.kill()),
  },
  {
    test: "fault-03-dead-after-claim",
    slice: true,
    async suffer(stage) {
      const change = await stage.plan();
      // The server's session sleeps, so Prepare cannot arrive while the claim is made.
      stage.server.kill("session", "SIGSTOP");
      let begun: BegunApply;
      try {
        begun = await stage.apply(change);
        await untilRow(stage.house, begun.applyId, "the claim", (row) => row.state === "APPLYING");
        await stage.house.killControl();
      } finally {
        stage.server.kill("session", "SIGCONT");
      }
      return stage.end(begun);
    },
  },
  {
    test: "fault-14-dead-on-trial",
    slice: true,
    async suffer(stage) {
      const begun = await stage.at("on_trial", () => stage.house.killControl());
      return stage.end(begun);
    },
  },
  {
    test: "fault-29-zombie-instance",
    suffer: zombie,
  },
  {
    test: "fault-30-database-behind",
    suffer: databaseBehind,
  },
];

/** Milliseconds for a session and the questions that open it. */
const KNOWN_WITHIN_MS = 20_000;

/** Stops the claim's transaction just before its commit, and lets `happen` happen there. */
async function whileClaiming(stage: Stage, happen: () => Promise<void>): Promise<Ending> {
  const { house } = stage;
  const change = await stage.plan();
  // Without a session nobody claims.
  await house.wire.set({ dialling: "refused" });
  await house.wire.cut();
  const session = await house.database.session();
  const begun = await stage.apply(change);
  try {
    await session.query("begin");
    await session.query("lock table host_transactions in share row exclusive mode");
    await house.wire.heal();
    await until(
      "a claim that waits for its commit",
      async () => {
        const waiting = await house.database.rows(
          sql`select from pg_locks where relation = 'host_transactions'::regclass and not granted`,
        );
        return waiting.length > 0;
      },
      40_000,
    );
    await happen();
    await session.query("rollback").catch(() => undefined);
  } finally {
    session.release(true);
  }
  return stage.end(begun);
}

/**
 * The instance that has the claim is frozen in the middle of Execute; agents are led to another, which waits for the lease and goes on with a
 * higher fence. Then the first wakes up, believing that it still has the claim.
 */
async function zombie(stage: Stage): Promise<Ending> {
  const { house } = stage;
  const begun = await stage.at(
    "step_begin",
    async () => {
      house.signalControl("SIGSTOP", 0);
      await house.wire.leadTo(controlAddress(1));
    },
    { windowSeconds: 24 },
  );
  let row;
  try {
    row = await endOf(house, begun.applyId);
  } finally {
    house.signalControl("SIGCONT", 0);
  }
  // The zombie has looked at its claim again when it answers people again.
  await house.operator.waitConnected([stage.server.name]);
  await sendAgain(stage, begun.applyId);
  const after = await factsOf(house, begun.applyId);
  if (JSON.stringify(after) !== JSON.stringify(row))
    throw new Error(`the zombie changed the apply: ${JSON.stringify(row)} became ${JSON.stringify(after)}`);
  await house.wire.leadTo(controlAddress(0));
  await house.wire.cut();
  return stage.end(begun);
}

/** A backup is restored that does not know the last change; then another one is applied. */
async function databaseBehind(stage: Stage): Promise<Ending> {
  const { house } = stage;
  await house.stopControls();
  await house.database.backUp();
  await house.makeWhole();
  const forgotten = await stage.end(await stage.begin());
  if (forgotten.row.state !== "APPLIED") throw new Error(`the change to be forgotten ended ${forgotten.row.state}`);
  await house.stopControls();
  await house.database.restore();
  await house.makeWhole();
  await until(
    "the server to be known as ahead of the database",
    async () => (await stage.lock()) === "server.ahead_of_database",
    KNOWN_WITHIN_MS,
    ASK_API_EVERY_MS,
  );
  await stage.rest();
  return stage.end(await stage.begin());
}
