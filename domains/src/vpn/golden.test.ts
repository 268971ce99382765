import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { composeServer, type ComposedServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import type { SecretVersion } from "@holdfast/core/secret/secret-file.ts";
import { expect, test } from "vitest";
import { bareServer, EMPTY_CHARON, inForce } from "../../test/vpn-sample.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { wantedOf } from "./conn.ts";
import { vpn } from "./domain.ts";
import type { VpnConfig } from "./model.ts";
import { bootText } from "./render.ts";

/**
 * Each case is a directory: `documents.yaml` (and `before.yaml`, what is confirmed and live) in; the config, the native text and the plan of
 * their first server out. Without a `before.yaml` the server has strongSwan and nothing of ours. UPDATE_GOLDEN=1 writes what comes out instead
 * of comparing: read the difference before you commit it.
 */
const GOLDEN = fileURLToPath(new URL("./golden/", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("./examples/", import.meta.url));
const GUIDE = fileURLToPath(new URL("../../../docs/policy-language.md", import.meta.url));

const KEY_FILES = Object.fromEntries(
  ["seoul-busan-1", "seoul-busan-2", "vpn-alice-1", "vpn-alice-2", "vpn-bob-1"].map((name) => [name, null]),
);

/** What the control plane has made for the people to whom the server proves itself by a certificate. */
const SECRETS: readonly SecretVersion[] = [
  {
    name: "tunnel.remote-staff--office",
    version: 1,
    fingerprint: "0123456789abcdef",
    boundTo: "vpn.example.com 203.0.113.10 gw-seoul",
    certificate: { own: `MI${"A".repeat(82)}`, authority: `MI${"B".repeat(82)}`, keyId: "ab".repeat(20) },
  },
  {
    name: "authority.tunnels",
    version: 1,
    fingerprint: "fedcba9876543210",
    boundTo: "",
    certificate: { own: `MI${"B".repeat(82)}`, authority: `MI${"B".repeat(82)}`, keyId: "cd".repeat(20) },
  },
];

const CONTROL_PLANE = [{ address: "192.0.2.200", port: 7081 }];

function composed(path: string): ComposedServer {
  const { documents, findings } = parseDocuments(readFileSync(path, "utf8"), { domains: DOMAIN_LANGUAGES });
  expect(findings, path).toEqual([]);
  return composeServer({
    server: documents.find((document) => document.kind === "Server")?.name ?? "",
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: CONTROL_PLANE,
    secrets: SECRETS,
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

function compare(path: string, text: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
  expect(text).toBe(existsSync(path) ? readFileSync(path, "utf8") : "");
}

test.each(readdirSync(GOLDEN))("golden case %s", (name) => {
  const folder = `${GOLDEN}${name}/`;
  const after = composed(`${folder}documents.yaml`);
  const desired = configOf(after);
  const confirmed = existsSync(`${folder}before.yaml`) ? configOf(composed(`${folder}before.yaml`)) : null;
  const keys = bareServer({
    ipsec: { ...bareServer().ipsec, keyFiles: KEY_FILES },
  });
  const observed = confirmed === null ? keys : { ...inForce(confirmed, keys), boot: bootText(wantedOf(confirmed)) };
  const plan = vpn.plan({
    desired,
    confirmed,
    observed,
    managementPath: { controlPlane: CONTROL_PLANE, inbound: after.floor.management },
  });
  compare(`${folder}desired.json`, `${JSON.stringify(desired, null, 2)}\n`);
  compare(`${folder}native.txt`, desired === null ? "" : vpn.render(desired, observed));
  const findings = [...after.findings, ...(desired === null ? [] : vpn.validate(desired)), ...plan.findings];
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

test.each(readdirSync(EXAMPLES))("the example %s composes and plans without an error or a danger", (file) => {
  const example = composed(EXAMPLES + file);
  const desired = configOf(example);
  const named = [...readFileSync(EXAMPLES + file, "utf8").matchAll(/file:([a-z0-9-]+)/g)].map(([, key = ""]) => [
    key,
    null,
  ]);
  // A hub needs the kernel's own: from networks of others charon's takes nothing.
  const charon = { ...EMPTY_CHARON, dataPlane: "kernel" as const };
  const observed = bareServer({ ipsec: { charon, keyFiles: Object.fromEntries(named) } });
  const managementPath = { controlPlane: CONTROL_PLANE, inbound: example.floor.management };
  const planned = vpn.plan({ desired, confirmed: null, observed, managementPath });
  const findings = [...example.findings, ...(desired === null ? [] : vpn.validate(desired)), ...planned.findings];
  expect(findings.filter((one) => one.severity === "error" || one.severity === "danger")).toEqual([]);
  expect(planned.steps.length).toBeGreaterThan(0);
});

test("the tunnel of the guide reads without a finding", () => {
  const [, text = ""] = /^```yaml tunnel\n([\s\S]*?)^```$/m.exec(readFileSync(GUIDE, "utf8")) ?? [];
  const { documents, findings } = parseDocuments(text, { domains: DOMAIN_LANGUAGES });
  expect(findings).toEqual([]);
  expect(documents.map(({ kind }) => kind)).toEqual(["Tunnel"]);
});
