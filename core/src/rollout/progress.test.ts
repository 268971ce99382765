import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_WAVES } from "../compose/floor-settings.ts";
import {
  nextRolloutAction,
  type RolloutProgress,
  type RolloutTarget,
  TARGET_STATUSES,
  type TargetStatus,
} from "./progress.ts";

const NOW = 1_000_000;

function target(index: number, wave: number, status: TargetStatus, over: Partial<RolloutTarget> = {}): RolloutTarget {
  return { serverId: `s${index}`, serverName: `web-${index}`, wave, position: index, status, code: null, ...over };
}

function progress(targets: readonly RolloutTarget[], over: Partial<RolloutProgress> = {}): RolloutProgress {
  return {
    state: "RUNNING",
    currentWave: 0,
    waveOpensAtMs: null,
    settings: DEFAULT_WAVES,
    targets,
    underWayElsewhere: 0,
    ...over,
  };
}

test("the canary alone is dispatched first, and nothing else while it is under way", () => {
  expect(nextRolloutAction(progress([target(1, 0, "waiting"), target(2, 1, "waiting")]), NOW)).toEqual({
    kind: "dispatch",
    serverIds: ["s1"],
  });
  expect(nextRolloutAction(progress([target(1, 0, "under_way"), target(2, 1, "waiting")]), NOW)).toEqual({
    kind: "nothing",
  });
});

test("a good canary opens the next wave after the pause", () => {
  const settings = { ...DEFAULT_WAVES, pauseSeconds: 30 };
  const targets = [target(1, 0, "good"), target(2, 1, "waiting"), target(3, 1, "waiting")];
  expect(nextRolloutAction(progress(targets, { settings }), NOW)).toEqual({
    kind: "next_wave",
    wave: 1,
    opensAtMs: NOW + 30_000,
  });
  const opened = progress(targets, { settings, currentWave: 1, waveOpensAtMs: NOW + 30_000 });
  expect(nextRolloutAction(opened, NOW + 29_999)).toEqual({ kind: "nothing" });
  expect(nextRolloutAction(opened, NOW + 30_000)).toEqual({ kind: "dispatch", serverIds: ["s2", "s3"] });
});

test("a bad canary halts, names the server and the code, and waits for a person", () => {
  const targets = [target(1, 0, "bad", { code: "apply.probe_failed" }), target(2, 1, "waiting")];
  const action = nextRolloutAction(progress(targets), NOW);
  expect(action).toMatchObject({ kind: "halt", code: "rollout.server_did_not_take_it" });
  expect(action.kind === "halt" && action.message).toContain("web-1 in wave 1");
  expect(action.kind === "halt" && action.message).toContain("apply.probe_failed");
});

test("no more than the floor allows are under way at once, those of other rollouts counted", () => {
  const targets = [1, 2, 3, 4, 5].map((index) => target(index, 0, index === 1 ? "under_way" : "waiting"));
  const settings = { ...DEFAULT_WAVES, atOnce: 4 };
  expect(nextRolloutAction(progress(targets, { settings, underWayElsewhere: 1 }), NOW)).toEqual({
    kind: "dispatch",
    serverIds: ["s2", "s3"],
  });
  expect(nextRolloutAction(progress(targets, { settings, underWayElsewhere: 3 }), NOW)).toEqual({ kind: "nothing" });
});

test("paused, halted and done rollouts do nothing; a finished one finishes once", () => {
  for (const state of ["PAUSED", "HALTED", "DONE"] as const) {
    expect(nextRolloutAction(progress([target(1, 0, "waiting")], { state }), NOW)).toEqual({ kind: "nothing" });
  }
  expect(nextRolloutAction(progress([target(1, 0, "good"), target(2, 0, "withdrawn")]), NOW)).toEqual({
    kind: "finish",
  });
});

test("R1, R2, R3 whatever the servers came to", () => {
  const anyTarget = fc.record({ wave: fc.integer({ min: 0, max: 3 }), status: fc.constantFrom(...TARGET_STATUSES) });
  fc.assert(
    fc.property(
      fc.array(anyTarget, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 6 }),
      (list, currentWave, atOnce, underWayElsewhere) => {
        const targets = list.map((item, index) => target(index, item.wave, item.status));
        const action = nextRolloutAction(
          progress(targets, { currentWave, settings: { ...DEFAULT_WAVES, atOnce }, underWayElsewhere }),
          NOW,
        );
        expect(action.kind === "halt").toBe(targets.some((item) => item.status === "bad"));
        if (action.kind === "dispatch") {
          const underWay = targets.filter((item) => item.status === "under_way").length;
          expect(action.serverIds.length + underWay + underWayElsewhere).toBeLessThanOrEqual(atOnce);
          for (const id of action.serverIds)
            expect(targets.find((item) => item.serverId === id)?.wave).toBeLessThanOrEqual(currentWave);
        }
        if (action.kind === "next_wave") {
          expect(
            targets.some(
              (item) => item.wave < action.wave && (item.status === "waiting" || item.status === "under_way"),
            ),
          ).toBe(false);
        }
      },
    ),
    { numRuns: 500 },
  );
});
