import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerKind } from "@holdfast/core/ledger/kind.ts";
import { z } from "zod";
import { type BegunApply, untilRow } from "../one-apply.ts";
import { setMood } from "./crooked-nft.ts";
import type { Fault } from "./fault.ts";
import type { Ending, Stage } from "./stage.ts";
import { untilSent } from "./wire-faults.ts";

/** From Prepare's arrival to the record that it wants to write. */
const PREPARES_WITHIN_MS = 2_500;
/** Beyond the window and the undo's own time. */
const PAUSED_MS = 18_000;

export const POWER_FAULTS: readonly Fault[] = [
  {
    test: "fault-06-power-before-prepared",
    suffer: (stage) =>
      stage.inSteps(async (gate, change) => {
        await gate.hold();
        const begun = await stage.apply(change);
        await untilSent(stage, begun.applyId, "prepare_sent_at");
        await sleep(PREPARES_WITHIN_MS);
        await stage.server.machine.cut();
        return stage.end(begun);
      }),
  },
  {
    test: "fault-07-power-while-prepared",
    slice: true,
    // The answer does not get through, so Execute is never sent.
    suffer: (stage) =>
      stage.inSteps(async (gate, change) => {
        await gate.hold();
        await stage.house.wire.set({ toControl: "held" });
        const begun = await stage.apply(change);
        await gate.passTo("prepared");
        await stage.server.machine.cut();
        return stage.end(begun);
      }),
  },
  { test: "fault-09-power-while-changing", slice: true, suffer: (stage) => powerAt(stage, "step_done") },
  { test: "fault-11-power-on-trial", suffer: (stage) => powerAt(stage, "on_trial") },
  { test: "fault-18-power-before-finalized", slice: true, suffer: (stage) => powerAt(stage, "confirmed") },
  {
    test: "fault-19-power-while-reverting",
    async suffer(stage) {
      const begun = await beginSlowUndo(stage);
      await stage.server.machine.cut();
      return stage.end(begun);
    },
  },
  {
    test: "fault-25-suspended-on-trial",
    async suffer(stage) {
      const { machine } = stage.server;
      const begun = await stage.at("on_trial", async () => machine.pause(), { windowSeconds: 10 });
      await sleep(PAUSED_MS);
      machine.resume();
      return stage.end(begun);
    },
  },
  { test: "fault-34-control-plane-away", suffer: controlPlaneAway },
];

async function powerAt(stage: Stage, kind: LedgerKind): Promise<Ending> {
  return stage.end(await stage.at(kind, () => stage.server.machine.cut()));
}

/** Every server of the house is on trial when the control plane dies; each finds its own way back. */
async function controlPlaneAway(stage: Stage): Promise<Ending> {
  const all = [stage, ...stage.others];
  const gates = await Promise.all(all.map((one) => one.server.gate()));
  const begun = await Promise.all(
    all.map(async (one, index) => {
      const change = await one.plan();
      await gates[index]?.hold();
      const mine = await one.apply(change);
      // Not later: on trial it could be confirmed already.
      await gates[index]?.passTo("step_begin", "step_done");
      return mine;
    }),
  );
  await stage.house.killControl();
  await Promise.all(gates.map((gate) => gate.release()));
  await Promise.all(gates.map((gate) => gate.watch("reverted")));
  await Promise.all(gates.map((gate) => gate.close()));
  const endings = await Promise.all(begun.map(async (mine, index) => all[index]?.end(mine)));
  const [first] = endings;
  if (
    first === undefined ||
    endings.some((ending) => ending?.row.state !== first.row.state || ending.kernel !== "as_before")
  )
    throw new Error(`the servers ended differently: ${JSON.stringify(endings)}`);
  return first;
}

/** An undo that takes a second, caught in the middle. */
export async function beginSlowUndo(stage: Stage): Promise<BegunApply> {
  await setMood(stage.server, "honest");
  return stage.inSteps(async (gate, change) => {
    await gate.hold();
    const begun = await stage.apply(change);
    await gate.passTo("step_done");
    await setMood(stage.server, "slow");
    stage.server.kill("guard");
    await gate.release();
    await gate.watch("reverting");
    return begun;
  });
}

/** The same, asked for by an operator on trial, with the guard alive. */
export async function beginSlowAbort(stage: Stage): Promise<BegunApply> {
  await setMood(stage.server, "honest");
  return stage.inSteps(async (gate, change) => {
    await gate.hold();
    const begun = await stage.apply(change);
    await gate.passTo("on_trial");
    await setMood(stage.server, "slow");
    await stage.house.operator.call("abortApply", {
      params: { id: begun.applyId },
      body: { reason: "the test has seen enough" },
      answer: z.unknown(),
    });
    await untilRow(stage.house, begun.applyId, "the abort", (row) => row.state === "ROLLBACKING");
    await gate.release();
    await gate.watch("reverting");
    return begun;
  });
}
