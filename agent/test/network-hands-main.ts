import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { DOMAIN_MODULES } from "@holdfast/domains/registry.ts";
import { domainHands, inWords, type AnyDomain } from "../src/module/domain-hands.ts";
import { KeptAnswers } from "../src/os/kept-answers.ts";
import { Nft } from "../src/os/nft.ts";

/** The network module's hands, on the server on which this runs, without a ledger around them: one wish by argument, one answer as JSON. */
export interface Wish {
  readonly verb: "observe" | "plan" | "put" | "try" | "persist";
  readonly desired?: Json;
  readonly confirmed?: Json;
  readonly managementPath?: ManagementPath;
}

export interface HandsAnswer {
  readonly observed: Json;
  readonly steps: readonly Step[];
  readonly findings: readonly { readonly severity: string; readonly code: string; readonly message: string }[];
  readonly nativeDiff: string;
  /** In words; empty where all is as wanted. */
  readonly problems: readonly string[];
}

const network = DOMAIN_MODULES.network as unknown as AnyDomain;
const hands = domainHands(network, { root: "/", nft: new Nft("/run/holdfast-test"), kept: new KeptAnswers(Date.now) });
const wish = JSON.parse(process.argv[2] ?? "") as Wish;
const problems: string[] = [];
const parse = (value: Json | undefined): Json | null => {
  if (value === undefined || value === null) return null;
  const parsed = network.parseConfig(value);
  if (!parsed.ok) throw new Error(parsed.findings.map((finding) => `${finding.path}: ${finding.message}`).join("; "));
  return parsed.config;
};
const desired = parse(wish.desired);
const before = await hands.observe();
const plan = await hands.plan(
  {
    desired,
    confirmed: parse(wish.confirmed),
    managementPath: wish.managementPath ?? { controlPlane: [], inbound: [] },
    rehearse: true,
  },
  before.observed,
);
if (wish.verb === "put" || wish.verb === "try") {
  for (const step of plan.steps) {
    const done = await hands.apply(step);
    if (!done.ok) problems.push(`${step.id}: ${done.error}`);
  }
  problems.push(...(await hands.verify(desired)).mismatches.map(inWords));
}
if (wish.verb === "try") {
  const restored = await hands.restore(before.observed);
  if (!restored.ok) problems.push(`restore: ${restored.error}`);
}
if (wish.verb === "persist") {
  const persisted = await hands.persist(desired);
  if (!persisted.ok) problems.push(persisted.error);
}
const { observed } = await hands.observe();
const answer: HandsAnswer = {
  observed,
  steps: plan.steps,
  findings: plan.findings.map(({ severity, code, message }) => ({ severity, code, message })),
  nativeDiff: plan.nativeDiff,
  problems,
};
process.stdout.write(JSON.stringify(answer));
