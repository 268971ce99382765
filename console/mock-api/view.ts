import type { ApplyDetail, ApplySummary } from "@holdfast/core/api/apply.ts";
import type { ChangeDetail, ChangeSummary, Rollout } from "@holdfast/core/api/change.ts";
import type { ServerDetail, ServerSummary } from "@holdfast/core/api/server.ts";
import { isOpen } from "@holdfast/core/apply/state.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import type { Moment } from "./script.ts";
import type { MockApply, MockChange, MockDocument, MockRollout, MockServer, MockState } from "./state.ts";

const iso = (ms: number): string => new Date(ms).toISOString();

export function momentAt(apply: MockApply, nowMs: number): Moment {
  const passed = apply.script.filter((moment) => moment.afterMs <= nowMs - apply.startMs);
  const moment = passed.at(-1) ?? apply.script[0];
  if (moment === undefined) throw new Error("a script has at least one moment");
  return moment;
}

export function applySummary(apply: MockApply, nowMs: number): ApplySummary {
  const moment = momentAt(apply, nowMs);
  const isEnded = !isOpen(moment.state);
  const onTrial = moment.phase === "on_trial" || moment.phase === "in_doubt" || moment.phase === "confirming";
  const state = apply.kind === "rollback" && moment.state === "APPLIED" ? "ROLLED_BACK" : moment.state;
  return {
    ...apply.base,
    state,
    phase: moment.phase,
    effect: moment.effect ?? null,
    serverIs: moment.serverIs,
    code: moment.code ?? null,
    message: moment.message ?? null,
    startedAt: iso(apply.startMs),
    finishedAt: isEnded ? iso(apply.startMs + moment.afterMs) : null,
    deadlineAt: onTrial ? iso(apply.startMs + 2200 + apply.windowSeconds * 1000) : null,
    lastStep: moment.lastStep ?? null,
    waitingFor: moment.waitingFor ?? null,
  };
}

const ENDED = "The apply has ended.";
const UNDER_WAY = "The apply is still under way.";

export function applyDetail(state: MockState, apply: MockApply, nowMs: number): ApplyDetail {
  const summary = applySummary(apply, nowMs);
  const open = isOpen(summary.state);
  const passed = apply.script.filter((moment) => moment.afterMs <= nowMs - apply.startMs);
  const onTrial = summary.phase === "on_trial";
  const outcome = open
    ? null
    : summary.state === "APPLIED"
      ? "finalized"
      : summary.state === "ROLLED_BACK"
        ? "reverted"
        : "refused";
  return {
    ...summary,
    planId: "019ab000-0000-7000-8000-0000000000aa",
    revisions: [{ kind: "Policy", name: "web-host", revision: 3 }],
    fence: 12,
    leaseOwner: open ? "control-a" : null,
    events: passed.map((moment, index) => ({
      at: iso(apply.startMs + moment.afterMs),
      fromState: index === 0 ? "READY" : (passed[index - 1]?.state ?? null),
      toState: moment.state,
      phase: moment.phase,
      code: moment.code ?? null,
      message: moment.message ?? moment.waitingFor ?? moment.lastStep ?? null,
      actor: index === 0 ? apply.base.requestedBy : moment.phase === "reverting" ? "the server" : "control-a",
      requestId: apply.base.requestId,
    })),
    transactions: [
      {
        requestId: apply.base.requestId ?? "",
        kind: apply.kind,
        fence: 12,
        outcome,
        outcomeCode: summary.code,
        receipt: null,
        traceId: "0af7651916cd43dd8448eb211c80319c",
        links: {
          logs: `https://logs.example/search?q=${apply.base.requestId ?? ""}`,
          trace: "https://traces.example/trace/0af7651916cd43dd8448eb211c80319c",
        },
        probes: [
          {
            id: "tcp/22 from the control plane",
            origin: "Floor/operations",
            expected: "open",
            before: "open",
            after: passed.length > 5 ? "open" : null,
          },
          {
            id: "tcp/443 from the control plane",
            origin: "Policy/web-host expect[0]",
            expected: "open",
            before: "open",
            after: passed.length > 5 ? (summary.code === "apply.probe_failed" ? "closed" : "open") : null,
          },
        ],
        createdAt: iso(apply.startMs),
        finishedAt: summary.finishedAt,
      },
    ],
    actions: {
      confirm: onTrial
        ? apply.script.some((moment) => moment.waitingFor === "a person to press Confirm")
          ? null
          : "It is confirmed by machine, when the probes pass."
        : open
          ? "It is not on trial."
          : ENDED,
      abort: open ? (summary.state === "ROLLBACKING" ? "It is going back already." : null) : ENDED,
      retry: open ? UNDER_WAY : summary.state === "APPLIED" ? "It was applied." : lockReason(state, summary.server),
      rollback: open
        ? UNDER_WAY
        : summary.state === "APPLIED" || (summary.state === "FAILED" && summary.effect !== "none")
          ? null
          : "There is nothing to roll back: the server is as before.",
      forceClose: summary.phase === "in_doubt" ? null : "Only an apply that is in doubt is given up.",
    },
  };
}

function lockReason(state: MockState, server: string): string | null {
  return state.servers.find((one) => one.name === server)?.locked === null
    ? null
    : "The server is locked. Unlock it first.";
}

export function serverSummary(state: MockState, server: MockServer, nowMs: number): ServerSummary {
  const own = state.applies
    .filter((apply) => apply.base.server === server.name)
    .map((apply) => applySummary(apply, nowMs))
    .toSorted((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1));
  const {
    agentVersion: _a,
    bootId: _b,
    capabilities: _c,
    facts: _f,
    quarantined: _q,
    pendingKey: _p,
    etag: _e,
    ...rest
  } = server;
  return {
    ...rest,
    lastSeenAt: server.connected ? iso(nowMs - 2000) : server.lastSeenAt,
    open: own.find((apply) => isOpen(apply.state)) ?? null,
    lastSuccess: own.find((apply) => apply.state === "APPLIED") ?? null,
    lastFailure: own.find((apply) => apply.state === "FAILED" || apply.state === "ROLLED_BACK") ?? null,
  };
}

export function serverDetail(state: MockState, server: MockServer, nowMs: number): ServerDetail {
  return { ...server, ...serverSummary(state, server, nowMs), policies: policiesOf(state, server) };
}

export function policiesOf(state: MockState, server: MockServer): ServerDetail["policies"] {
  if (server.enrolment !== "enrolled") return [];
  return state.documents
    .filter((document) => document.kind !== "Server" && concerns(document, server))
    .map(({ kind, name, revisions }) => ({
      kind,
      name,
      revision: kind === "Policy" && server.name === "web-3" ? Math.max(1, revisions.length - 1) : revisions.length,
    }));
}

/** By the selector's text alone: enough for one label. */
export function concernsText(text: string, server: MockServer): boolean {
  const selector = /^selector: \{ *(\w+): *([\w-]+) *\}/m.exec(text);
  if (selector === null) return /^labels:/m.test(text) ? new RegExp(`^name: ${server.name}$`, "m").test(text) : true;
  return selector[1] === "all" || server.labels[selector[1] ?? ""] === selector[2];
}

function concerns(document: MockDocument, server: MockServer): boolean {
  const text = document.revisions.at(-1)?.text ?? "";
  return document.kind === "Group" ? server.labels["role"] === "web" : concernsText(text, server);
}

export function changeSummary(state: MockState, change: MockChange, nowMs: number): ChangeSummary {
  const counts: Record<string, number> = {};
  for (const apply of state.applies.filter((one) => one.base.changeId === change.id)) {
    const { state: now } = applySummary(apply, nowMs);
    counts[now] = (counts[now] ?? 0) + 1;
  }
  const [only] = Object.keys(counts);
  const { id, title, reason, author, createdAt } = change;
  const began = only === undefined ? change.state : (only as ChangeSummary["state"]);
  return {
    id,
    title,
    reason,
    author,
    createdAt,
    state: began,
    items: change.items.map(({ kind, name, text, baseText }) => ({
      kind,
      name,
      action: text === null ? "delete" : baseText === null ? "create" : "edit",
    })),
    counts,
  };
}

export function changeDetail(state: MockState, change: MockChange, nowMs: number): ChangeDetail {
  const applies = state.applies
    .filter((apply) => apply.base.changeId === change.id)
    .map((apply) => applySummary(apply, nowMs));
  const begun = applies.length > 0;
  const begunReason = "It has been applied already. Make a new change.";
  const withdrawn = change.state === "CANCELLED" ? "It was withdrawn." : null;
  const summary = changeSummary(state, change, nowMs);
  return {
    ...summary,
    content: change.items.map((item) => ({ ...item, revision: begun ? item.baseRevision + 1 : null })),
    findings: change.items.flatMap((item) =>
      item.text === null
        ? []
        : parseDocuments(item.text, { domains: DOMAIN_LANGUAGES }).findings.map((finding) => ({ ...finding })),
    ),
    plans: [...change.plans],
    applies,
    rolloutIds: change.rolloutIds,
    digest: `c4a9${change.version}`,
    approvals: { needed: 0, because: [], given: [], ...change.approvals },
    actions: {
      edit: begun ? begunReason : withdrawn,
      plan: begun ? begunReason : withdrawn,
      apply: begun ? begunReason : (withdrawn ?? (change.plans.length === 0 ? "Plan the change first." : null)),
      withdraw: begun ? begunReason : withdrawn,
      rollback: summary.state === "APPLIED" ? null : "Only an applied change is rolled back.",
      approve: change.approvals === undefined ? "No approval is needed." : null,
      withdrawApproval: begun ? begunReason : withdrawn,
      breakGlass: "It needs no approval; there is no glass to break.",
    },
    etag: String(change.version),
  };
}

export function rolloutView(state: MockState, rollout: MockRollout, nowMs: number): Rollout {
  const applies = state.applies.filter((apply) => apply.base.rolloutId === rollout.id);
  const waves = rollout.waves.map((servers, wave) => ({
    wave,
    servers: servers.map((server) => {
      const apply = applies.find((one) => one.base.server === server);
      return { server, apply: apply === undefined ? null : applySummary(apply, nowMs) };
    }),
  }));
  const currentWave = Math.max(
    0,
    waves.findLastIndex(({ servers }) => servers.some(({ apply }) => apply !== null)),
  );
  const ended = rollout.state === "DONE" || rollout.state === "HALTED" ? "The rollout has ended." : null;
  return {
    id: rollout.id,
    changeId: rollout.changeId,
    kind: rollout.kind,
    state: rollout.state,
    haltCode: rollout.haltMessage === null ? null : "rollout.server_did_not_take_it",
    haltMessage: rollout.haltMessage,
    waves,
    breakGlass: null,
    currentWave,
    requestedBy: rollout.requestedBy,
    createdAt: rollout.createdAt,
    finishedAt: rollout.finishedAt,
    actions: {
      pause: ended ?? (rollout.state === "PAUSED" ? "It is paused already." : null),
      resume: ended ?? (rollout.state === "PAUSED" ? null : "It is not paused."),
      halt: ended,
    },
  };
}
