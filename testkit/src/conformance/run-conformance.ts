import { mkdirSync } from "node:fs";
import type { DomainName } from "@holdfast/core/domain.ts";
import { Bench, ContractBroken } from "./bench.ts";
import { RULES, type Check, type Rule } from "./check.ts";
import { CRASH_CHECKS } from "./crash-checks.ts";
import { INPUT_CHECKS } from "./input-checks.ts";
import { LEDGER_CHECKS } from "./ledger-checks.ts";
import { LedgerWriter } from "./ledger-writer.ts";
import type { ModuleCase } from "./module-case.ts";
import { ModuleProcess } from "./module-process.ts";
import { OWNERSHIP_CHECKS } from "./ownership-checks.ts";
import { READING_CHECKS } from "./reading-checks.ts";
import { REPEATING_CHECKS } from "./repeating-checks.ts";

export const CHECKS: readonly Check[] = [
  ...READING_CHECKS,
  ...LEDGER_CHECKS,
  ...REPEATING_CHECKS,
  ...OWNERSHIP_CHECKS,
  ...CRASH_CHECKS,
  ...INPUT_CHECKS,
];

export interface ConformanceWish {
  readonly domain: DomainName;
  readonly moduleCase: ModuleCase;
  /** Where the module listens. */
  readonly socket: string;
  /** Two folders that the module is told of and nobody else uses; the first must be empty. */
  readonly ledger: string;
  readonly snapshots: string;
  /** What starts the module, in the foreground. */
  readonly start: readonly [string, ...string[]];
  /** Default: all. */
  readonly only?: (check: Check) => boolean;
  readonly onResult?: (result: CheckResult) => void;
}

export interface CheckResult {
  readonly rule: Rule;
  readonly name: string;
  /** Null: passed. */
  readonly broken: string | null;
}

/** Runs the checks one after another on one module. @throws Error when the module cannot be started or the case itself is wrong */
export async function runConformance(wish: ConformanceWish): Promise<readonly CheckResult[]> {
  const ledger = await LedgerWriter.open(wish.ledger, wish.snapshots, wish.domain);
  mkdirSync(wish.snapshots, { recursive: true, mode: 0o700 });
  const module = new ModuleProcess(wish.start, wish.socket);
  const bench = new Bench(wish.moduleCase, wish.domain, module, ledger);
  const results: CheckResult[] = [];
  try {
    await module.start();
    for (const check of CHECKS.filter(wish.only ?? (() => true))) {
      const result = { rule: check.rule, name: check.name, broken: await runCheck(bench, check) };
      results.push(result);
      wish.onResult?.(result);
    }
    // The server is left as it was found, where the module still can.
    await brokenBy(() => bench.settle().then(() => bench.put(null)));
  } finally {
    await module.kill();
    ledger.close();
  }
  return results;
}

async function runCheck(bench: Bench, check: Check): Promise<string | null> {
  const unready = await brokenBy(async () => {
    await bench.settle();
    await bench.put(check.from === "a" ? bench.moduleCase.configs.a : null);
  });
  if (unready !== null) return `not even ready for this check: ${unready}`;
  return brokenBy(() => check.run(bench));
}

async function brokenBy(act: () => Promise<void>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (error instanceof ContractBroken) return error.message;
    throw error;
  }
}

/** The results as a table for people, and the one line that sums them up. */
export function reportInWords(results: readonly CheckResult[]): string {
  const lines: string[] = [];
  for (const rule of Object.keys(RULES) as Rule[]) {
    const own = results.filter((result) => result.rule === rule);
    if (own.length > 0) lines.push(`${rule}: ${RULES[rule]}`, ...own.map(resultInWords));
  }
  const failed = results.filter(({ broken }) => broken !== null).length;
  return [...lines, `${results.length - failed} passed, ${failed} failed`].join("\n");
}

function resultInWords({ name, broken }: CheckResult): string {
  return broken === null
    ? `  passed  ${name}`
    : `  FAILED  ${name}\n            ${broken.replaceAll("\n", "\n            ")}`;
}
