import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import { byDanger } from "@holdfast/core/base/finding.ts";
import type { ChangeId, Digest, Generation, PlanId, UserId } from "@holdfast/core/base/id.ts";
import type { ToldByModule } from "@holdfast/core/compose/kernel-setting.ts";
import { type DomainName, DOMAINS } from "@holdfast/core/domain.ts";
import { familyProbes } from "@holdfast/core/plan/floor-probe.ts";
import { fullSizeProbes, type Probe } from "@holdfast/core/plan/probe.ts";
import { REMOVES_MUCH } from "@holdfast/core/plan/removes-much.ts";
import type { PlanResponse } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { Asked } from "../gateway/switchboard.ts";
import { newId } from "../store/new-id.ts";
import type { NewPlan } from "../store/plans.ts";
import type { RevisionRef } from "../store/tables.ts";
import { readFinding } from "./ask-agent.ts";
import { type Composition, sha256 } from "./compose-for.ts";
import { planningFinding } from "./planning-findings.ts";

export interface PlanContext {
  readonly changeId: ChangeId;
  readonly kind: NewPlan["kind"];
  readonly createdBy: UserId | null;
  readonly beforeRefs: readonly RevisionRef[];
  /** What the control plane itself has found. */
  readonly findings: readonly Finding[];
}

/** A plan from what was composed and what the agent said of it; `asked` null: nobody needed to ask. */
export function planRow(composition: Composition, asked: Asked<PlanResponse> | null, context: PlanContext): NewPlan {
  const { server, composed, config, selected } = composition;
  const base = {
    id: newId<PlanId>(),
    change_id: context.changeId,
    server_id: server.id,
    kind: context.kind,
    config: config?.text ?? null,
    config_digest: config?.digest ?? null,
    provenance: composed.provenance,
    revisions: selected.refs,
    before_revisions: context.beforeRefs,
    plan_digest: null,
    base_digest: null,
    base_generation: null,
    steps: [],
    native_diff: {},
    probes: composed.config?.probes ?? [],
    touches_management_path: false,
    created_by: context.createdBy,
  } as const;
  const own = [...context.findings, ...composed.findings];
  const refusedHere = config === null || own.some((finding) => finding.severity === "error");
  if (asked === null || (refusedHere && asked.kind === "unreachable")) {
    const answer = { ...base, findings: own.toSorted(byDanger), base_generation: server.generation };
    if (refusedHere || config === null) return { ...answer, status: "refused" };
    return { ...answer, status: "nothing_to_do", plan_digest: nothingDigest(config.digest, selected.refs) };
  }
  if (asked.kind === "unreachable") {
    const away = planningFinding("plan.unreachable", `${server.name} could not be asked: ${asked.why}.`);
    return { ...base, status: "unreachable", findings: [away, ...own].toSorted(byDanger) };
  }
  const answer = asked.value;
  const drift = answer.drift.map((domain) =>
    planningFinding(
      "plan.overwrites_drift",
      `${domain} of ${server.name} was changed by hand since it was confirmed; this plan overwrites that.`,
      domain,
    ),
  );
  const findings = [
    ...own,
    ...drift,
    ...answer.findings
      .map(readFinding)
      .filter((told) => !isSettled(told, composed.settled))
      .map((told) => asToldOf(context.kind, told)),
  ].toSorted(byDanger);
  const isRefused = findings.some((finding) => finding.severity === "error");
  const changes = (name: DomainName): boolean => answer.steps.some(({ domain }) => domain === name);
  // What does not touch a way lets large packets through as it did before.
  const changesWays = answer.touchesManagementPath || changes("network") || changes("vpn");
  const path = composed.config?.managementPath ?? { controlPlane: [], inbound: [] };
  const probes = [
    ...base.probes,
    ...familyProbes(path, keptAddresses(composition, changes("network"))),
    ...(changesWays ? fullSizeProbes(base.probes, path.controlPlane) : []),
  ];
  return {
    ...base,
    probes: changes("vpn") ? probes : probes.map(leftAlone),
    status: isRefused ? "refused" : "planned",
    findings,
    // What cannot be applied has nothing that anybody could agree to.
    plan_digest: isRefused ? null : (answer.planDigest as Digest),
    base_digest: answer.baseDigest as Digest,
    base_generation: Number(answer.baseGeneration) as Generation,
    steps: answer.steps.flatMap(({ id, domain: word, title, budgetMs }) => {
      const domain = DOMAINS.find((name) => name === word);
      return domain === undefined ? [] : [{ id, domain, title, budgetMs: Number(budgetMs) }];
    }),
    native_diff: { ...answer.nativeDiff },
    touches_management_path: answer.touchesManagementPath,
  };
}

/**
 * Where its document says that it is reached. Where that says nothing: what it has, as long as nothing of its network changes, for then an address
 * may go on purpose.
 */
function keptAddresses({ server, selected }: Composition, networkChanges: boolean): readonly string[] {
  const said = selected.documents.flatMap(({ document }) =>
    document.kind === "Server" && document.name === server.name ? document.body.addresses : [],
  );
  return said.length > 0 || networkChanges ? said : server.observedAddresses;
}

function isSettled({ code, path }: Finding, settled: readonly ToldByModule[]): boolean {
  return settled.some((one) => one.code === code && one.path === path);
}

/** A rollback takes away what its change has brought, however much: that is what was asked for. */
function asToldOf(kind: NewPlan["kind"], told: Finding): Finding {
  return kind === "rollback" && told.code === REMOVES_MUCH ? { ...told, severity: "warning" } : told;
}

/** A tunnel that is down already must not keep a change from a server that has nothing to do with it. */
function leftAlone(probe: Probe): Probe {
  return probe.mustHold === true ? { ...probe, mustHold: false } : probe;
}

/** What somebody agrees to who applies a plan that asks nothing of the server: these revisions are in force from then on. */
function nothingDigest(configDigest: string, refs: readonly RevisionRef[]): Digest {
  return sha256(canonicalJson({ config_digest: configDigest, revisions: refs.map((ref) => ({ ...ref })) }));
}
