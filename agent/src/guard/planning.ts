import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { byDanger, SEVERITIES, type Finding } from "@holdfast/core/base/finding.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import { transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { removesMuch } from "@holdfast/core/plan/removes-much.ts";
import type { ModulePlanResponse } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import type { FindingMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { digestOf } from "../digest.ts";
import { readLocalFloor, unitePaths } from "../management-path.ts";
import { ConfigShelf } from "./config-shelf.ts";
import type { GuardContext } from "./context.ts";
import type { GuardConfig } from "./effective-config.ts";
import { MODULE_READ_TIMEOUT_MS } from "./modules.ts";

export interface PlannedDomain {
  readonly domain: DomainName;
  readonly configJson: string;
  readonly confirmedJson: string;
  readonly managementPathJson: string;
  readonly plan: ModulePlanResponse;
}

export interface GuardPlan {
  readonly planDigest: string;
  readonly baseDigest: string;
  readonly baseGeneration: number;
  /** In the order in which they are changed: what is set in the order of the house, then what is taken away in reverse. */
  readonly domains: readonly PlannedDomain[];
  readonly findings: readonly Finding[];
  readonly drift: readonly string[];
  readonly touchesManagementPath: boolean;
}

/** What the config would do here, from live facts. Changes nothing. */
export async function planConfig(
  context: GuardContext,
  config: GuardConfig,
  rehearse: boolean,
): Promise<Result<GuardPlan, string>> {
  const state = context.ledger.read();
  const confirmed = confirmedConfig(context);
  if (!confirmed.ok) return confirmed;
  const floor = readLocalFloor(context.paths.floor);
  if (!floor.ok) return floor;
  const wanted = inOrder(config, confirmed.value);
  const findings: Finding[] = [];
  const domains: PlannedDomain[] = [];
  for (const domain of wanted) {
    if (!context.modules.available.includes(domain)) {
      findings.push(noModule(domain));
      continue;
    }
    const asked = {
      domain,
      configJson: config.textOf(domain),
      confirmedJson: confirmed.value?.textOf(domain) ?? "null",
    };
    const path = unitePaths(config.managementPath, floor.value);
    const planned = {
      ...asked,
      managementPathJson: pathJson(path),
      plan: await askModule(context, asked, path, rehearse),
    };
    findings.push(...planned.plan.findings.map(toFinding));
    findings.push(...removesMuch(domain, asked.confirmedJson, asked.configJson));
    findings.push(...(await cutsOfFloor(context, asked, floor.value, planned.plan)));
    domains.push(planned);
  }
  const baseDigest = digestOf(Object.fromEntries(domains.map(({ domain, plan }) => [domain, plan.liveDigest])));
  const steps = domains.flatMap(({ domain, plan }) =>
    plan.steps.map((step) => ({
      id: step.id,
      domain,
      title: step.title,
      budget_ms: Number(step.budgetMs),
      digest: step.digest,
    })),
  );
  const planDigest = digestOf({
    config_digest: config.digest,
    base_digest: baseDigest,
    base_generation: state.generation,
    steps,
  });
  return ok({
    planDigest,
    baseDigest,
    baseGeneration: state.generation,
    domains,
    findings: findings.sort(byDanger),
    drift: domains.flatMap(({ domain, plan }) =>
      plan.steps.length === 0 ? [] : plan.drift.map((item) => `${domain}: ${item}`),
    ),
    touchesManagementPath: domains.some(({ plan }) => plan.touchesManagementPath),
  });
}

/** The config that is confirmed here, as the ledger and the transaction that brought it say; null at generation 0. */
export function confirmedConfig(
  context: Pick<GuardContext, "ledger" | "paths"> & Partial<Pick<GuardContext, "configs">>,
): Result<GuardConfig | null, string> {
  const state = context.ledger.read();
  if (state.confirmed === null) return ok(null);
  const { requestId, configDigest } = state.confirmed;
  const manifest = transactionOf(state, requestId)?.prepared?.manifestDigest ?? null;
  // Whoever asks once and ends, as the undo does, keeps none.
  const config = (context.configs ?? new ConfigShelf()).ofTransaction(
    context.paths.snapshots,
    requestId,
    manifest,
    configDigest,
  );
  return config.ok ? config : err(`the confirmed config cannot be read: ${config.error}`);
}

function inOrder(config: GuardConfig, confirmed: GuardConfig | null): readonly DomainName[] {
  const set = DOMAINS.filter((domain) => config.domains.has(domain));
  const takenAway = DOMAINS.filter((domain) => !config.domains.has(domain) && confirmed?.domains.has(domain) === true);
  return [...set, ...takenAway.reverse()];
}

type Asked = Pick<PlannedDomain, "domain" | "configJson" | "confirmedJson">;

async function askModule(
  context: GuardContext,
  asked: Asked,
  path: ManagementPath,
  rehearse: boolean,
): Promise<ModulePlanResponse> {
  const { domain, configJson, confirmedJson } = asked;
  const client = await context.modules.of(domain);
  return client.plan(
    { configJson, confirmedJson, managementPathJson: pathJson(path), rehearse },
    { timeoutMs: MODULE_READ_TIMEOUT_MS },
  );
}

/**
 * A plan that cuts the management path can be applied when a person says so, but never where the server's own file protects it: that file is
 * the one thing a control plane cannot talk away.
 */
async function cutsOfFloor(
  context: GuardContext,
  asked: Asked,
  floor: ManagementPath,
  plan: ModulePlanResponse,
): Promise<readonly Finding[]> {
  const isCut = (finding: FindingMessage): boolean => finding.code.endsWith(".management_path_cut");
  if (!plan.findings.some(isCut) || (floor.controlPlane.length === 0 && floor.inbound.length === 0)) return [];
  const alone = await askModule(context, asked, floor, false);
  return alone.findings.filter(isCut).map((finding) => ({
    ...toFinding(finding),
    severity: "error",
    code: `${asked.domain}.local_floor_cut`,
    remedy:
      "The server's own floor (/etc/holdfast/floor.json) protects this. Only somebody on the server can change that file.",
  }));
}

export function pathJson(path: ManagementPath): string {
  return canonicalJson(path as unknown as Json);
}

function noModule(domain: DomainName): Finding {
  return {
    severity: "error",
    code: "module.unavailable",
    path: domain,
    message: `This agent has no module for ${domain}.`,
    remedy: "Upgrade the agent, or take these settings away from this server.",
  };
}

export function toFinding(message: FindingMessage): Finding {
  const severity = SEVERITIES.find((known) => known === message.severity) ?? "error";
  const { code, path, message: text, remedy } = message;
  return { severity, code, path, message: text, remedy };
}
