import { BenchHouse } from "./bench-house.ts";
import type { BenchContext } from "./context.ts";
import { policyText } from "./documents.ts";
import { RawNft } from "./raw-nft.ts";
import { row, type Row } from "./result.ts";

const FULL = { servers: 50, warmUp: 2, runs: 5 } as const;
const QUICK = { servers: 4, warmUp: 1, runs: 2 } as const;
const RULES = 50;
/** Fifty servers look for drift on fifty machines. Here all their looks would fall into what is measured. */
const HOUR_S = 3_600;

/**
 * One change to many servers at once, until the last has said APPLIED; the canary first, as always. Plain servers in namespaces: fifty that
 * boot systemd would measure systemd. All of them share this machine's processors with the control plane.
 */
export async function fleet(context: BenchContext): Promise<readonly Row[]> {
  const { servers, warmUp, runs } = context.quick ? QUICK : FULL;
  const specs = Array.from({ length: servers }, (_, at) => ({
    name: `host-${at + 1}`,
    kind: "plain" as const,
    labels: { role: "fleet" },
    driftSeconds: HOUR_S,
  }));
  context.say(`Making ${servers} servers …`);
  await using house = await BenchHouse.open(specs);
  const set = { name: "fleet", selector: "{ role: fleet }", rules: RULES };
  for (const mode of ["observe", "enforce"] as const)
    await house.apply(`Begin: ${mode}`, [policyText({ ...set, mode, changed: null, turn: 0 })]);
  const total: number[] = [];
  const afterCanary: number[] = [];
  const local: number[] = [];
  const raw = await RawNft.beside(house, house.first);
  try {
    await raw.load();
    for (let turn = 1; turn <= warmUp + runs; turn++) {
      const { appliedMs } = await house.timedApply(
        `Turn ${turn}`,
        policyText({ ...set, changed: turn % (RULES - 1), turn }),
        servers,
      );
      const { wholeMs } = await raw.load();
      if (turn <= warmUp) continue;
      total.push(Math.max(...appliedMs));
      afterCanary.push(Math.max(...appliedMs) - Math.min(...appliedMs));
      local.push(wholeMs * servers);
    }
  } finally {
    await raw.close();
  }
  const part = `${servers} servers`;
  const name = `${servers} times nft -f, one after the other`;
  return [
    row(part, "one change, all APPLIED", "ms", total, {
      against: { [name]: local },
      goal: servers === 50 ? "≤ 1 s" : "",
    }),
    row(part, "of it after the canary", "ms", afterCanary),
    row(part, name, "ms", local),
  ];
}
