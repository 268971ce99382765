import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { composeServer, type ComposedServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { expect, test } from "vitest";
import { SimulatedSystem, type ServerChanges } from "../../test/simulated-system.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { system } from "./domain.ts";
import { type SystemConfig, systemConfigSchema } from "./model.ts";

/**
 * Each case is a directory: `documents.yaml` (`before.yaml`, what is confirmed and live; `server.json`, how the server differs from a plain
 * one) in; the config, the native text and the plan out.
 * UPDATE_GOLDEN=1 writes what comes out instead of comparing: read the difference before you commit it.
 */
const GOLDEN = fileURLToPath(new URL("./golden/", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("./examples/", import.meta.url));

const CONTROL_PLANE = [{ address: "192.0.2.200", port: 7081 }];

function composed(path: string): ComposedServer {
  return composedText(readFileSync(path, "utf8"), path);
}

function composedText(text: string, path: string): ComposedServer {
  const { documents, findings } = parseDocuments(text, { domains: DOMAIN_LANGUAGES });
  expect(findings, path).toEqual([]);
  const server = documents.find((document) => document.kind === "Server")?.name ?? "";
  return composeServer({
    server,
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: CONTROL_PLANE,
  });
}

function configOf(of: ComposedServer): SystemConfig | null {
  const value = of.config?.domains.system;
  if (value === undefined) return null;
  // Through JSON, as it travels.
  const parsed = system.parseConfig(JSON.parse(JSON.stringify(value)));
  expect(parsed).toMatchObject({ ok: true });
  return parsed.ok ? parsed.config : null;
}

function planFor(server: SimulatedSystem, of: ComposedServer, confirmed: SystemConfig | null) {
  const managementPath = { controlPlane: CONTROL_PLANE, inbound: of.floor.management };
  return system.plan({ desired: configOf(of), confirmed, observed: server.observe(), managementPath });
}

function serverOf(folder: string): SimulatedSystem {
  const server = new SimulatedSystem();
  const path = `${folder}server.json`;
  if (existsSync(path)) server.change(JSON.parse(readFileSync(path, "utf8")) as ServerChanges);
  return server;
}

function compare(path: string, text: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
  expect(text).toBe(existsSync(path) ? readFileSync(path, "utf8") : "");
}

test.each(readdirSync(GOLDEN))("golden case %s", (name) => {
  const folder = `${GOLDEN}${name}/`;
  const server = serverOf(folder);
  const before = existsSync(`${folder}before.yaml`) ? composed(`${folder}before.yaml`) : null;
  const confirmed = before === null ? null : configOf(before);
  if (before !== null) {
    server.performAll(planFor(server, before, null).steps);
    server.performAll(system.persist(confirmed, server.observe()));
  }
  const after = composed(`${folder}documents.yaml`);
  const desired = configOf(after);
  const plan = planFor(server, after, confirmed);
  compare(`${folder}desired.json`, `${JSON.stringify(desired, null, 2)}\n`);
  compare(`${folder}native.txt`, desired === null ? "" : system.render(desired, server.observe()));
  const findings = [...after.findings, ...(desired === null ? [] : system.validate(desired)), ...plan.findings];
  const lines = [
    `touches the management path: ${plan.touchesManagementPath ? "yes" : "no"}`,
    ...findings.map((one) => `${one.severity} ${one.code} at ${one.path}: ${one.message} ${one.remedy}`),
    "",
    ...plan.steps.map((step) => `step ${step.id}: ${step.title}\n  ${JSON.stringify(step.action)}`),
    "",
    plan.nativeDiff,
    "when it is confirmed:",
    ...system.persist(desired, server.observe()).map((step) => `step ${step.id}: ${step.title}`),
    "",
  ];
  compare(`${folder}plan.txt`, lines.join("\n"));
});

const GUIDE = fileURLToPath(new URL("../../../docs/policy-language.md", import.meta.url));
const SERVER = "---\napiVersion: holdfast/v1\nkind: Server\nname: s\naddresses: [192.0.2.1]\n";

test("the example of the guide reads as the guide says, and the guide tells of every part of the section", () => {
  const guide = readFileSync(GUIDE, "utf8");
  const [, text = ""] = /^```yaml system\n([\s\S]*?)^```$/m.exec(guide) ?? [];
  expect(configOf(composedText(text + SERVER, "guide"))).toMatchObject({ users: { lee: { state: "absent" } } });
  for (const part of Object.keys(systemConfigSchema.shape)) expect(guide).toContain(`| \`${part}\` |`);
});

test.each(readdirSync(EXAMPLES))("the example %s composes and plans without an error", (file) => {
  const example = composed(EXAMPLES + file);
  const desired = configOf(example);
  expect(desired).not.toBeNull();
  const server = new SimulatedSystem();
  // Everybody there has a key, as the house of the examples asks.
  server.accounts = server.accounts.filter(({ name }) => name !== "lee");
  const planned = planFor(server, example, null);
  const findings = [...example.findings, ...(desired === null ? [] : system.validate(desired)), ...planned.findings];
  expect(findings.filter((one) => one.severity === "error" || one.severity === "danger")).toEqual([]);
  expect(planned.steps.length).toBeGreaterThan(0);
});
