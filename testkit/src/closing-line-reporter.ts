/**
 * Closes a test run with one line that a person and a script read alike: `12 passed, 0 failed, 1 skipped`.
 * A file that could not be loaded, a hook that failed and an unhandled error each count as one failure:
 * otherwise a run could end "0 failed" and still be red. Skips are listed with their reasons, and tests that passed only when they were
 * tried again with the error of the first try, never silent.
 */
import type { Reporter, TestModule } from "vitest/node";
import { whyNoKernelTests } from "./kernel-requirements.ts";
import { whyNoGuests } from "./vm/stock-kernel.ts";

export interface RunCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function closingLine({ passed, failed, skipped }: RunCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

export function countRun(modules: readonly TestModule[], unhandledErrors: number): RunCounts {
  const counts = { passed: 0, failed: unhandledErrors, skipped: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test that is still pending when the run ends never gave its answer.
      counts[state === "pending" ? "failed" : state] += 1;
    }
  }
  return counts;
}

/** Reason → how many tests were skipped for it. A test names its own reason; otherwise it is that of its project. */
export function skipReasons(
  modules: readonly TestModule[],
  projectReasons: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, number> {
  const reasons = new Map<string, number>();
  for (const module of modules) {
    const projectReason = projectReasons[module.project.name];
    for (const test of module.children.allTests("skipped")) {
      const result = test.result();
      const reason = (result.state === "skipped" ? result.note : undefined) ?? projectReason ?? "no reason given";
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
  return reasons;
}

/** Where tests are tried again: those that needed it, and what their earlier tries said. */
export function unsteadyTests(modules: readonly TestModule[]): readonly string[] {
  return modules.flatMap((module) =>
    [...module.children.allTests("passed")]
      .filter((test) => test.diagnostic()?.flaky === true)
      .map((test) => {
        const said = (test.result().errors ?? []).map(({ message }) => message.split("\n")[0] ?? "");
        return `${module.relativeModuleId} > ${test.fullName}: ${said.join("; ")}`;
      }),
  );
}

export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const reasons = [
      ...skipReasons(modules, { kernel: whyNoKernelTests(), alone: whyNoKernelTests(), vm: whyNoGuests() }),
    ].map(([reason, count]) => `skipped ${count}: ${reason}\n`);
    const unsteady = unsteadyTests(modules).map((test) => `passed when tried again: ${test}\n`);
    process.stdout.write(
      `${reasons.join("")}${unsteady.join("")}${closingLine(countRun(modules, unhandledErrors.length))}\n`,
    );
  }
}

// Vitest loads a reporter by its default export.
export default ClosingLineReporter;
