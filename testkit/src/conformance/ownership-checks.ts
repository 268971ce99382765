import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { demand, must, type Bench } from "./bench.ts";
import type { Check } from "./check.ts";

const { method } = ModuleService;

/** M6: what belongs to others is as it was, after everything that a module can be told to do. */
export const OWNERSHIP_CHECKS: readonly Check[] = [
  besideForeign("applying and undoing leave foreign objects alone", async (bench) => {
    await bench.put(bench.moduleCase.configs.b);
    const transaction = await bench.prepare(bench.moduleCase.configs.a);
    await bench.applyFrom(transaction);
    await bench.undo(transaction);
  }),
  besideForeign("Persist and Load leave foreign objects alone", async (bench) => {
    const request = { configJson: canonicalJson(bench.moduleCase.configs.a) };
    must(await bench.client.call(method.persist, request), "Persist");
    must(await bench.client.call(method.load, request), "Load");
  }),
  besideForeign("taking everything away leaves foreign objects alone", async (bench) => {
    await bench.put(null);
  }),
  {
    rule: "M6",
    name: "taking everything away leaves nothing of ours",
    from: "nothing",
    run: async (bench) => {
      const before = await bench.look();
      await bench.put(bench.moduleCase.configs.a);
      await bench.put(null);
      await bench.unchangedSince(before, "applying a config and taking it away");
    },
  },
];

function besideForeign(name: string, act: (bench: Bench) => Promise<void>): Check {
  return {
    rule: "M6",
    name,
    from: "a",
    run: async (bench) => {
      const { make, read, remove } = bench.moduleCase.foreign;
      await bench.command(make);
      try {
        const before = await bench.command(read);
        await act(bench);
        const after = await bench.command(read);
        demand(after === before, `a foreign object was touched. Before:\n${before}\nAfter:\n${after}`);
      } finally {
        await bench.command(remove);
      }
    },
  };
}
