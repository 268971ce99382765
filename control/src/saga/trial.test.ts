import type { Probe, ProbeResult } from "@holdfast/core/plan/probe.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { countingProbes, judgeTrial, ROUND_AGED_MS, ROUNDS_TO_FAIL, type TrialView } from "./trial.ts";

const open = (id: string): Probe => ({
  id,
  direction: "inbound",
  protocol: "tcp",
  address: "self",
  port: 22,
  expected: "open",
  origin: "floor",
});
const closed = (id: string): Probe => ({ ...open(id), expected: "closed" });

function trial(over: Partial<TrialView>): TrialView {
  return { probes: [open("ssh")], baseline: { ssh: "open" }, rounds: [], freshSinceMs: 0, soakMs: 0, ...over };
}

test("T1: what did not pass before does not count", () => {
  const probes = [open("a"), open("b"), closed("c"), closed("d"), open("e")];
  expect(
    countingProbes(probes, { a: "open", b: "closed", c: "closed", d: "unreachable_vantage" }).map((probe) => probe.id),
  ).toEqual(["a", "c"]);
});

test("nothing to probe: the soak alone decides", () => {
  expect(judgeTrial(trial({ probes: [], soakMs: 15_000 }), 10_000)).toEqual({ kind: "soak", ms: 5_000 });
  expect(judgeTrial(trial({ probes: [], soakMs: 15_000 }), 15_000)).toEqual({ kind: "green" });
});

test("green is said of a round after the soak, and not of an old one", () => {
  const rounds = [{ atMs: 14_999, results: { ssh: "open" as const } }];
  expect(judgeTrial(trial({ rounds, soakMs: 15_000 }), 14_999)).toEqual({ kind: "soak", ms: 1 });
  expect(judgeTrial(trial({ rounds, soakMs: 15_000 }), 15_000)).toEqual({ kind: "probe_now" });
  expect(judgeTrial(trial({ rounds }), 15_000)).toEqual({ kind: "green" });
  expect(judgeTrial(trial({ rounds }), 14_999 + ROUND_AGED_MS)).toEqual({ kind: "probe_now" });
});

test("T3: one blind round is tried again, three are a failure", () => {
  const blind = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      atMs: index * 700,
      results: { ssh: "unreachable_vantage" as const },
    }));
  expect(judgeTrial(trial({ rounds: blind(1) }), 0)).toMatchObject({ kind: "soak" });
  expect(judgeTrial(trial({ rounds: blind(ROUNDS_TO_FAIL) }), 1_400)).toEqual({ kind: "failed", probes: ["ssh"] });
});

test("T2 for any rounds: green only when each counting probe passed in the last one", () => {
  const result = fc.constantFrom<ProbeResult>("open", "closed", "unreachable_vantage");
  const round = fc.record({ a: result, b: result });
  fc.assert(
    fc.property(
      round,
      fc.array(round, { maxLength: 6 }),
      fc.integer({ min: 0, max: 5_000 }),
      (baseline, results, soakMs) => {
        const probes = [open("a"), closed("b")];
        const rounds = results.map((each, index) => ({ atMs: index * 1_000, results: each }));
        const verdict = judgeTrial(trial({ probes, baseline, rounds, soakMs }), rounds.length * 1_000);
        if (verdict.kind !== "green") return;
        const last: Readonly<Record<string, ProbeResult>> = rounds.at(-1)?.results ?? {};
        for (const probe of countingProbes(probes, baseline)) expect(last[probe.id]).toBe(probe.expected);
        expect(rounds.length * 1_000).toBeGreaterThanOrEqual(soakMs);
      },
    ),
    { numRuns: 500 },
  );
});

test("T4: what must hold counts although it did not hold before, is waited for, and its loss is a failure", () => {
  const probes: readonly Probe[] = [{ ...open("tunnel"), mustHold: true }];
  const rounds = (...results: readonly ProbeResult[]) =>
    results.map((result, index) => ({ atMs: index * 700, results: { tunnel: result } }));
  const baseline = { tunnel: "closed" } as const;
  const silent = Array.from({ length: 3 * ROUNDS_TO_FAIL }, () => "closed" as const);
  expect(judgeTrial(trial({ probes, baseline }), 0)).toEqual({ kind: "probe_now" });
  expect(judgeTrial(trial({ probes, baseline, rounds: rounds(...silent) }), 5_700)).toMatchObject({ kind: "soak" });
  expect(judgeTrial(trial({ probes, baseline, rounds: rounds("closed", "open") }), 800)).toEqual({ kind: "green" });
  const anew = { probes, baseline: { tunnel: "open" as const }, rounds: rounds(...silent) };
  expect(judgeTrial(trial(anew), 5_700)).toMatchObject({ kind: "soak" });
  const lost = rounds("open", "closed", "closed", "closed");
  expect(judgeTrial(trial({ probes, baseline, rounds: lost }), 2_200)).toEqual({ kind: "failed", probes: ["tunnel"] });
});
