import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "@holdfast/control/store/sql.ts";
import { until } from "@holdfast/testkit/until.ts";
import { untilRow } from "../one-apply.ts";
import type { Fault } from "./fault.ts";
import { sendAgain } from "./old-messages.ts";
import type { Stage } from "./stage.ts";

/** How long a request is under way before the wire gives up on it. */
const LATE_MS = 2_500;

export const WIRE_FAULTS: readonly Fault[] = [
  {
    test: "fault-04-requests-in-any-order",
    slice: true,
    // Prepare arrives late, is lost with its connection and comes again; afterwards all that was ever sent arrives once more, in the wrong order.
    async suffer(stage) {
      const { wire } = stage.house;
      const change = await stage.plan();
      await wire.set({ toAgent: "held" });
      const begun = await stage.apply(change);
      await untilRow(stage.house, begun.applyId, "the claim", (row) => row.state === "APPLYING");
      await sleep(LATE_MS);
      await wire.cut();
      await wire.heal();
      const ending = await stage.end(begun);
      await sendAgain(stage, begun.applyId);
      return stage.end(begun).then((after) => ({ ...after, row: ending.row }));
    },
  },
  {
    test: "fault-05-prepare-answer-lost",
    slice: true,
    suffer: (stage) =>
      stage.inSteps(async (gate, change) => {
        const { wire } = stage.house;
        await gate.hold();
        await wire.set({ toControl: "held" });
        const begun = await stage.apply(change);
        await gate.passTo("prepared");
        await gate.release();
        await wire.cut();
        return stage.end(begun);
      }),
  },
  {
    test: "fault-15-confirm-lost",
    suffer: (stage) =>
      stage.inSteps(
        async (gate, change) => {
          const { wire } = stage.house;
          await gate.hold();
          const begun = await stage.apply(change);
          await gate.passTo("on_trial");
          await gate.release();
          await untilSent(stage, begun.applyId, "fresh_since");
          await wire.set({ toAgent: "held" });
          await sleep(LATE_MS);
          await wire.cut();
          return stage.end(begun);
        },
        { soakSeconds: 2, windowSeconds: 18 },
      ),
  },
  {
    test: "fault-16-confirm-meets-deadline",
    // Confirm waits at the ledger's lock when the deadline comes and the undo waits there too.
    suffer: (stage) =>
      stage.inSteps(
        async (gate, change) => {
          await gate.hold();
          const begun = await stage.apply(change);
          await gate.passTo("on_trial");
          await untilSent(stage, begun.applyId, "confirm_sent_at");
          const { left } = await stage.house.database.one<{ left: number }>(
            sql`select extract(epoch from deadline_at - now())::float8 * 1000 as left from applies where id = ${begun.applyId}`,
          );
          await sleep(Math.max(0, left - 100 + randomInt(200)));
          await gate.release();
          return stage.end(begun);
        },
        { windowSeconds: 10 },
      ),
  },
  {
    test: "fault-17-confirm-answer-lost",
    slice: true,
    suffer: (stage) =>
      stage.inSteps(async (gate, change) => {
        const { wire } = stage.house;
        await gate.hold();
        const begun = await stage.apply(change);
        await gate.passTo("on_trial");
        await untilSent(stage, begun.applyId, "confirm_sent_at");
        await wire.set({ toControl: "held" });
        await gate.passTo("finalized");
        await gate.release();
        await wire.cut();
        return stage.end(begun);
      }),
  },
];

/** Waits until the open transaction of an apply carries this time. */
export async function untilSent(
  stage: Stage,
  applyId: string,
  what: "fresh_since" | "confirm_sent_at" | "prepare_sent_at",
): Promise<void> {
  await until(
    `${what} of apply ${applyId}`,
    async () => {
      const [row] = await stage.house.database.rows<Record<typeof what, Date | null>>(
        sql`select fresh_since, confirm_sent_at, prepare_sent_at from host_transactions where apply_id = ${applyId}`,
      );
      return row !== undefined && row[what] !== null;
    },
    30_000,
  );
}
