import { parseArgs } from "node:util";
import { House } from "@holdfast/testkit/house/house.ts";
import { ALL_FAULTS, judge, MATRIX_HOUSE, printed, type Verdict } from "./fault-matrix/matrix.ts";
import { Stage } from "./fault-matrix/stage.ts";

/**
 * `make soak`: the whole fault matrix on real servers, again and again until the time is over, in an order that the seed decides.
 *
 *   node e2e/soak.ts [--minutes N] [--seed N] [--rows fault-05,fault-17] [--kind systemd|plain]
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    rows: { type: "string", default: "" },
    kind: { type: "string", default: "systemd" },
  },
});

await soak();

async function soak(): Promise<void> {
  const wanted = values.rows.split(",").filter((word) => word !== "");
  const chosen = ALL_FAULTS.filter(
    (fault) => wanted.length === 0 || wanted.some((word) => fault.test.startsWith(word)),
  );
  const until = performance.now() + Number(values.minutes) * 60_000;
  const verdicts: Verdict[] = [];
  const [first, ...others] = MATRIX_HOUSE.servers;
  const servers = values.kind === "plain" ? [{ ...first, kind: "plain" as const }, ...others] : MATRIX_HOUSE.servers;
  await using house = await House.open({ ...MATRIX_HOUSE, servers });
  const stage = Stage.of(house);
  process.stdout.write(`seed ${values.seed}; ${chosen.length} faults\n`);
  let random = Number(values.seed);
  do {
    for (const fault of shuffled(chosen, () => (random = (random * 48_271) % 2_147_483_647) / 2_147_483_647)) {
      const verdict = await judge(fault, stage);
      verdicts.push(verdict);
      process.stdout.write(`${printed([verdict])}\n`);
    }
  } while (performance.now() < until);
  const wrong = verdicts.filter((verdict) => verdict.wrong.length > 0);
  process.stdout.write(`\n${printed(verdicts)}\n\n${verdicts.length} faults, ${wrong.length} wrong\n`);
  if (wrong.length > 0) process.exitCode = 1;
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const list = [...items];
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    const [a, b] = [list[at], list[other]];
    if (a !== undefined && b !== undefined) [list[at], list[other]] = [b, a];
  }
  return list;
}
