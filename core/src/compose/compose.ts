import type { Json } from "../base/canonical-json.ts";
import { byDanger, type Finding } from "../base/finding.ts";
import { type PlacedRequirement, placedRequirements, type Requirement } from "../capability/requirement.ts";
import { type DomainName, DOMAINS } from "../domain.ts";
import { floorProbes } from "../plan/floor-probe.ts";
import type { ManagementPath } from "../plan/management-path.ts";
import type { Probe } from "../plan/probe.ts";
import {
  documentId,
  type FloorDocument,
  type GroupDocument,
  type ParsedDocument,
  type PolicyDocument,
  type ServerDocument,
} from "../policy/document.ts";
import { expectationsSchema } from "../policy/expectation.ts";
import { canonicalWord } from "../policy/mentions.ts";
import { formatPath, parsePath, type Path } from "../policy/path.ts";
import { definitionsSchema, LAYERS } from "../policy/policy-document.ts";
import { partsWithParameters } from "../policy/read-policy.ts";
import { selects } from "../policy/selector.ts";
import { substitute } from "../policy/substitute.ts";
import { locate } from "../policy/yaml-source.ts";
import type { SecretVersion } from "../secret/secret-file.ts";
import type { ComposedDomain, DomainLanguage } from "./domain-language.ts";
import type { EffectiveConfig, Origin, ProvenanceEntry, TrialSettings } from "./effective-config.ts";
import { meetExpectations, type StatedExpectation } from "./expect.ts";
import { composeFinding } from "./findings.ts";
import type { FloorSettings } from "./floor-settings.ts";
import { stricterTrial, uniteFloors } from "./floor.ts";
import { kernelFindings, settledByConfig, type ToldByModule } from "./kernel-setting.ts";
import type { LayeredSection } from "./layered-section.ts";
import { createLookup } from "./lookup.ts";
import type { Need } from "./need.ts";
import { parametersFor } from "./server-parameters.ts";
import {
  type PlacedSide,
  secretFilesOf,
  sidesOf,
  tunnelLayers,
  tunnelOrigin,
  unknownEnds,
  unprovenTunnels,
} from "./tunnel-layers.ts";
import { useFindings } from "./use.ts";

/** A document in the revision that shall hold. */
export interface AssignedDocument<Document extends ParsedDocument = ParsedDocument> {
  readonly document: Document;
  readonly revision: number;
}

export interface ComposeServerInput {
  readonly server: string;
  /**
   * Everything the composition may look at, in any order: policies, floors, groups, and the Server documents of the whole fleet. Which
   * revision of each is the caller's decision: what the server has assigned, with those of the change under way in their place. A policy
   * that is not assigned and not in the change is not in the list, or somebody else's edit would come along.
   */
  readonly documents: readonly AssignedDocument[];
  readonly domains: readonly DomainLanguage[];
  readonly controlPlane: ManagementPath["controlPlane"];
  /** Addresses that agents reported, for servers whose document says none. */
  readonly observedAddresses?: Readonly<Record<string, readonly string[]>>;
  /** What the store of secrets has; a tunnel may name one. */
  readonly secrets?: readonly SecretVersion[];
  /** What the author of the change asks of the trial: the floor's settings or stricter ones. */
  readonly trial?: Partial<TrialSettings>;
}

export interface ComposedServer {
  /** Null when a finding is an error. */
  readonly config: EffectiveConfig | null;
  readonly provenance: readonly ProvenanceEntry[];
  readonly findings: readonly Finding[];
  /** What a module says of the server as it is, and what this config changes. */
  readonly settled: readonly ToldByModule[];
  /** What the server must be able to do for this config. */
  readonly requires: readonly PlacedRequirement[];
  /** What the server is called by others: its addresses and its host name, each in its one form (canonicalWord). */
  readonly called: readonly string[];
  readonly floor: FloorSettings;
  /** The policies that hold on this server, fleet first. */
  readonly policies: readonly { readonly document: string; readonly revision: number }[];
}

/** The firewall comes last: it hears what every other domain needs it to let through. */
const COMPOSE_ORDER: readonly DomainName[] = [...DOMAINS.filter((domain) => domain !== "firewall"), "firewall"];

/** A policy with its parameters put in. */
interface Filled {
  readonly assigned: AssignedDocument<PolicyDocument>;
  readonly data: { readonly [key: string]: Json | undefined };
  readonly sourceOf: (path: Path) => Path;
}

/**
 * What one server should have: the composition of all that applies to it. Pure and deterministic: the same documents in any order give the
 * same config, and with it the same digest.
 */
export function composeServer(input: ComposeServerInput): ComposedServer {
  const documents = input.documents.toSorted(
    (a, b) => compare(documentId(a.document), documentId(b.document)) || a.revision - b.revision,
  );
  const findings: Finding[] = documents.flatMap(({ document }, index) =>
    index > 0 && documentId(document) === idAt(documents, index - 1)
      ? [
          composeFinding("compose.duplicate_document", `${documentId(document)} is given in two revisions.`, {
            document: documentId(document),
          }),
        ]
      : [],
  );
  const fleet = documents.flatMap(({ document, revision }) =>
    document.kind === "Server" ? [{ document, revision }] : [],
  );
  const floors = documents.flatMap(({ document, revision }) =>
    document.kind === "Floor" ? [{ document, revision }] : [],
  );
  const groups = documents.flatMap(({ document }): GroupDocument[] => (document.kind === "Group" ? [document] : []));
  const server = fleet.find(({ document }) => document.name === input.server);
  if (server === undefined) {
    const finding = composeFinding("compose.unknown_server", `There is no document Server/${input.server}.`, {});
    const { settings: floor } = uniteFloors([]);
    return {
      config: null,
      provenance: [],
      findings: [finding],
      settled: [],
      requires: [],
      called: [],
      floor,
      policies: [],
    };
  }
  const target = { name: server.document.name, labels: server.document.body.labels };
  const policies = documents
    .flatMap(({ document, revision }) =>
      document.kind === "Policy" && selects(document.body.selector, target) ? [{ document, revision }] : [],
    )
    .toSorted(
      (a, b) =>
        LAYERS.indexOf(a.document.body.layer) - LAYERS.indexOf(b.document.body.layer) ||
        compare(a.document.name, b.document.name),
    );

  const united = uniteFloors(
    floors.filter(({ document }: AssignedDocument<FloorDocument>) => selects(document.body.selector, target)),
  );
  const wished = stricterTrial(united.settings.trial, input.trial ?? {});
  findings.push(...united.findings, ...wished.findings, ...unusedParameters(server.document, policies));
  const provenance: ProvenanceEntry[] = [...united.provenance];

  const filled = policies.map((policy) => {
    const parameters = parametersFor(policy, server);
    findings.push(...parameters.findings);
    provenance.push(...parameters.provenance);
    return fill(policy, parameters.values);
  });
  const observedAddresses = input.observedAddresses?.[input.server] ?? [];
  const sides = sidesOf(documents, server.document, observedAddresses, input.secrets ?? []);
  const secretFiles = secretFilesOf(sides);
  findings.push(
    ...sides.flatMap(({ keys }) => keys.flatMap(({ findings }) => findings)),
    ...unknownEnds(
      sides,
      fleet.map(({ document }) => document.name),
    ),
  );
  const missing = findings.some((finding) => finding.severity === "error");
  const composed = missing
    ? null
    : composeDomains(input, {
        server: server.document,
        fleet: fleet.map(({ document }) => document),
        groups,
        filled,
        sides,
        floor: united.settings,
      });
  findings.push(...(composed?.findings ?? []));
  provenance.push(...(composed?.provenance ?? []));

  const finish = locator(documents, [
    ...filled.map(({ assigned, sourceOf }) => ({ document: documentId(assigned.document), sourceOf })),
    ...sides.map(({ assigned, side }) => ({ document: documentId(assigned.document), sourceOf: side.sourceOf })),
  ]);
  const located = unique(findings.map(finish.finding)).toSorted(
    (a, b) => byDanger(a, b) || compare(a.document ?? "", b.document ?? "") || compare(a.message, b.message),
  );
  const config: EffectiveConfig | null =
    composed === null || located.some((finding) => finding.severity === "error")
      ? null
      : {
          server: input.server,
          domains: composed.domains,
          probes: composed.probes,
          trial: wished.trial,
          managementPath: {
            controlPlane: input.controlPlane,
            inbound: united.settings.management.map(({ networks, tcpPorts }) => ({ networks, tcpPorts })),
          },
          ...(united.settings.whenLost === "repair" ? { whenFloorLost: "repair" as const } : {}),
          ...(secretFiles.length === 0 ? {} : { secrets: secretFiles }),
        };
  const placed = provenance.map((entry) => ({
    ...entry,
    from: finish.origin(entry.from),
    beat: entry.beat.map((one) => ({ ...one, origin: finish.origin(one.origin) })),
  }));
  return {
    config,
    provenance: placed,
    findings: located,
    settled: composed?.settled ?? [],
    requires: config === null ? [] : placedRequirements(config.domains, composed?.requires ?? [], placed),
    called: composed?.called ?? [],
    floor: united.settings,
    policies: policies.map(({ document, revision }) => ({ document: documentId(document), revision })),
  };
}

interface Scene {
  readonly server: ServerDocument;
  readonly fleet: readonly ServerDocument[];
  readonly groups: readonly GroupDocument[];
  readonly filled: readonly Filled[];
  readonly sides: readonly PlacedSide[];
  readonly floor: FloorSettings;
}

function composeDomains(
  input: ComposeServerInput,
  scene: Scene,
): {
  readonly domains: EffectiveConfig["domains"];
  readonly probes: readonly Probe[];
  readonly provenance: readonly ProvenanceEntry[];
  readonly findings: readonly Finding[];
  readonly settled: readonly ToldByModule[];
  readonly requires: readonly (Requirement & { readonly domain: DomainName })[];
  readonly called: readonly string[];
} {
  const findings: Finding[] = [];
  const definitions = new Map<string, Readonly<Record<string, readonly string[]>>>();
  const stated: StatedExpectation[] = [];
  for (const { assigned, data } of scene.filled) {
    // Both were checked with samples when the document was read; a value that does not fit shows here.
    const document = documentId(assigned.document);
    const defined = definitionsSchema.safeParse(data["define"] ?? {});
    if (defined.success) definitions.set(document, defined.data);
    else
      findings.push(
        ...defined.error.issues.map((issue) =>
          composeFinding("compose.value", `With the values of this server: ${issue.message}.`, {
            document,
            path: formatPath(["define", ...parts(issue.path)]),
          }),
        ),
      );
    const expected = expectationsSchema.safeParse(data["expect"] ?? []);
    if (expected.success)
      stated.push(
        ...expected.data.map((expectation, index) => ({ origin: originOf(assigned, `expect[${index}]`), expectation })),
      );
    else
      findings.push(
        ...expected.error.issues.map((issue) =>
          composeFinding("compose.value", `With the values of this server: ${issue.message}.`, {
            document,
            path: formatPath(["expect", ...parts(issue.path)]),
          }),
        ),
      );
  }
  for (const { assigned, side } of scene.sides)
    stated.push(
      ...side.expect.map(({ path, expectation }) => ({
        origin: tunnelOrigin(assigned, path),
        expectation,
        mustHold: true,
        own: side.own,
      })),
    );
  const lookup = createLookup({
    server: scene.server,
    fleet: scene.fleet,
    groups: scene.groups,
    definitions,
    observedAddresses: input.observedAddresses ?? {},
  });
  // A name that nobody can resolve is wrong even where no rule uses it.
  for (const { assigned } of scene.filled) {
    const document = documentId(assigned.document);
    for (const [name, references] of Object.entries(definitions.get(document) ?? {})) {
      for (const index of references.keys()) {
        const found = lookup.addresses(
          references[index] ?? "",
          originOf(assigned, "define"),
          `${formatPath(["define", name])}[${index}]`,
        );
        if (!found.ok) findings.push(found.error);
      }
    }
  }

  const results: ComposedDomain[] = [];
  const configs: [DomainName, Json][] = [];
  const provenance: ProvenanceEntry[] = [];
  const needs: Need[] = [];
  const requires: (Requirement & { readonly domain: DomainName })[] = [];
  for (const domain of COMPOSE_ORDER) {
    const written = scene.filled.flatMap(({ assigned, data }): LayeredSection<Json>[] => {
      const section = data[domain];
      return section === undefined ? [] : [{ origin: originOf(assigned, domain), section }];
    });
    const fromTunnels = tunnelLayers(domain, written, scene.sides);
    const layers = [...written, ...fromTunnels.layers];
    findings.push(...fromTunnels.findings);
    const language = input.domains.find((one) => one.domain === domain);
    if (language === undefined) {
      findings.push(
        ...layers.map(({ origin }) =>
          composeFinding("compose.domain_unavailable", `The module of ${domain} is not part of this version.`, {
            document: origin.document,
            path: domain,
          }),
        ),
      );
      continue;
    }
    const result = language.compose(layers, {
      server: scene.server.name,
      floor: scene.floor,
      lookup,
      interfaces: scene.server.body.interfaces,
      controlPlane: input.controlPlane,
      addresses: scene.server.body.addresses,
      needs,
    });
    results.push(result);
    needs.push(...result.needs);
    requires.push(...(result.requires ?? []).map((one) => ({ ...one, domain })));
    findings.push(...result.findings);
    provenance.push(...result.provenance);
    if (result.config !== null) configs.push([domain, result.config]);
  }

  const met = meetExpectations({ stated, lookup, domains: results, controlPlane: input.controlPlane });
  findings.push(...unprovenTunnels(scene.sides, met.probes));
  const path = { controlPlane: input.controlPlane, inbound: scene.floor.management };
  const probes = [...floorProbes(path), ...met.probes];
  const kernel = results.flatMap((result) => result.kernel ?? []);
  const used = useFindings(
    results.flatMap(({ uses }) => uses ?? []),
    results,
    provenance,
  );
  return {
    domains: Object.fromEntries(configs),
    probes,
    provenance,
    findings: [...findings, ...met.findings, ...used, ...kernelFindings(kernel, provenance)],
    settled: settledByConfig(kernel),
    requires,
    called: [
      ...new Set([...scene.server.body.addresses, ...results.flatMap(({ called = [] }) => called)].map(canonicalWord)),
    ],
  };
}

function fill(assigned: AssignedDocument<PolicyDocument>, values: Parameters<typeof substitute>[1]): Filled {
  const filled = substitute(partsWithParameters(assigned.document.data), values);
  return { assigned, data: filled.data as Filled["data"], sourceOf: filled.sourceOf };
}

function originOf(assigned: AssignedDocument<PolicyDocument>, path: string): Origin {
  return {
    document: documentId(assigned.document),
    revision: assigned.revision,
    layer: assigned.document.body.layer,
    path,
  };
}

/** Values for a policy that does not hold here are probably a slip in its name. */
function unusedParameters(
  server: ServerDocument,
  policies: readonly AssignedDocument<PolicyDocument>[],
): readonly Finding[] {
  const names = policies.map(({ document }) => document.name);
  return Object.keys(server.body.params)
    .filter((name) => !names.includes(name))
    .map((name) =>
      composeFinding(
        "compose.parameter_unused",
        `No policy called ${name} holds on ${server.name}, so its values are used nowhere.`,
        { document: documentId(server), path: formatPath(["params", name]) },
      ),
    );
}

/** Adds lines and columns from the texts, and turns paths in filled sections back into paths in the text as written. */
function locator(
  documents: readonly AssignedDocument[],
  made: readonly { readonly document: string; readonly sourceOf: (path: Path) => Path }[],
): { readonly finding: (finding: Finding) => Finding; readonly origin: (origin: Origin) => Origin } {
  const positions = new Map(documents.map(({ document }) => [documentId(document), document.positions]));
  const sources = new Map(made.map(({ document, sourceOf }) => [document, sourceOf]));
  const place = (
    document: string | undefined,
    path: string,
  ): { readonly path: string; readonly line?: number; readonly column?: number } => {
    const own = document === undefined ? undefined : positions.get(document);
    const parsed = parsePath(path);
    if (document === undefined || own === undefined || parsed === null) return { path };
    const written = sources.get(document)?.(parsed) ?? parsed;
    return { path: formatPath(written), ...locate(own, written) };
  };
  return {
    finding: (finding) =>
      finding.line === undefined ? { ...finding, ...place(finding.document, finding.path) } : finding,
    origin: (origin) => {
      const { path, line } = place(origin.document, origin.path);
      return { ...origin, path, ...(line === undefined ? {} : { line }) };
    },
  };
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify([finding.code, finding.document, finding.path, finding.message]);
    return seen.has(key) ? false : seen.add(key);
  });
}

function parts(path: readonly PropertyKey[]): Path {
  return path.filter((part): part is string | number => typeof part !== "symbol");
}

function idAt(documents: readonly AssignedDocument[], index: number): string {
  const found = documents[index];
  return found === undefined ? "" : documentId(found.document);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
