import { BenchHouse, type TimedApply } from "./bench-house.ts";
import type { BenchContext } from "./context.ts";
import { policyText, type RuleSet } from "./documents.ts";
import { since } from "./processor-time.ts";
import { RawNft } from "./raw-nft.ts";
import { row, type Row } from "./result.ts";
import { TRACES, TraceTap } from "./trace-tap.ts";

/** Rules on a server, how often each kind of run is measured, and what is aimed at. */
const SIZES = [
  { rules: 50, warmUp: 10, warm: 40, cold: 10, goal: "≤ 20 ms" },
  { rules: 1_000, warmUp: 6, warm: 25, cold: 6, goal: "" },
  { rules: 10_000, warmUp: 3, warm: 12, cold: 4, goal: "≤ 40 ms" },
] as const;

const QUICK_SIZES = [
  { rules: 50, warmUp: 2, warm: 5, cold: 2, goal: "≤ 20 ms" },
  { rules: 1_000, warmUp: 1, warm: 3, cold: 1, goal: "" },
] as const;

const UNITS = {
  module: ["holdfast-module@firewall.service"],
  both: ["holdfast-module@firewall.service", "holdfast-guard.service"],
} as const;

/** One rule changed on one server: from the call of the API to APPLIED, beside a spawned nft with the same rules on the same server. */
export async function oneRule(context: BenchContext): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const size of context.quick ? QUICK_SIZES : SIZES) rows.push(...(await measure(context, size)));
  return rows;
}

type Size = (typeof SIZES | typeof QUICK_SIZES)[number];

async function measure(context: BenchContext, size: Size): Promise<readonly Row[]> {
  const part = `one rule of ${size.rules.toLocaleString("en")}`;
  await using house = await BenchHouse.open(
    [{ name: "web-1", kind: context.kind, labels: { role: "web" } }],
    context.trace ? TRACES : {},
  );
  const spans = context.trace ? await TraceTap.beside(house.client) : null;
  const set: Omit<RuleSet, "turn" | "changed"> = { name: "rules", selector: "{ role: web }", rules: size.rules };
  for (const mode of ["observe", "enforce"] as const)
    await house.apply(`Begin: ${mode}`, [policyText({ ...set, mode, changed: null, turn: 0 })]);
  const raw = await RawNft.beside(house, house.first);
  try {
    await raw.load();
    let turn = 0;
    const next = (): readonly [string, string] => {
      turn += 1;
      const changed = (turn * 7_919) % (size.rules - 1); // a prime, so that the changed rules lie all over the set
      return [`Turn ${turn}`, policyText({ ...set, changed, turn })];
    };
    const apply = async (): Promise<TimedApply> => house.timedApply(...next(), 1);

    for (let run = 0; run < size.warmUp; run++) {
      await apply();
      await raw.load();
    }
    const runs: TimedApply[] = [];
    const whole: number[] = [];
    const batch: number[] = [];
    const before = house.processorTime();
    for (let run = 0; run < size.warm; run++) {
      runs.push(await apply());
      // Alternating: whatever disturbs this machine disturbs both.
      const loaded = await raw.load();
      whole.push(loaded.wholeMs);
      if (loaded.batchMs !== null) batch.push(loaded.batchMs);
    }
    const spent = since(before, house.processorTime());
    if (context.trace) {
      context.say(`${part}: the last apply, milliseconds after the call`);
      for (const { atMs, what } of runs.at(-1)?.story ?? []) context.say(`${atMs.toFixed(1).padStart(10)}  ${what}`);
      context.say(`${part}: processor milliseconds of one plan and apply, by what spent them`);
      for (const [who, ms] of spent) context.say(`${(ms / size.warm).toFixed(1).padStart(10)}  ${who}`);
    }
    if (spans !== null) {
      context.say(`${part}: the last apply as a trace, milliseconds from its beginning, and how long`);
      for (const line of await spans.lastWith("apply")) context.say(line);
    }
    const against = { "nft -f, whole": whole, "nft -f, batch": batch };
    const rows = [
      row(
        part,
        "apply, all warm",
        "ms",
        runs.flatMap((run) => run.appliedMs),
        { against, goal: size.goal },
      ),
    ];
    for (const [what, units] of [
      ["apply, module cold", UNITS.module],
      ["apply, guard and module cold", UNITS.both],
    ] as const) {
      // Only an init system starts them anew by itself.
      if (context.kind !== "systemd") continue;
      const cold: number[] = [];
      for (let run = 0; run < size.cold; run++) {
        const timed = await house.timedApplyAfter(...next(), async () => {
          await house.first.machine.must(["systemctl", "stop", ...units]);
        });
        cold.push(...timed.appliedMs);
      }
      rows.push(row(part, what, "ms", cold, { against: { "nft -f, whole": whole } }));
    }
    return [
      ...rows,
      row(
        part,
        "plan (POST change, POST plan)",
        "ms",
        runs.map((run) => run.planMs),
        { against: { "nft -f, whole": whole } },
      ),
      row(part, "nft -f, whole", "ms", whole),
      row(part, "nft -f, batch", "ms", batch),
    ];
  } finally {
    await spans?.close();
    await raw.close();
  }
}
