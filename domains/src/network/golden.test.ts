import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { composeServer, type ComposedServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { expect, test } from "vitest";
import { RENTED_SERVER, serverAfter } from "../../test/network-server.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { network } from "./domain.ts";
import type { NetworkConfig } from "./model.ts";
import { interfaceSection, networkSectionSchema } from "./section.ts";

/**
 * Each case is a directory: `documents.yaml` (and `before.yaml`, what is confirmed and live) in; the config, the native text and the plan out.
 * Without a `before.yaml` the server is one that a provider set up. UPDATE_GOLDEN=1 writes what comes out instead of comparing: read the
 * difference before you commit it.
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

const GUIDE = fileURLToPath(new URL("../../../docs/policy-language.md", import.meta.url));
const EDGE = `---
apiVersion: holdfast/v1
kind: Server
name: edge-1
labels: { role: edge }
params: { edge: { outside: 198.51.100.20/24 } }
`;

test("the example of the guide reads as the guide says, and the guide tells of every part of the section", () => {
  const guide = readFileSync(GUIDE, "utf8");
  const [, text = ""] = /^```yaml network\n([\s\S]*?)^```$/m.exec(guide) ?? [];
  const example = composedText(text + EDGE, "guide");
  expect(example.findings.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(configOf(example)?.interfaces["lan"]?.device).toMatchObject({ kind: "bridge", members: ["left", "right"] });
  const section = guide.slice(guide.indexOf("## The network section"));
  for (const part of [
    ...Object.keys(networkSectionSchema.shape),
    ...Object.keys(interfaceSection.shape).filter((key) => key !== "description"),
  ])
    expect(section).toContain(`\`${part}\``);
});

test.each(readdirSync(EXAMPLES))("the example %s composes without an error", (file) => {
  const { config, findings } = composed(EXAMPLES + file);
  expect(findings.filter((one) => one.severity === "error" || one.severity === "danger")).toEqual([]);
  expect(config?.domains.network).toBeDefined();
});
