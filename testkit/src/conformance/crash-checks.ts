import { setTimeout as sleep } from "node:timers/promises";
import { ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { must } from "./bench.ts";
import type { Check } from "./check.ts";

const { method } = ModuleService;

/** Milliseconds after the call at which the module is killed: before it has the message, in the middle, and when it may be done. */
const KILL_AFTER_MS = [0, 2, 8, 30] as const;

/** M7: a module that is killed anywhere tells the truth when it is back, and goes on. */
export const CRASH_CHECKS: readonly Check[] = [
  {
    rule: "M7",
    name: "after a crash between two calls GetState says the same",
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      await bench.module.restart();
      await bench.unchangedSince(before, "a crash and a restart");
    },
  },
  {
    rule: "M7",
    name: "a step is applied by a module that never saw its plan",
    from: "a",
    run: async (bench) => {
      const transaction = await bench.prepare(bench.moduleCase.configs.b);
      for (const step of transaction.steps) {
        await bench.ledger.stepBegin(transaction.requestId, step);
        await bench.module.restart();
        must(await bench.applyStep(transaction, step), `ApplyStep ${step.id} after a restart`);
        await bench.ledger.stepDone(transaction.requestId, step);
      }
      await bench.confirm(transaction);
      await bench.put(bench.moduleCase.configs.b);
    },
  },
  {
    rule: "M7",
    name: "a snapshot is restored by a module that never took it",
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      const transaction = await bench.prepare(bench.moduleCase.configs.b);
      await bench.applyFrom(transaction);
      await bench.module.restart();
      await bench.undo(transaction);
      await bench.unchangedSince(before, "apply, crash and Restore together");
    },
  },
  ...KILL_AFTER_MS.map((afterMs): Check => ({
    rule: "M7",
    name: `killed ${afterMs} ms after ApplyStep: GetState tells the truth, the step is finished, the way back is open`,
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
      const interrupted = bench.applyStep(transaction, step);
      await sleep(afterMs);
      await bench.module.kill();
      await interrupted;
      await bench.module.start();
      await bench.look();
      must(await bench.applyStep(transaction, step), "ApplyStep after the crash");
      await bench.ledger.stepDone(transaction.requestId, step);
      await bench.applyFrom(transaction, 1);
      const { mismatches } = must(
        await bench.client.call(method.verify, { configJson: transaction.configJson }),
        "Verify",
      );
      if (mismatches.length > 0) throw new Error(`after the crash and all steps: ${mismatches[0]?.path}`);
      await bench.undo(transaction);
      await bench.unchangedSince(before, "a crash in a step, the step again, and Restore together");
    },
  })),
];
