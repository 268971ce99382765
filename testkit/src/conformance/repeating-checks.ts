import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { demand, must, type Bench } from "./bench.ts";
import type { Check } from "./check.ts";

const { method } = ModuleService;

/** Calls that are made at the same time as a step, of each kind that reads. */
const READERS_AT_ONCE = 4;

/** M3: what is done twice is done once. And the way back, which rests on it. */
export const REPEATING_CHECKS: readonly Check[] = [
  {
    rule: "M3",
    name: "ApplyStep twice is ApplyStep once",
    from: "a",
    run: async (bench) => {
      const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
      must(await bench.applyStep(transaction, step), "ApplyStep");
      const once = await bench.look();
      must(await bench.applyStep(transaction, step), "ApplyStep, the second time");
      await bench.unchangedSince(once, "the second ApplyStep");
    },
  },
  {
    rule: "M3",
    name: "Restore puts the snapshot back, twice too",
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      const transaction = await bench.prepare(bench.moduleCase.configs.b);
      await bench.applyFrom(transaction);
      demand(
        (await bench.look()).native !== before.native,
        "config b makes the same server as config a, as the case's native command sees it",
      );
      await bench.undo(transaction);
      await bench.unchangedSince(before, "apply and Restore together");
      must(await bench.restore(transaction), "Restore, the second time");
      await bench.unchangedSince(before, "the second Restore");
    },
  },
  {
    rule: "M3",
    name: "Restore puts nothing back where nothing was",
    from: "nothing",
    run: async (bench) => {
      const before = await bench.look();
      const transaction = await bench.prepare(bench.moduleCase.configs.b);
      await bench.applyFrom(transaction);
      await bench.undo(transaction);
      await bench.unchangedSince(before, "apply and Restore together");
    },
  },
  {
    rule: "M3",
    name: "Restore mends what another program changed meanwhile",
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      const transaction = await bench.prepare(bench.moduleCase.configs.b);
      await bench.command(bench.moduleCase.tamper);
      await bench.undo(transaction);
      await bench.unchangedSince(before, "a tampering and Restore together");
    },
  },
  {
    rule: "M3",
    name: "Persist twice changes nothing that is live",
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      for (const time of ["Persist", "Persist, the second time"]) {
        await demandInForce(bench, "persist", time);
        await bench.unchangedSince(before, time);
      }
    },
  },
  {
    rule: "M3",
    name: "Load brings back what was wiped, twice too",
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      await bench.command(bench.moduleCase.tamper);
      for (const time of ["Load", "Load, the second time"]) {
        await demandInForce(bench, "load", time);
        await bench.unchangedSince(before, `a tampering and ${time} together`);
      }
    },
  },
  {
    rule: "contract",
    name: "reading goes on while a step is done",
    from: "a",
    run: async (bench) => {
      const { transaction, step } = await bench.prepareAtFirstStep(bench.moduleCase.configs.b);
      const configJson = canonicalJson(bench.moduleCase.configs.b);
      const { client } = bench;
      const applied = bench.applyStep(transaction, step);
      const answers = await Promise.all(
        Array.from({ length: READERS_AT_ONCE }, () => [
          client.call(method.describe, {}),
          client.call(method.observe, {}),
          client.call(method.getState, {}),
          client.call(method.verify, { configJson }),
          client.call(method.plan, bench.planRequest(bench.moduleCase.configs.a)),
        ]).flat(),
      );
      for (const answer of answers) must<unknown>(answer, "a call during a step");
      must(await applied, "ApplyStep among reading calls");
    },
  },
];

async function demandInForce(bench: Bench, call: "persist" | "load", what: string): Promise<void> {
  const request = { configJson: canonicalJson(bench.moduleCase.configs.a) };
  const { mismatches, liveDigest } = must(await bench.client.call(method[call], request), what);
  demand(
    mismatches.length === 0,
    `${what} answers with a mismatch at ${mismatches[0]?.path}: found ${mismatches[0]?.found}`,
  );
  demand(liveDigest === (await bench.look()).liveDigest, `${what} answers with another live_digest than GetState`);
}
