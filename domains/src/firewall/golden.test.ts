import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { composeServer, type ComposedServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { expect, test } from "vitest";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { firewall } from "./domain.ts";
import type { FirewallObserved } from "./facts.ts";
import type { FirewallConfig } from "./model.ts";
import { nativeTable } from "./native.ts";

/**
 * Each case is a directory: `documents.yaml` (and `before.yaml`, what is confirmed and live) in; the config, the native text and the plan out.
 * UPDATE_GOLDEN=1 writes what comes out instead of comparing: read the difference before you commit it.
 */
const GOLDEN = fileURLToPath(new URL("./golden/", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("./examples/", import.meta.url));

const CONTROL_PLANE = [{ address: "192.0.2.200", port: 7081 }];
const INTERFACES = [
  { name: "eth0", mac: "52:54:00:aa:10:01", kind: null, addresses: ["198.51.100.20"] },
  { name: "eth1", mac: "52:54:00:aa:10:02", kind: null, addresses: ["10.20.10.1"] },
  { name: "eth2", mac: "52:54:00:aa:10:03", kind: null, addresses: ["10.20.20.1"] },
];

function composed(path: string): ComposedServer {
  const { documents, findings } = parseDocuments(readFileSync(path, "utf8"), { domains: DOMAIN_LANGUAGES });
  expect(findings, path).toEqual([]);
  const server = documents.find((document) => document.kind === "Server")?.name ?? "";
  return composeServer({
    server,
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: CONTROL_PLANE,
  });
}

function configOf(of: ComposedServer): FirewallConfig | null {
  const value = of.config?.domains.firewall;
  if (value === undefined) return null;
  // Through JSON, as it travels.
  const parsed = firewall.parseConfig(JSON.parse(JSON.stringify(value)));
  expect(parsed).toMatchObject({ ok: true });
  return parsed.ok ? parsed.config : null;
}

function compare(path: string, text: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
  expect(text).toBe(existsSync(path) ? readFileSync(path, "utf8") : "");
}

test.each(readdirSync(GOLDEN))("golden case %s", (name) => {
  const folder = `${GOLDEN}${name}/`;
  const after = composed(`${folder}documents.yaml`);
  const desired = configOf(after);
  const confirmed = existsSync(`${folder}before.yaml`) ? configOf(composed(`${folder}before.yaml`)) : null;
  const observed: FirewallObserved = {
    table: confirmed === null ? null : nativeTable(confirmed, INTERFACES),
    counts: {},
    unreadable: null,
    foreignHooks: [],
    foreignOwners: [],
    interfaces: INTERFACES,
    forwarding: { ipv4: true, ipv6: true },
    legacyTables: [],
  };
  const plan = firewall.plan({
    desired,
    confirmed,
    observed,
    managementPath: { controlPlane: CONTROL_PLANE, inbound: after.floor.management },
  });
  compare(`${folder}desired.json`, `${JSON.stringify(desired, null, 2)}\n`);
  compare(`${folder}native.nft`, desired === null ? "" : firewall.render(desired, observed));
  const findings = [...after.findings, ...(desired === null ? [] : firewall.validate(desired)), ...plan.findings];
  const lines = [
    `touches the management path: ${plan.touchesManagementPath ? "yes" : "no"}`,
    ...findings.map((one) => `${one.severity} ${one.code} at ${one.path}: ${one.message} ${one.remedy}`),
    ...plan.steps.flatMap((step) => [
      "",
      `step ${step.id}: ${step.title}`,
      step.action.kind === "nft" ? step.action.batch : JSON.stringify(step.action),
    ]),
    plan.nativeDiff,
  ];
  compare(`${folder}plan.txt`, lines.join("\n"));
});

test.each(readdirSync(EXAMPLES))("the example %s composes without an error and meets its own expectations", (file) => {
  const { config, findings } = composed(EXAMPLES + file);
  expect(findings.filter((one) => one.severity === "error" || one.severity === "danger")).toEqual([]);
  expect(config?.domains.firewall).toBeDefined();
});
