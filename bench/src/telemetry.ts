import { BenchHouse } from "./bench-house.ts";
import type { BenchContext } from "./context.ts";
import { CONTROL_ADDRESS, policyText } from "./documents.ts";
import { onServers, since } from "./processor-time.ts";
import { row, type Row } from "./result.ts";
import { TRACES, TraceTap } from "./trace-tap.ts";

const METRICS_PORT = 7082;
/** Asked for once with each apply, which is far more often than a Prometheus does. */
const METRICS = { HOLDFAST_METRICS_HOST: CONTROL_ADDRESS, HOLDFAST_METRICS_PORT: String(METRICS_PORT) };

/** What each of them says of an apply. Alternating: whatever disturbs this machine disturbs all of them. */
const HOUSES = [
  { what: "errors only", environment: { HOLDFAST_LOG_LEVEL: "error" } },
  { what: "logs, as usual", environment: {} },
  { what: "logs and metrics", environment: METRICS },
  { what: "logs and traces", environment: TRACES },
] as const;

const SIZE = { warmUp: 10, turns: 8, perTurn: 10 };
const QUICK = { warmUp: 2, turns: 2, perTurn: 3 };

/**
 * What logs, metrics and traces cost on the way of an apply: processor time of one plan and apply of one rule of fifty, by the control plane, its
 * PostgreSQL and all of the server. Metrics are counted when somebody asks, so here somebody asks with each apply.
 */
export async function telemetry({ kind, quick, say }: BenchContext): Promise<readonly Row[]> {
  const { warmUp, turns, perTurn } = quick ? QUICK : SIZE;
  const part = "telemetry";
  const set = { name: "rules", selector: "{ role: web }", rules: 50 } as const;
  let turn = 0;
  const scraped = new Set<BenchHouse>();
  const apply = async (house: BenchHouse): Promise<void> => {
    turn += 1;
    await house.timedApply(`Turn ${turn}`, policyText({ ...set, changed: turn % 49, turn }), 1);
    if (scraped.has(house)) await scrape(house);
  };
  const houses: BenchHouse[] = [];
  let spans: TraceTap | null = null;
  try {
    for (const { environment } of HOUSES) {
      const house = await BenchHouse.open([{ name: "web-1", kind, labels: { role: "web" } }], environment);
      houses.push(house);
      if ("HOLDFAST_METRICS_HOST" in environment) scraped.add(house);
      if ("HOLDFAST_TRACES_URL" in environment) spans = await TraceTap.beside(house.client);
      for (const mode of ["observe", "enforce"] as const)
        await house.apply(`Begin: ${mode}`, [policyText({ ...set, mode, changed: null, turn: 0 })]);
      for (let run = 0; run < warmUp; run++) await apply(house);
    }
    const spent = HOUSES.map(() => ({ control: [] as number[], database: [] as number[], server: [] as number[] }));
    for (let round = 0; round < turns; round++) {
      for (const [index, house] of houses.entries()) {
        const before = house.processorTime();
        for (let run = 0; run < perTurn; run++) await apply(house);
        const used = since(before, house.processorTime());
        spent[index]?.control.push((used.get("control plane") ?? 0) / perTurn);
        spent[index]?.database.push((used.get("PostgreSQL") ?? 0) / perTurn);
        spent[index]?.server.push(onServers(used) / perTurn);
      }
    }
    say(
      `${part}: about ${((spans?.count ?? 0) / (2 + warmUp + turns * perTurn)).toFixed(0)} spans for each plan and apply`,
    );
    return HOUSES.flatMap(({ what }, index) => {
      const against = (side: "control" | "database" | "server") => ({
        against: { [HOUSES[0].what]: spent[0]?.[side] ?? [] },
      });
      return [
        row(part, `control plane, processor time, ${what}`, "ms", spent[index]?.control ?? [], against("control")),
        row(part, `PostgreSQL, processor time, ${what}`, "ms", spent[index]?.database ?? [], against("database")),
        row(part, `server, processor time, ${what}`, "ms", spent[index]?.server ?? [], against("server")),
      ];
    });
  } finally {
    await spans?.close();
    for (const house of houses) await house.close();
  }
}

async function scrape(house: BenchHouse): Promise<void> {
  const url = `http://${CONTROL_ADDRESS}:${String(METRICS_PORT)}/metrics`;
  const { code, stderr } = await house.client.exec([
    "curl",
    "--silent",
    "--show-error",
    "--fail",
    "--output",
    "/dev/null",
    url,
  ]);
  if (code !== 0) throw new Error(`the metrics could not be read: ${stderr}`);
}
