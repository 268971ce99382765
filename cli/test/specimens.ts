import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import type { ChangeDetail, Plan, Rollout } from "@holdfast/core/api/change.ts";

const AT = "2026-01-02T03:04:00.000Z";

export function plan(over: Partial<Plan> = {}): Plan {
  return {
    id: "plan-1",
    changeId: "change-1",
    server: "web-1",
    kind: "forward",
    status: "planned",
    takesOver: false,
    planDigest: "d1",
    configDigest: "c1",
    baseGeneration: 1,
    steps: [{ id: "firewall.batch", domain: "firewall", title: "Firewall: add inbound rule web", budgetMs: 1000 }],
    nativeDiff: { firewall: "--- live\n+++ desired\n+ tcp dport 80 accept\n" },
    findings: [],
    probes: [],
    touchesManagementPath: false,
    trial: { reconnectSeconds: 15, soakSeconds: 0, windowSeconds: 120, confirm: "machine" },
    createdAt: AT,
    ...over,
  };
}

export const danger: Plan["findings"][number] = {
  severity: "danger",
  code: "compose.expect_broken",
  path: "expect[0]",
  message: "Expected open, but it is closed.",
  remedy: "Change the rules.",
};

export function change(plans: readonly Plan[], over: Partial<ChangeDetail> = {}): ChangeDetail {
  return {
    id: "change-1",
    title: "t",
    reason: "",
    state: "READY",
    author: "admin",
    createdAt: AT,
    items: [{ kind: "Policy", name: "web-host", action: "edit" }],
    counts: {},
    content: [],
    findings: [],
    plans: [...plans],
    applies: [],
    rolloutIds: [],
    digest: "digest-1",
    approvals: { needed: 0, because: [], given: [] },
    actions: {
      edit: null,
      plan: null,
      apply: null,
      withdraw: null,
      rollback: null,
      approve: null,
      withdrawApproval: null,
      breakGlass: null,
    },
    etag: "1",
    ...over,
  };
}

export function apply(over: Partial<ApplySummary> = {}): ApplySummary {
  return {
    id: "apply-1",
    changeId: "change-1",
    changeTitle: "t",
    rolloutId: "rollout-1",
    server: "web-1",
    wave: 0,
    state: "APPLIED",
    phase: null,
    effect: null,
    serverIs: "as_requested",
    code: null,
    message: null,
    requestedBy: "admin",
    requestedAt: AT,
    startedAt: AT,
    finishedAt: AT,
    deadlineAt: null,
    lastStep: null,
    waitingFor: null,
    retryOf: null,
    retryCount: 0,
    requestId: null,
    ...over,
  };
}

export function rollout(one: ApplySummary | null, over: Partial<Rollout> = {}): Rollout {
  return {
    id: "rollout-1",
    changeId: "change-1",
    kind: "forward",
    state: "DONE",
    haltCode: null,
    haltMessage: null,
    waves: [{ wave: 0, servers: [{ server: "web-1", apply: one }] }],
    breakGlass: null,
    currentWave: 0,
    requestedBy: "admin",
    createdAt: AT,
    finishedAt: AT,
    actions: { pause: null, resume: null, halt: null },
    ...over,
  };
}
