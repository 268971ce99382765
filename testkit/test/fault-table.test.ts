import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  APPLY_STATES,
  type ApplyState,
  type Effect,
  EFFECTS,
  SERVER_IS,
  type ServerIs,
} from "@holdfast/core/apply/state.ts";
import { expect, test } from "vitest";
import { REPOSITORY_ROOT } from "../src/repository.ts";

/** The faults that the protocol answers for; the tests that provoke them read the same file. */
const ROWS = 34;

interface Outcome {
  readonly expectedState: ApplyState;
  readonly expectedEffect: Effect | null;
  readonly expectedServer: ServerIs;
}
interface Fault {
  readonly row: number;
  readonly fault: string;
  readonly test: string;
  readonly inModel: "yes" | "partly" | "no";
  readonly outcomes: readonly Outcome[];
}

const FOLDER = join(REPOSITORY_ROOT, "docs/protocol");
const FAULTS = JSON.parse(readFileSync(join(FOLDER, "fault-table.json"), "utf8")) as readonly Fault[];

test("each row stands once, in order, with a test of its own", () => {
  expect(FAULTS.map(({ row }) => row)).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));
  expect(new Set(FAULTS.map((fault) => fault.test)).size).toBe(ROWS);
  for (const fault of FAULTS)
    expect(fault.test).toMatch(new RegExp(`^fault-${String(fault.row).padStart(2, "0")}-[a-z-]+$`));
});

test("the table speaks core's words", () => {
  for (const { row, inModel, outcomes } of FAULTS) {
    expect(["yes", "partly", "no"], `row ${row}`).toContain(inModel);
    expect(outcomes.length, `row ${row}`).toBeGreaterThan(0);
    for (const { expectedState, expectedEffect, expectedServer } of outcomes) {
      expect(APPLY_STATES, `row ${row}`).toContain(expectedState);
      expect([null, ...EFFECTS], `row ${row}`).toContain(expectedEffect);
      expect(SERVER_IS, `row ${row}`).toContain(expectedServer);
    }
  }
});

test("what is left behind is said where, and only where, the state leaves it open", () => {
  const serverOf = { none: ["as_before"], restore_failed: ["mixed", "unknown"], unknown: ["unknown"] } as const;
  for (const { row, outcomes } of FAULTS) {
    for (const { expectedState, expectedEffect, expectedServer } of outcomes) {
      expect(expectedEffect !== null, `row ${row}`).toBe(expectedState === "FAILED");
      if (expectedEffect !== null) expect(serverOf[expectedEffect], `row ${row}`).toContain(expectedServer);
      if (expectedState === "APPLIED") expect(expectedServer, `row ${row}`).toBe("as_requested");
      if (["ROLLED_BACK", "READY", "DRAFT"].includes(expectedState))
        expect(expectedServer, `row ${row}`).toBe("as_before");
    }
  }
});

test("the document says of each fault what the file says", () => {
  const lines = readFileSync(join(FOLDER, "apply.md"), "utf8").split("\n");
  for (const { row, fault, inModel, outcomes } of FAULTS) {
    const states = outcomes.map(
      (one) => one.expectedState + (one.expectedEffect === null ? "" : ` (${one.expectedEffect})`),
    );
    const servers = outcomes.map((one) => one.expectedServer.replace("_", " "));
    const line = lines.find((text) => text.startsWith(`| ${row} | ${fault} | `));
    expect(line, `row ${row}`).toBeDefined();
    const ending = `| ${[...new Set(states)].join(" or ")} | ${[...new Set(servers)].join(" or ")} | ${inModel} |`;
    expect(line?.slice(-ending.length), `row ${row}`).toBe(ending);
  }
});
