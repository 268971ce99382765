import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ChangeId, Generation, ServerId } from "@holdfast/core/base/id.ts";
import { composeServer } from "@holdfast/core/compose/compose.ts";
import { effectiveText } from "@holdfast/core/compose/digest.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { PlanResponseSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { expect, test } from "vitest";
import { type Composition, sha256 } from "./compose-for.ts";
import { planRow } from "./plan-row.ts";

const CONTEXT = {
  changeId: "change" as ChangeId,
  kind: "forward",
  createdBy: null,
  beforeRefs: [],
  findings: [],
} as const;

function compositionOf(sections: string): Composition {
  const text = `apiVersion: holdfast/v1\nkind: Server\nname: gw-1\nlabels: { role: r }\naddresses: [192.0.2.1]\ninterfaces: { lan: { name: eth0 } }\n---\napiVersion: holdfast/v1\nkind: Policy\nname: gw\nlayer: role\nselector: { all: true }\n${sections}\n`;
  const { documents, findings } = parseDocuments(text, { domains: DOMAIN_LANGUAGES });
  const composed = composeServer({
    server: "gw-1",
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: [],
  });
  if (composed.config === null) throw new Error(JSON.stringify([...findings, ...composed.findings]));
  const config = effectiveText(composed.config);
  return {
    server: {
      id: "server" as ServerId,
      name: "gw-1",
      enrolment: "enrolled",
      generation: 1 as Generation,
      confirmedDigest: null,
      observedAddresses: [],
    },
    selected: { documents: [], refs: [], labels: {}, leaves: null },
    composed,
    config: { text: config, digest: sha256(config) },
  };
}

function told(sections: string, ...findings: NonNullable<MessageInitShape<typeof PlanResponseSchema>["findings"]>) {
  const value = create(PlanResponseSchema, { findings, planDigest: "p", baseDigest: "b" });
  const row = planRow(compositionOf(sections), { kind: "answered", value }, CONTEXT);
  return row.findings.filter(({ severity }) => severity !== "note").map(({ code, path }) => `${code} ${path}`);
}

const MASQUERADE =
  "firewall: { mode: enforce, zones: { lan: [lan] }, nat: { masquerade: [{ name: out, from: 10.0.0.0/8, to: any }] } }";
const OFF = { severity: "warning", code: "firewall.forwarding_off", path: "network.forwarding.ipv4" };

test("a module knows only its own domain: what it says of the kernel is left out where the same plan sets that", () => {
  expect(told(MASQUERADE, OFF)).toContain("firewall.forwarding_off network.forwarding.ipv4");
  expect(told(`${MASQUERADE}\nnetwork: { forwarding: { ipv4: true } }`, OFF)).not.toContain(
    "firewall.forwarding_off network.forwarding.ipv4",
  );
  // The other family is another setting.
  expect(told(`${MASQUERADE}\nnetwork: { forwarding: { ipv6: true } }`, OFF)).toContain(
    "firewall.forwarding_off network.forwarding.ipv4",
  );
  // Turned off by the same plan: told once, by who composes.
  const against = told(`${MASQUERADE}\nnetwork: { forwarding: { ipv4: false } }`, OFF);
  expect(against.filter((one) => /forwarding_off|kernel_against/.test(one))).toEqual([
    "compose.kernel_against network.forwarding.ipv4",
  ]);
});

test("a plan that takes away most of what is in force is a danger, and a rollback that does is what was asked for", () => {
  const finding = { severity: "danger", code: "plan.removes_much", path: "firewall" };
  const value = create(PlanResponseSchema, { findings: [finding], planDigest: "p", baseDigest: "b" });
  const severityOf = (kind: "forward" | "rollback") =>
    planRow(compositionOf(MASQUERADE), { kind: "answered", value }, { ...CONTEXT, kind }).findings.find(
      ({ code }) => code === "plan.removes_much",
    )?.severity;
  expect([severityOf("forward"), severityOf("rollback")]).toEqual(["danger", "warning"]);
});

test("large packets are tried where a way changes, and not where only rules do", () => {
  const probesOf = (domain: string, touchesManagementPath: boolean): readonly string[] => {
    const composition = compositionOf(MASQUERADE);
    const { config } = composition.composed;
    if (config === null) throw new Error("not composed");
    const controlPlane = [{ address: "192.0.2.200", port: 7081 }];
    const reached = { ...config, managementPath: { ...config.managementPath, controlPlane } };
    const value = create(PlanResponseSchema, {
      steps: [{ id: "s", domain, title: "t" }],
      touchesManagementPath,
      planDigest: "p",
      baseDigest: "b",
    });
    const composed = { ...composition.composed, config: reached };
    return planRow({ ...composition, composed }, { kind: "answered", value }, CONTEXT).probes.map(({ id }) => id);
  };
  expect(probesOf("firewall", false)).not.toContain("full size to 192.0.2.200");
  expect(probesOf("firewall", true)).toContain("full size to 192.0.2.200");
  expect(probesOf("network", false)).toContain("full size to 192.0.2.200");
});

test("over which family a server must stay reachable is what its document says, or what it has while nothing of its network changes", () => {
  const controlPlane = ["192.0.2.200", "2001:db8:c::2"].map((address) => ({ address, port: 7081 }));
  const inbound = [{ networks: ["0.0.0.0/0", "::/0"], tcpPorts: [22] }];
  const at = (said: readonly string[], domain: string): readonly string[] => {
    const composition = compositionOf(MASQUERADE);
    const { config } = composition.composed;
    if (config === null) throw new Error("not composed");
    const { documents } = parseDocuments(
      `apiVersion: holdfast/v1\nkind: Server\nname: gw-1\naddresses: ${JSON.stringify(said)}\n`,
      { domains: DOMAIN_LANGUAGES },
    );
    const value = create(PlanResponseSchema, {
      steps: [{ id: "s", domain, title: "t" }],
      planDigest: "p",
      baseDigest: "b",
    });
    return planRow(
      {
        ...composition,
        composed: { ...composition.composed, config: { ...config, managementPath: { controlPlane, inbound } } },
        server: { ...composition.server, observedAddresses: ["192.0.2.1", "2001:db8:1::1"] },
        selected: { ...composition.selected, documents: documents.map((document) => ({ document, revision: 1 })) },
      },
      { kind: "answered", value },
      CONTEXT,
    ).probes.flatMap(({ id, address }) => (id.startsWith("floor tcp/22 at ") ? [address] : []));
  };
  expect(at([], "firewall")).toEqual(["192.0.2.1", "2001:db8:1::1"]);
  expect(at([], "network")).toEqual([]);
  expect(at(["192.0.2.9", "2001:db8:1::9"], "network")).toEqual(["192.0.2.9", "2001:db8:1::9"]);
  expect(at(["192.0.2.9"], "firewall")).toEqual(["192.0.2.9"]);
});
