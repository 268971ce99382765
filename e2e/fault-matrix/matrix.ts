import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "@holdfast/control/store/sql.ts";
import type { ApplyState } from "@holdfast/core/apply/state.ts";
import { RanPast } from "@holdfast/testkit/house/ledger-gate.ts";
import { repository } from "@holdfast/testkit/servers/machine.ts";
import { CLOCK_FAULTS } from "./clock-faults.ts";
import { CONTROL_FAULTS } from "./control-faults.ts";
import { DISK_FAULTS } from "./disk-faults.ts";
import type { Fault, Outcome } from "./fault.ts";
import { IDENTITY_FAULTS } from "./identity-faults.ts";
import { KILL_GRID } from "./kill-grid.ts";
import { NETWORK_FAULTS } from "./network-faults.ts";
import { PEOPLE_FAULTS } from "./people-faults.ts";
import { POWER_FAULTS } from "./power-faults.ts";
import { PROCESS_FAULTS } from "./process-faults.ts";
import { type Ending, kernelOf, MATRIX_TRIAL, type Stage } from "./stage.ts";
import { WIRE_FAULTS } from "./wire-faults.ts";

/** What the faults happen to. Two instances, so that one can take over from another. */
export const MATRIX_HOUSE = {
  instances: 2,
  trial: MATRIX_TRIAL,
  servers: [
    { name: "web-1", kind: "systemd" },
    { name: "web-2", kind: "plain" },
  ],
} as const;

/** A row of docs/protocol/fault-table.json. */
export interface FaultRow {
  readonly row: number;
  readonly fault: string;
  readonly test: string;
  readonly outcomes: readonly Outcome[];
}

export const FAULT_TABLE = JSON.parse(
  readFileSync(join(repository, "docs/protocol/fault-table.json"), "utf8"),
) as readonly FaultRow[];

export const FAULTS: readonly Fault[] = [
  ...CONTROL_FAULTS,
  ...WIRE_FAULTS,
  ...POWER_FAULTS,
  ...PROCESS_FAULTS,
  ...NETWORK_FAULTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
  ...IDENTITY_FAULTS,
  ...PEOPLE_FAULTS,
];

/** Everything that `make soak` provokes. */
export const ALL_FAULTS: readonly Fault[] = [...FAULTS, ...KILL_GRID];

/** Rows of the table that nothing here provokes, and tests here that no row names. */
export function uncovered(): readonly string[] {
  const named = new Set(FAULT_TABLE.map((row) => row.test));
  const provoked = new Set(FAULTS.map((fault) => fault.test));
  return [...[...named].filter((test) => !provoked.has(test)), ...[...provoked].filter((test) => !named.has(test))];
}

export interface Verdict {
  readonly row: number;
  readonly fault: string;
  readonly expected: string;
  readonly got: string;
  /** What does not fit; empty when all does. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

/** Provokes one row and judges its end. Never rejects: a matrix goes on. */
export async function judge(fault: Fault, stage: Stage): Promise<Verdict> {
  const began = performance.now();
  const { outcomes, ...name } = nameOf(fault);
  let got = "no end";
  const wrong: string[] = [];
  try {
    const ending = await sufferInTime(fault, stage);
    got = `${ending.row.state}${ending.row.effect === null ? "" : ` (${ending.row.effect})`}, ${ending.row.server_is} [${ending.row.code ?? "ok"}]`;
    wrong.push(...whatIsWrong(ending, outcomes));
    if (wrong.length > 0 && ending.kernel === "changed")
      wrong.push(`before:\n${stage.tableBefore}\nafter:\n${await stage.server.ownTable()}`);
  } catch (error) {
    wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  try {
    await stage.rest();
  } catch (error) {
    wrong.push(`the house is not whole afterwards: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (wrong.length > 0) wrong.push(`the story\n${await lastWords(stage)}`);
  const seconds = (performance.now() - began) / 1000;
  return { ...name, got, wrong, seconds };
}

/** What the table calls it, and how it may end. */
function nameOf(fault: Fault): Pick<Verdict, "row" | "fault" | "expected"> & { readonly outcomes: readonly Outcome[] } {
  const row = FAULT_TABLE.find((candidate) => candidate.test === fault.test);
  const outcomes = fault.outcomes ?? row?.outcomes ?? [];
  return {
    row: row?.row ?? 0,
    fault: `${row?.fault ?? fault.test}${fault.how === undefined ? "" : ` (${fault.how})`}`,
    expected: outcomes.map(inWords).join(" or "),
    outcomes,
  };
}

const TRIES = 8;

/** A fault that came a millisecond too late is provoked again. */
async function sufferInTime(fault: Fault, stage: Stage): Promise<Ending> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fault.suffer(stage);
    } catch (error) {
      if (!(error instanceof RanPast) || attempt === TRIES) throw error;
      await stage.atRest();
    }
  }
}

/** What the programs themselves said, for whoever has to understand it. */
async function lastWords(stage: Stage): Promise<string> {
  const server = await stage.server.lastWords().catch((error: unknown) => String(error));
  const rows = await stage.house.database
    .rows(
      sql`select a.id, a.state, a.phase, a.fence, a.lease_owner, a.lease_until, a.wish, s.session_instance, s.session_id, s.fence as server_fence, s.locked_code, r.state as rollout, now() as now
          from applies a join servers s on s.id = a.server_id join rollouts r on r.id = a.rollout_id order by a.id desc limit 3`,
    )
    .catch((error: unknown) => String(error));
  const control = stage.house.controlOutput().trim().split("\n").slice(-CONTROL_LINES).join("\n");
  return `${server}\n--- rows\n${JSON.stringify(rows, null, 1)}\n--- control plane\n${control}`;
}

const CONTROL_LINES = 30;

function whatIsWrong(ending: Ending, outcomes: readonly Outcome[]): readonly string[] {
  const wrong: string[] = [];
  const { state, effect, server_is: serverIs } = ending.row;
  const fits = outcomes.some(
    (one) => one.expectedState === state && one.expectedEffect === effect && one.expectedServer === serverIs,
  );
  if (!fits) wrong.push(`another outcome than the table's: ${ending.row.message ?? "no message"}`);
  const kernel = kernelOf(serverIs);
  if (kernel !== null && ending.kernel !== kernel)
    wrong.push(`the database says ${serverIs}, the kernel is ${ending.kernel}`);
  if (kernel !== null && ending.visitor !== "open")
    wrong.push(`a visitor's connection is answered with ${ending.visitor}`);
  const ledger = LEDGER_OF[state];
  if (ending.ledger !== null && ledger !== undefined && !ledger.includes(ending.ledger))
    wrong.push(`${state}, and the ledger's last word is ${ending.ledger}`);
  return wrong;
}

/** What the ledger may say last of the forward transaction, by the state that the database shows. */
const LEDGER_OF: Partial<Record<ApplyState, readonly string[]>> = {
  APPLIED: ["finalized"],
  ROLLED_BACK: ["reverted"],
  FAILED: ["refused", "reverted", "revert_failed", "reverting"],
};

function inWords(outcome: Outcome): string {
  const effect = outcome.expectedEffect === null ? "" : ` (${outcome.expectedEffect})`;
  return `${outcome.expectedState}${effect}, ${outcome.expectedServer}`;
}

/** The whole matrix, for people: what this run provoked with its verdict, and every other cell by its name. */
export function printedWhole(verdicts: readonly Verdict[]): string {
  const provoked = new Set(verdicts.map(({ fault }) => fault));
  const others = ALL_FAULTS.map(nameOf)
    .filter(({ fault }) => !provoked.has(fault))
    .toSorted((a, b) => a.row - b.row)
    .map(
      ({ row, fault, expected }) =>
        `${String(row).padStart(2)} not in this run (make soak)  ${fault}\n        expected ${expected}`,
    );
  return [printed(verdicts), ...others, `${verdicts.length} of ${ALL_FAULTS.length} cells provoked`].join("\n");
}

/** Some cells, for people. */
export function printed(verdicts: readonly Verdict[]): string {
  return verdicts
    .toSorted((a, b) => a.row - b.row)
    .map((one) => {
      const line = `${String(one.row).padStart(2)} ${one.wrong.length === 0 ? "ok   " : "WRONG"} ${one.seconds.toFixed(1).padStart(5)} s  ${one.fault}\n        expected ${one.expected}\n        got      ${one.got}`;
      return [line, ...one.wrong.map((text) => `        wrong    ${text}`)].join("\n");
    })
    .join("\n");
}
