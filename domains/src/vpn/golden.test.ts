import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ComposedServer, composeServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { expect, test } from "vitest";
import { performed } from "../../test/vpn-charon.ts";
import { bareServer, EMPTY_CHARON } from "../../test/vpn-sample.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { vpn } from "./domain.ts";
import type { VpnObserved } from "./facts.ts";
import type { VpnConfig } from "./model.ts";

/**
 * Each case is a directory: `documents.yaml` (`before.yaml`, what is confirmed and live) in; the config, the native text and the plan out, for
 * the first server of the documents.
 * UPDATE_GOLDEN=1 writes what comes out instead of comparing: read the difference before you commit it.
 */
const GOLDEN = fileURLToPath(new URL("./golden/", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("./examples/", import.meta.url));
const CONTROL_PLANE = [{ address: "192.0.2.200", port: 7081 }];

function composed(path: string): ComposedServer {
  const { documents, findings } = parseDocuments(readFileSync(path, "utf8"), { domains: DOMAIN_LANGUAGES });
  expect(findings, path).toEqual([]);
  return composeServer({
    server: documents.find((document) => document.kind === "Server")?.name ?? "",
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: CONTROL_PLANE,
  });
}

function configOf(of: ComposedServer): VpnConfig | null {
  const value = of.config?.domains.vpn;
  if (value === undefined) return null;
  // Through JSON, as it travels.
  const parsed = vpn.parseConfig(JSON.parse(JSON.stringify(value)));
  expect(parsed).toMatchObject({ ok: true });
  return parsed.ok ? parsed.config : null;
}

const SERVER = bareServer({
  ipsec: { charon: EMPTY_CHARON, keyFiles: { "seoul-busan-1": null, "seoul-busan-2": null } },
});

function planFor(observed: VpnObserved, of: ComposedServer, confirmed: VpnConfig | null) {
  const managementPath = { controlPlane: CONTROL_PLANE, inbound: of.floor.management };
  return vpn.plan({ desired: configOf(of), confirmed, observed, managementPath });
}

function compare(path: string, text: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
  expect(text).toBe(existsSync(path) ? readFileSync(path, "utf8") : "");
}

test.each(readdirSync(GOLDEN))("golden case %s", (name) => {
  const folder = `${GOLDEN}${name}/`;
  const before = existsSync(`${folder}before.yaml`) ? composed(`${folder}before.yaml`) : null;
  const confirmed = before === null ? null : configOf(before);
  let observed = SERVER;
  if (before !== null) {
    observed = performed(observed, planFor(observed, before, null).steps);
    observed = performed(observed, vpn.persist(confirmed, observed));
  }
  const after = composed(`${folder}documents.yaml`);
  const desired = configOf(after);
  const plan = planFor(observed, after, confirmed);
  compare(`${folder}desired.json`, `${JSON.stringify(desired, null, 2)}\n`);
  compare(`${folder}native.txt`, desired === null ? "" : vpn.render(desired, observed));
  const findings = [...after.findings, ...(desired === null ? [] : vpn.validate(desired)), ...plan.findings];
  const lines = [
    `touches the management path: ${plan.touchesManagementPath ? "yes" : "no"}`,
    ...findings.map((one) => `${one.severity} ${one.code} at ${one.path}: ${one.message} ${one.remedy}`),
    "",
    ...plan.steps.map((step) => `step ${step.id}: ${step.title}\n  ${JSON.stringify(step.action)}`),
    "",
    plan.nativeDiff,
    "when it is confirmed:",
    ...vpn.persist(desired, observed).map((step) => `step ${step.id}: ${step.title}`),
    "",
  ];
  compare(`${folder}plan.txt`, lines.join("\n"));
});

test.each(readdirSync(EXAMPLES))("the example %s composes and plans without an error or a danger", (file) => {
  const example = composed(EXAMPLES + file);
  const desired = configOf(example);
  expect(desired).not.toBeNull();
  const planned = planFor(SERVER, example, null);
  const findings = [...example.findings, ...(desired === null ? [] : vpn.validate(desired)), ...planned.findings];
  expect(findings.filter((one) => one.severity === "error" || one.severity === "danger")).toEqual([]);
  expect(planned.steps.length).toBeGreaterThan(0);
});

test("the guide shows the tunnel of the example to the letter", () => {
  const guide = readFileSync(fileURLToPath(new URL("../../../docs/policy-language.md", import.meta.url)), "utf8");
  const [tunnel = ""] = readFileSync(`${EXAMPLES}seoul-busan.yaml`, "utf8").split("---\n");
  expect(guide).toContain(tunnel.trimEnd());
});
