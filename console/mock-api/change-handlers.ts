import type { RouteName } from "@holdfast/core/api/route.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { advance } from "./advance.ts";
import { type MockAnswer, refuse } from "./answer.ts";
import type { MockCall, MockHandler } from "./call.ts";
import { mockPlan } from "./plan.ts";
import { type MockChange, type MockItem, type MockRollout, nextId } from "./state.ts";
import { changeDetail, changeSummary, concernsText, rolloutView } from "./view.ts";

interface Edit {
  readonly documents: readonly { readonly text: string; readonly baseRevision?: number }[];
  readonly deletes: readonly { readonly kind: string; readonly name: string; readonly baseRevision?: number }[];
}

function itemsOf({ state }: MockCall, { documents, deletes }: Edit): readonly MockItem[] {
  const head = (
    kind: string,
    name: string,
    seen: number | undefined,
  ): Pick<MockItem, "kind" | "name" | "baseRevision" | "baseText"> => {
    const newest = state.documents.find((one) => one.kind === kind && one.name === name)?.revisions.at(-1);
    const revision = newest?.revision ?? 0;
    if (seen !== undefined && seen !== revision)
      refuse(
        "change.base_moved",
        `${kind}/${name} is at revision ${revision}, by ${newest?.author ?? "nobody"}; this change was begun on revision ${seen}.`,
      );
    return { kind, name, baseRevision: revision, baseText: newest?.text ?? null };
  };
  const written = documents.flatMap(({ text, baseRevision }) => {
    const read = parseDocuments(text, { domains: DOMAIN_LANGUAGES });
    const errors = read.findings.filter(({ severity }) => severity === "error");
    if (errors.length > 0)
      refuse(
        "change.invalid",
        "The documents cannot be applied.",
        errors.map((finding) => ({ ...finding })),
      );
    return read.documents.map(({ kind, name, text: own }) => ({ ...head(kind, name, baseRevision), text: own }));
  });
  return [
    ...written,
    ...deletes.map(({ kind, name, baseRevision }) => ({ ...head(kind, name, baseRevision), text: null })),
  ];
}

function changeOf({ state, params }: MockCall): MockChange {
  return (
    state.changes.find((one) => one.id === params["id"]) ??
    refuse("resource.not_found", "There is no such change, or you may not see it.")
  );
}

/** A change whose title has these words is under a floor that asks for a second factor. */
const ASKS_AGAIN = "as if a floor asked again";

function askAgain(call: MockCall): void {
  const { state, session } = call;
  if (changeOf(call).title.includes(ASKS_AGAIN) && !state.fresh.has(session ?? ""))
    refuse(
      "access.step_up_needed",
      "The floor asks for a second factor shown within 15m; none was shown in this session.",
    );
}

function planned(call: MockCall, change: MockChange, kind: "forward" | "rollback"): MockAnswer {
  const { state, nowMs } = call;
  const servers = state.servers.filter(
    (server) =>
      server.enrolment === "enrolled" &&
      change.items.some((item) => concernsText(item.text ?? item.baseText ?? "", server)),
  );
  change.plans = servers.map((server) => {
    const item = change.items.find((one) => concernsText(one.text ?? one.baseText ?? "", server));
    const [before, after] = [item?.baseText ?? "", item?.text ?? ""];
    return mockPlan({
      id: nextId(state, "plan"),
      changeId: change.id,
      server: server.name,
      kind,
      before: kind === "forward" ? before : after,
      after: kind === "forward" ? after : before,
      reachable: server.connected,
      nowIso: new Date(nowMs).toISOString(),
    });
  });
  if (change.state === "DRAFT") change.state = "READY";
  change.version += 1;
  return { status: 200, body: changeDetail(state, change, nowMs) };
}

function begin(call: MockCall, kind: "forward" | "rollback"): MockAnswer {
  const { state, user, nowMs, body } = call;
  const change = changeOf(call);
  const wanted = body["plans"] as readonly { planId: string; planDigest: string }[];
  const plans = wanted.map(
    ({ planId, planDigest }) =>
      change.plans.find((plan) => plan.id === planId && plan.planDigest === planDigest) ??
      refuse("change.plan_unknown", "A plan is not the one that was reviewed."),
  );
  const acknowledged = body["acknowledge"] as readonly { server: string; code: string }[];
  for (const plan of plans) {
    for (const finding of plan.findings) {
      if (
        finding.severity === "danger" &&
        !acknowledged.some((one) => one.server === plan.server && one.code === finding.code)
      )
        refuse("change.danger_not_acknowledged", `${finding.code} on ${plan.server} has not been acknowledged.`);
    }
  }
  const [first, ...rest] = plans.map((plan) => plan.server);
  if (first === undefined) return refuse("change.empty", "There is no plan to apply.");
  const rollout: MockRollout = {
    id: nextId(state, "rollout"),
    changeId: change.id,
    kind,
    requestedBy: user.name,
    createdAt: new Date(nowMs).toISOString(),
    waves: rest.length === 0 ? [[first]] : [[first], rest],
    state: "RUNNING",
    haltMessage: null,
    finishedAt: null,
  };
  state.rollouts.push(rollout);
  change.rolloutIds.push(rollout.id);
  change.plans = [];
  state.audit.push({
    at: new Date(nowMs).toISOString(),
    actor: user.name,
    action: "change.apply",
    object: change.id,
    server: null,
    requestId: null,
    resultCode: "ok",
    new: { title: change.title },
  });
  advance(state, nowMs);
  return { status: 202, body: rolloutView(state, rollout, nowMs) };
}

export const CHANGE_HANDLERS = {
  listChanges: ({ state, nowMs }) => ({
    status: 200,
    body: {
      items: state.changes
        .map((change) => changeSummary(state, change, nowMs))
        .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)),
      nextCursor: null,
    },
  }),
  createChange: (call) => {
    const { state, user, nowMs, body } = call;
    const change: MockChange = {
      id: nextId(state, "change"),
      title: String(body["title"]),
      reason: String(body["reason"]),
      author: user.name,
      createdAt: new Date(nowMs).toISOString(),
      state: "DRAFT",
      items: itemsOf(call, body as unknown as Edit),
      plans: [],
      rolloutIds: [],
      version: 1,
    };
    state.changes.push(change);
    return { status: 201, body: changeDetail(state, change, nowMs) };
  },
  getChange: (call) => ({ status: 200, body: changeDetail(call.state, changeOf(call), call.nowMs) }),
  editChange: (call) => {
    const change = changeOf(call);
    if (call.ifMatch !== String(change.version)) return refuse("etag.moved", "The change was edited meanwhile.");
    change.items = itemsOf(call, call.body as unknown as Edit);
    change.plans = [];
    change.version += 1;
    return { status: 200, body: changeDetail(call.state, change, call.nowMs) };
  },
  planChange: (call) => planned(call, changeOf(call), "forward"),
  planRollback: (call) => planned(call, changeOf(call), "rollback"),
  applyChange: (call) => {
    askAgain(call);
    return begin(call, "forward");
  },
  rollbackChange: (call) => {
    askAgain(call);
    return begin(call, "rollback");
  },
  withdrawChange: (call) => {
    changeOf(call).state = "CANCELLED";
    return { status: 200, body: { done: true } };
  },
  approveChange: (call) => {
    const change = changeOf(call);
    if (change.approvals === undefined) return refuse("change.not_now", "No approval is needed.");
    if (change.author === call.user.name) return refuse("change.approval_of_own", "You are the author of this change.");
    change.approvals.given.push({ user: call.user.name, at: new Date(call.nowMs).toISOString() });
    return { status: 200, body: changeDetail(call.state, change, call.nowMs) };
  },
  withdrawApproval: (call) => {
    const change = changeOf(call);
    const at = change.approvals?.given.findIndex(({ user }) => user === call.user.name) ?? -1;
    if (at < 0) return refuse("resource.not_found", "There is no approval of yours of this change.");
    change.approvals?.given.splice(at, 1);
    return { status: 200, body: { done: true } };
  },
} as const satisfies Partial<Record<RouteName, MockHandler>>;
