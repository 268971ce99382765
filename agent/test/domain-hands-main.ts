import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { DOMAIN_MODULES } from "@holdfast/domains/registry.ts";
import { domainHands, inWords, type AnyDomain } from "../src/module/domain-hands.ts";
import { KeptAnswers } from "../src/os/kept-answers.ts";
import { Nft } from "../src/os/nft.ts";

/**
 * The hands of one domain, on the server on which this runs, without a ledger around them: wishes by argument, one after the other, and answers as
 * JSON. One program for all of them: where a processor is emulated a start takes seconds.
 */
export interface HandsWish {
  /** try: applied, verified and undone. put: applied and verified. */
  readonly verb: "try" | "put";
  readonly desired: Json;
}

export interface HandsAnswer {
  readonly steps: readonly string[];
  readonly findings: readonly { readonly severity: string; readonly code: string; readonly message: string }[];
  readonly nativeDiff: string;
  /** In words; empty where all is as wanted, and after a try as it was. */
  readonly problems: readonly string[];
}

/** An emulated processor takes so much longer for a step than the server that its time was measured for. */
const SLOWNESS = 20;

const [name = "", given = "[]"] = process.argv.slice(2);
const found = Object.values(DOMAIN_MODULES).find((one) => one.name === name);
if (found === undefined) throw new Error(`${name} is no domain`);
const domain = found as unknown as AnyDomain;
const hands = domainHands(domain, { root: "/", nft: new Nft("/run/holdfast-test"), kept: new KeptAnswers(Date.now) });
const answers: HandsAnswer[] = [];
for (const { verb, desired } of JSON.parse(given) as readonly HandsWish[]) {
  const parsed = desired === null ? null : domain.parseConfig(desired);
  if (parsed?.ok === false) throw new Error(JSON.stringify(parsed.findings));
  const config = parsed === null ? null : parsed.config;
  const before = await hands.observe();
  const managementPath = { controlPlane: [], inbound: [] };
  const plan = await hands.plan({ desired: config, confirmed: null, managementPath, rehearse: true }, before.observed);
  const problems: string[] = [];
  for (const step of plan.steps) {
    const done = await hands.apply({ ...step, budgetMs: step.budgetMs * SLOWNESS });
    if (!done.ok) problems.push(`${step.id}: ${done.error}`);
  }
  problems.push(...(await hands.verify(config)).mismatches.map(inWords));
  if (verb === "try") {
    const restored = await hands.restore(before.observed);
    if (!restored.ok) problems.push(`restore: ${restored.error}`);
  }
  answers.push({
    steps: plan.steps.map(({ id }) => id),
    findings: plan.findings.map(({ severity, code, message }) => ({ severity, code, message })),
    nativeDiff: plan.nativeDiff,
    problems,
  });
}
process.stdout.write(JSON.stringify(answers));
