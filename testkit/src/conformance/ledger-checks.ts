import { setTimeout as sleep } from "node:timers/promises";
import { demand, type Bench, type Look } from "./bench.ts";
import type { Check } from "./check.ts";
import { newRequestId } from "./ledger-writer.ts";
import type { Answer } from "./module-client.ts";

/** Milliseconds for which the ledger's lock is kept from a module that wants to apply. A module that asks for no lock is done by then. */
const KEEP_LOCK_MS = 500;

/** M2: ApplyStep believes the ledger and nobody else. */
export const LEDGER_CHECKS: readonly Check[] = [
  refusal("ApplyStep is refused for a request that the ledger does not know", async (bench) => {
    const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
    return () => bench.applyStep(transaction, step, { requestId: newRequestId() });
  }),
  refusal("ApplyStep is refused before step_begin", async (bench) => {
    const transaction = await bench.prepare(bench.moduleCase.configs.b);
    const [step] = transaction.steps;
    demand(step !== undefined, "Plan has no step from config a to config b");
    return () => bench.applyStep(transaction, step);
  }),
  refusal("ApplyStep is refused for a request that is settled while another is at step_begin", async (bench) => {
    const settled = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
    await bench.undo(settled.transaction);
    await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
    return () => bench.applyStep(settled.transaction, settled.step);
  }),
  refusal("ApplyStep is refused for another step", async (bench) => {
    const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
    return () => bench.applyStep(transaction, step, { stepId: `${step.id}.other` });
  }),
  refusal("ApplyStep is refused for another digest of the step", async (bench) => {
    const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
    return () => bench.applyStep(transaction, step, { stepDigest: "0".repeat(64) });
  }),
  refusal("ApplyStep is refused after step_done", async (bench) => {
    const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
    await bench.ledger.stepDone(transaction.requestId, step);
    return () => bench.applyStep(transaction, step);
  }),
  refusal("ApplyStep is refused once reverting is written", async (bench) => {
    const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
    await bench.ledger.reverting(transaction.requestId);
    return () => bench.applyStep(transaction, step);
  }),
  refusal("ApplyStep is refused after the transaction was undone", async (bench) => {
    const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
    await bench.undo(transaction);
    return () => bench.applyStep(transaction, step);
  }),
  {
    rule: "M2",
    name: "ApplyStep waits for the ledger's lock, and looks after it has it",
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
      let answer: Promise<Answer<unknown>> | undefined;
      let meanwhile = before.native;
      await bench.ledger.hold(transaction.requestId, async (reverting) => {
        answer = bench.applyStep(transaction, step);
        await sleep(KEEP_LOCK_MS);
        meanwhile = await bench.command(bench.moduleCase.native);
        reverting();
      });
      demand(meanwhile === before.native, "ApplyStep changed the server while another process had the ledger's lock");
      demandRefused(await answer);
      await bench.unchangedSince(before, "a step that was overtaken by an undo");
    },
  },
  {
    rule: "M2",
    name: "ApplyStep is done at step_begin of exactly this step",
    from: "a",
    run: async (bench) => {
      await bench.put(bench.moduleCase.configs.b);
      await bench.put(null);
      await bench.put(bench.moduleCase.configs.a);
    },
  },
];

/** Brings the ledger to some place, then demands that the call is refused and has done nothing. */
function refusal(name: string, arrange: (bench: Bench) => Promise<() => Promise<Answer<unknown>>>): Check {
  return {
    rule: "M2",
    name,
    from: "a",
    run: async (bench) => {
      const call = await arrange(bench);
      const before: Look = await bench.look();
      demandRefused(await call());
      await bench.unchangedSince(before, "a step that the ledger does not allow");
    },
  };
}

function demandRefused(answer: Answer<unknown> | undefined): void {
  demand(answer !== undefined && !answer.ok, "ApplyStep was done though the ledger does not allow it");
  demand(
    answer.status === "FAILED_PRECONDITION" && answer.code === "module.not_at_step_begin",
    `refused with ${answer.status} and holdfast-code "${answer.code}"; expected FAILED_PRECONDITION and "module.not_at_step_begin"`,
  );
}
