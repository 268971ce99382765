import type { RouteName } from "@holdfast/core/api/route.ts";
import { refuse } from "./answer.ts";
import type { MockCall, MockHandler } from "./call.ts";
import { abortScript, confirmScript, SCRIPTS } from "./script.ts";
import { type MockApply, type MockRollout, nextId } from "./state.ts";
import { applyDetail, applySummary, rolloutView } from "./view.ts";

function applyOf({ state, params }: MockCall): MockApply {
  return (
    state.applies.find((one) => one.base.id === params["id"]) ??
    refuse("resource.not_found", "There is no such apply, or you may not see it.")
  );
}

function rolloutOf({ state, params }: MockCall): MockRollout {
  return (
    state.rollouts.find((one) => one.id === params["id"]) ??
    refuse("resource.not_found", "There is no such rollout, or you may not see it.")
  );
}

/** The same reasons that the buttons show. */
function allowed(call: MockCall, act: "confirm" | "abort" | "retry" | "rollback" | "forceClose"): MockApply {
  const apply = applyOf(call);
  const reason = applyDetail(call.state, apply, call.nowMs).actions[act];
  if (reason !== null) refuse("apply.not_now", reason);
  return apply;
}

function again(call: MockCall, apply: MockApply, kind: "forward" | "rollback"): MockRollout {
  const { state, user, nowMs } = call;
  const rollout: MockRollout = {
    id: nextId(state, "rollout"),
    changeId: apply.base.changeId,
    kind,
    requestedBy: user.name,
    createdAt: new Date(nowMs).toISOString(),
    waves: [[apply.base.server]],
    state: "RUNNING",
    haltMessage: null,
    finishedAt: null,
  };
  state.rollouts.push(rollout);
  state.applies.push({
    base: {
      ...apply.base,
      id: nextId(state, "apply"),
      rolloutId: rollout.id,
      requestedBy: user.name,
      requestedAt: rollout.createdAt,
      retryOf: kind === "forward" ? apply.base.id : null,
      retryCount: apply.base.retryCount + (kind === "forward" ? 1 : 0),
      requestId: nextId(state, "request"),
    },
    startMs: nowMs,
    windowSeconds: 60,
    kind,
    // Whatever was wrong has been mended: a retry goes well.
    script: SCRIPTS.good,
  });
  return rollout;
}

const detail = (call: MockCall, apply: MockApply) => ({
  status: 202,
  body: applyDetail(call.state, apply, call.nowMs),
});

export const APPLY_HANDLERS = {
  listApplies: ({ state, query, nowMs }) => {
    const items = state.applies
      .map((apply) => applySummary(apply, nowMs))
      .filter(
        (apply) =>
          (query.get("state") ?? apply.state) === apply.state && (query.get("server") ?? apply.server) === apply.server,
      )
      .toSorted((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1));
    return { status: 200, body: { items, nextCursor: null } };
  },
  getApply: (call) => ({ status: 200, body: applyDetail(call.state, applyOf(call), call.nowMs) }),
  confirmApply: (call) => {
    const apply = allowed(call, "confirm");
    apply.script = confirmScript(apply.script, call.nowMs - apply.startMs);
    return detail(call, apply);
  },
  abortApply: (call) => {
    const apply = allowed(call, "abort");
    apply.script = abortScript(apply.script, call.nowMs - apply.startMs);
    return detail(call, apply);
  },
  retryApply: (call) => ({
    status: 202,
    body: rolloutView(call.state, again(call, allowed(call, "retry"), "forward"), call.nowMs),
  }),
  rollbackApply: (call) => ({
    status: 202,
    body: rolloutView(call.state, again(call, allowed(call, "rollback"), "rollback"), call.nowMs),
  }),
  forceCloseApply: (call) => {
    const apply = allowed(call, "forceClose");
    const atMs = call.nowMs - apply.startMs;
    apply.script = [
      ...apply.script,
      {
        afterMs: atMs,
        state: "FAILED",
        phase: null,
        serverIs: "unknown",
        effect: "unknown",
        code: "apply.forced_closed",
        message: "An operator gave up on it.",
      },
    ];
    return detail(call, apply);
  },
  listRollouts: ({ state, nowMs }) => ({
    status: 200,
    body: { items: state.rollouts.map((rollout) => rolloutView(state, rollout, nowMs)).toReversed(), nextCursor: null },
  }),
  getRollout: (call) => ({ status: 200, body: rolloutView(call.state, rolloutOf(call), call.nowMs) }),
  pauseRollout: (call) => {
    const rollout = rolloutOf(call);
    rollout.state = "PAUSED";
    return { status: 200, body: rolloutView(call.state, rollout, call.nowMs) };
  },
  resumeRollout: (call) => {
    const rollout = rolloutOf(call);
    rollout.state = "RUNNING";
    return { status: 200, body: rolloutView(call.state, rollout, call.nowMs) };
  },
  haltRollout: (call) => {
    const rollout = rolloutOf(call);
    Object.assign(rollout, {
      state: "HALTED",
      haltMessage: `Halted by ${call.user.name}: ${String(call.body["reason"])}`,
      finishedAt: new Date(call.nowMs).toISOString(),
    });
    return { status: 200, body: rolloutView(call.state, rollout, call.nowMs) };
  },
} as const satisfies Partial<Record<RouteName, MockHandler>>;
