import { parseArgs } from "node:util";

export const PARTS = ["one-rule", "fleet", "control-plane", "memory", "packets", "telemetry"] as const;
export type PartName = (typeof PARTS)[number];

export interface BenchOptions {
  readonly only: readonly PartName[];
  /** A slice that fits into a test run: it shows that everything is measured, not how fast it is. */
  readonly quick: boolean;
  readonly trace: boolean;
  /** Null: nothing is written. */
  readonly json: string | null;
}

export const USAGE = `Measures Holdfast on this machine: real agents, real servers in namespaces, the real control plane. Needs root.

  make bench                             everything, about half an hour
  npm run bench -- --only one-rule       one part: ${PARTS.join(", ")} (may be said again)
  npm run bench -- --quick               a slice that shows that everything runs
  npm run bench -- --trace               also where the time of an apply goes
  npm run bench -- --json FILE           where the figures are written (bench/results/latest.json)
`;

export function readOptions(argv: readonly string[]): BenchOptions | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        only: { type: "string", multiple: true, default: [] },
        quick: { type: "boolean", default: false },
        trace: { type: "boolean", default: false },
        json: { type: "string", default: "bench/results/latest.json" },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`;
  }
  if (values.help) return USAGE;
  const only: PartName[] = [];
  for (const name of values.only) {
    const part = PARTS.find((known) => known === name);
    if (part === undefined) return `--only ${name}: expected one of ${PARTS.join(", ")}\n\n${USAGE}`;
    only.push(part);
  }
  return { only, quick: values.quick, trace: values.trace, json: values.json === "" ? null : values.json };
}
