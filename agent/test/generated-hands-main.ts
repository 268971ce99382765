import { readFileSync } from "node:fs";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import { DOMAIN_MODULES } from "@holdfast/domains/registry.ts";
import { domainHands, inWords, type AnyDomain } from "../src/module/domain-hands.ts";
import { KeptAnswers } from "../src/os/kept-answers.ts";
import { Nft } from "../src/os/nft.ts";

/**
 * A module's hands, on the server on which this runs, without a ledger around them: DOMAIN FILE. Each config of the file is applied on the one
 * before, read back, taken back whole, applied again and made the boot config; at the end all is released. Prints what went wrong, as JSON.
 */
const [, , domainName, file = ""] = process.argv;
const name = DOMAINS.find((known) => known === domainName);
if (name === undefined) throw new Error(`there is no domain ${String(domainName)}`);
const domain = DOMAIN_MODULES[name] as unknown as AnyDomain;
const hands = domainHands(domain, { root: "/", nft: new Nft("/run/holdfast-test"), kept: new KeptAnswers(Date.now) });
const managementPath = { controlPlane: [], inbound: [] };
const configs = JSON.parse(readFileSync(file, "utf8")) as readonly Json[];
const problems: string[] = [];
let steps = 0;

async function apply(desired: Json | null, confirmed: Json | null, where: string): Promise<void> {
  const plan = await hands.plan({ desired, confirmed, managementPath, rehearse: true });
  const refused = plan.findings.filter(({ severity }) => severity === "error");
  problems.push(...refused.map(({ code, message }) => `${where}: ${code}: ${message}`));
  for (const step of plan.steps) {
    const done = await hands.apply(step);
    if (!done.ok) problems.push(`${where}: ${step.id}: ${done.error}`);
    steps += 1;
  }
  problems.push(...(await hands.verify(desired)).mismatches.map((one) => `${where}: ${inWords(one)}`));
}

let confirmed: Json | null = null;
for (const [index, value] of [...configs, null].entries()) {
  const parsed = value === null ? null : domain.parseConfig(value);
  if (parsed !== null && !parsed.ok) throw new Error(canonicalJson(value));
  const desired = parsed === null ? null : parsed.config;
  const before = await hands.observe();
  await apply(desired, confirmed, `config ${index}`);
  const again = await hands.plan({ desired, confirmed, managementPath, rehearse: false });
  problems.push(...again.steps.map(({ title }) => `config ${index}: planned a second time: ${title}`));
  const restored = await hands.restore(before.observed);
  if (!restored.ok) problems.push(`config ${index}: undo: ${restored.error}`);
  await apply(desired, confirmed, `config ${index} again`);
  const persisted = await hands.persist(desired);
  if (!persisted.ok) problems.push(`config ${index}: confirmed: ${persisted.error}`);
  confirmed = desired;
}
process.stdout.write(JSON.stringify({ steps, problems }));
