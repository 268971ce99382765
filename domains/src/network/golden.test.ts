import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { composeServer, type ComposedServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { expect, test } from "vitest";
import { RENTED_SERVER, serverAfter } from "../../test/network-server.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { network } from "./domain.ts";
import type { NetworkConfig } from "./model.ts";

/**
 * Each case is a directory: `documents.yaml` (and `before.yaml`, what is confirmed and live) in; the config, the native text and the plan out.
 * Without a `before.yaml` the server is one that a provider set up. UPDATE_GOLDEN=1 writes what comes out instead of comparing: read the
 * difference before you commit it.
 */
const GOLDEN = fileURLToPath(new URL("./golden/", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("./examples/", import.meta.url));

const CONTROL_PLANE = [{ address: "192.0.2.200", port: 7081 }];

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

function configOf(of: ComposedServer): NetworkConfig | null {
  const value = of.config?.domains.network;
  if (value === undefined) return null;
  // Through JSON, as it travels.
  const parsed = network.parseConfig(JSON.parse(JSON.stringify(value)));
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
  const observed = confirmed === null ? RENTED_SERVER : serverAfter(confirmed, RENTED_SERVER);
  const plan = network.plan({
    desired,
    confirmed,
    observed,
    managementPath: { controlPlane: CONTROL_PLANE, inbound: after.floor.management },
  });
  compare(`${folder}desired.json`, `${JSON.stringify(desired, null, 2)}\n`);
  compare(`${folder}native.txt`, desired === null ? "" : network.render(desired, observed));
  const findings = [...after.findings, ...(desired === null ? [] : network.validate(desired)), ...plan.findings];
  const lines = [
    `touches the management path: ${plan.touchesManagementPath ? "yes" : "no"}`,
    ...findings.map((one) => `${one.severity} ${one.code} at ${one.path}: ${one.message} ${one.remedy}`),
    ...plan.steps.flatMap((step) => [
      "",
      `step ${step.id}: ${step.title}`,
      step.action.kind === "write_file" ? `${step.action.path}\n${step.action.text}` : JSON.stringify(step.action),
    ]),
    plan.nativeDiff,
  ];
  compare(`${folder}plan.txt`, lines.join("\n"));
});

test.each(readdirSync(EXAMPLES))("the example %s composes without an error", (file) => {
  const { config, findings } = composed(EXAMPLES + file);
  expect(findings.filter((one) => one.severity === "error" || one.severity === "danger")).toEqual([]);
  expect(config?.domains.network).toBeDefined();
});
