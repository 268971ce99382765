import { isOpen } from "@holdfast/core/apply/state.ts";
import { scriptFor, SCRIPTS, WINDOW_SECONDS } from "./script.ts";
import { type MockApply, type MockChange, type MockRollout, type MockState, nextId } from "./state.ts";
import { applySummary } from "./view.ts";

/** What the real control plane does by itself: opens waves, halts at the first bad end, makes revisions of what was applied. */
export function advance(state: MockState, nowMs: number): void {
  for (const rollout of state.rollouts) {
    if (rollout.state !== "RUNNING") continue;
    const change = state.changes.find((one) => one.id === rollout.changeId);
    if (change !== undefined) advanceRollout(state, rollout, change, nowMs);
  }
}

function advanceRollout(state: MockState, rollout: MockRollout, change: MockChange, nowMs: number): void {
  const wanted = rollout.kind === "forward" ? "APPLIED" : "ROLLED_BACK";
  for (const [wave, servers] of rollout.waves.entries()) {
    const begun = servers.map((server) =>
      state.applies.find((apply) => apply.base.rolloutId === rollout.id && apply.base.server === server),
    );
    if (begun.some((apply) => apply === undefined)) {
      for (const server of servers) state.applies.push(newApply(state, rollout, change, server, wave, nowMs));
      return;
    }
    const applies = begun.filter((apply) => apply !== undefined).map((apply) => applySummary(apply, nowMs));
    if (applies.some((apply) => isOpen(apply.state))) return;
    const bad = applies.find((apply) => apply.state !== wanted);
    if (bad !== undefined) {
      rollout.state = "HALTED";
      rollout.haltMessage = `${bad.server} in wave ${wave + 1} did not take it (${bad.code ?? bad.state}). Nothing more is started.`;
      rollout.finishedAt = new Date(nowMs).toISOString();
      return;
    }
  }
  rollout.state = "DONE";
  rollout.finishedAt = new Date(nowMs).toISOString();
  if (rollout.kind === "forward") keepRevisions(state, change, nowMs);
}

function newApply(
  state: MockState,
  rollout: MockRollout,
  change: MockChange,
  server: string,
  wave: number,
  nowMs: number,
): MockApply {
  const script = scriptFor(change.items.map((item) => item.text ?? ""));
  return {
    base: {
      id: nextId(state, "apply"),
      changeId: change.id,
      changeTitle: change.title,
      rolloutId: rollout.id,
      server,
      wave,
      requestedBy: rollout.requestedBy,
      requestedAt: new Date(nowMs).toISOString(),
      retryOf: null,
      retryCount: 0,
      requestId: nextId(state, "request"),
    },
    startMs: nowMs,
    windowSeconds: WINDOW_SECONDS[script],
    kind: rollout.kind,
    script: SCRIPTS[script],
  };
}

function keepRevisions(state: MockState, change: MockChange, nowMs: number): void {
  for (const item of change.items) {
    let document = state.documents.find((one) => one.kind === item.kind && one.name === item.name);
    if (document === undefined) {
      document = { kind: item.kind, name: item.name, revisions: [] };
      state.documents.push(document);
    }
    if (document.revisions.at(-1)?.text === item.text) continue;
    document.revisions.push({
      revision: document.revisions.length + 1,
      text: item.text,
      author: change.author,
      at: new Date(nowMs).toISOString(),
      changeId: change.id,
      comment: change.title,
    });
  }
}
