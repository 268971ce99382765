import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { demand, must, type Bench } from "./bench.ts";
import type { Check } from "./check.ts";

const { method } = ModuleService;

/** M1: the calls that read, each made on a server that differs from what it asks about. */
const READING: Readonly<Record<string, (bench: Bench) => Promise<unknown>>> = {
  Describe: async ({ client }) => must(await client.call(method.describe, {}), "Describe"),
  Observe: async ({ client }) => must(await client.call(method.observe, {}), "Observe"),
  Validate: async ({ client, moduleCase }) =>
    must(await client.call(method.validate, { configJson: canonicalJson(moduleCase.configs.b) }), "Validate"),
  Plan: (bench) => bench.plan(bench.moduleCase.configs.b),
  "Plan with rehearsal": async (bench) =>
    must(
      await bench.client.call(method.plan, { ...bench.planRequest(bench.moduleCase.configs.b), rehearse: true }),
      "Plan",
    ),
  Snapshot: async ({ client }) => must(await client.call(method.snapshot, {}), "Snapshot"),
  Verify: async ({ client, moduleCase }) =>
    must(await client.call(method.verify, { configJson: canonicalJson(moduleCase.configs.b) }), "Verify"),
  GetState: async ({ client }) => must(await client.call(method.getState, {}), "GetState"),
};

async function verify({ client }: Bench, config: Json | null) {
  return must(await client.call(method.verify, { configJson: canonicalJson(config) }), "Verify");
}

export const READING_CHECKS: readonly Check[] = [
  {
    rule: "contract",
    name: "Describe names domain, module and version",
    from: "nothing",
    run: async ({ client, domain }) => {
      const described = must(await client.call(method.describe, {}), "Describe");
      demand(described.domain === domain, `domain is "${described.domain}", asked for was "${domain}"`);
      demand(described.available, `the module says that it cannot work here: ${described.reason}`);
      demand(described.name !== "" && described.version !== "", "name or version is empty");
    },
  },
  {
    rule: "contract",
    name: "what is observed is canonical JSON",
    from: "a",
    run: async ({ client }) => {
      const texts = {
        "Observe.observed_json": must(await client.call(method.observe, {}), "Observe").observedJson,
        "GetState.observed_json": must(await client.call(method.getState, {}), "GetState").observedJson,
        "Snapshot.snapshot_json": must(await client.call(method.snapshot, {}), "Snapshot").snapshotJson,
      };
      for (const [field, text] of Object.entries(texts)) {
        demand(
          canonicalForm(text) === text,
          `${field} is not canonical JSON: keys in order, no white space, integers only`,
        );
      }
    },
  },
  ...Object.entries(READING).map(([call, ask]): Check => ({
    rule: "M1",
    name: `${call} changes nothing`,
    from: "a",
    run: async (bench) => {
      const before = await bench.look();
      await ask(bench);
      await bench.unchangedSince(before, call);
    },
  })),
  {
    rule: "M4",
    name: "two plans are equal byte for byte",
    from: "a",
    run: async (bench) => {
      const first = await planBytes(bench);
      demand(first.equals(await planBytes(bench)), "the same Plan gave two different answers");
      await bench.module.restart();
      demand(first.equals(await planBytes(bench)), "the same Plan gave another answer after a restart of the module");
    },
  },
  {
    rule: "M4",
    name: "steps have unique ids, titles, digests and budgets",
    from: "a",
    run: async (bench) => {
      const { steps, nativeDiff } = await bench.plan(bench.moduleCase.configs.b);
      demand(steps.length > 0, "Plan has no step from config a to config b");
      demand(nativeDiff !== "", "Plan has steps and native_diff is empty");
      demand(new Set(steps.map(({ id }) => id)).size === steps.length, "two steps have the same id");
      for (const step of steps) {
        demand(step.id !== "" && step.title !== "", `step "${step.id}" has an empty id or title`);
        demand(/^[0-9a-f]{64}$/.test(step.digest), `the digest of step ${step.id} is no lower-case SHA-256`);
        demand(step.budgetMs > 0n, `step ${step.id} has no budget`);
      }
    },
  },
  {
    rule: "M4",
    name: "what is in force needs no steps",
    from: "a",
    run: async (bench) => {
      const { steps, drift } = await bench.plan(bench.moduleCase.configs.a);
      demand(steps.length === 0, `Plan wants to do ${steps[0]?.id} though the config is in force`);
      demand(drift.length === 0, `Plan sees drift where there is none: ${drift.join(", ")}`);
    },
  },
  {
    rule: "M5",
    name: "Verify finds nothing where the config is in force",
    from: "a",
    run: async (bench) => {
      const { mismatches, liveDigest } = await verify(bench, bench.moduleCase.configs.a);
      demand(mismatches.length === 0, `mismatch at ${mismatches[0]?.path}: found ${mismatches[0]?.found}`);
      demand(liveDigest === (await bench.look()).liveDigest, "Verify and GetState give different live digests");
    },
  },
  {
    rule: "M5",
    name: "Verify finds another config wanting",
    from: "a",
    run: async (bench) => {
      demand(
        (await verify(bench, bench.moduleCase.configs.b)).mismatches.length > 0,
        "config a is in force, and Verify of config b finds nothing",
      );
      demand(
        (await verify(bench, null)).mismatches.length > 0,
        'config a is in force, and Verify of "null" finds nothing',
      );
    },
  },
  {
    rule: "M5",
    name: "what another program changed is seen",
    from: "a",
    run: async (bench) => {
      const { moduleCase } = bench;
      const before = await bench.look();
      await bench.command(moduleCase.tamper);
      const after = await bench.look();
      if (after.native === before.native)
        throw new Error("the case's tamper command changes nothing that its native command shows");
      const { mismatches, liveDigest } = await verify(bench, moduleCase.configs.a);
      demand(mismatches.length > 0, "Verify finds nothing after another program has changed the server");
      demand(
        liveDigest === after.liveDigest,
        "Verify gives another live digest than GetState after another program has changed the server",
      );
      const { drift } = await bench.plan(moduleCase.configs.a);
      demand(drift.length > 0, "Plan names no drift after another program has changed the server");
      await bench.put(moduleCase.configs.a);
    },
  },
];

async function planBytes(bench: Bench): Promise<Buffer> {
  const answer = await bench.client.call(method.plan, bench.planRequest(bench.moduleCase.configs.b));
  must(answer, "Plan");
  return Buffer.from(answer.ok ? answer.bytes : new Uint8Array());
}

function canonicalForm(text: string): string | null {
  try {
    return canonicalJson(JSON.parse(text) as Json);
  } catch {
    return null;
  }
}
