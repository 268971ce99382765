import type { Finding } from "../base/finding.ts";
import { documentId, type PolicyDocument, type ServerDocument } from "../policy/document.ts";
import { checkParameter, checkWithin, type ParameterValue } from "../policy/parameter.ts";
import { formatPath } from "../policy/path.ts";
import { didYouMean } from "../policy/spelling.ts";
import type { ProvenanceEntry } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";

export interface ServerParameters {
  readonly values: Readonly<Record<string, ParameterValue>>;
  /** Which document each value is from: `$branch-gateway.shop`. */
  readonly provenance: readonly ProvenanceEntry[];
  readonly findings: readonly Finding[];
}

/** The values of one policy's parameters on one server: the Server's own, else the default. Every value is checked against its type. */
export function parametersFor(
  policy: { readonly document: PolicyDocument; readonly revision: number },
  server: { readonly document: ServerDocument; readonly revision: number },
): ServerParameters {
  const { params } = policy.document.body;
  const name = policy.document.name;
  const given = Object.hasOwn(server.document.body.params, name) ? (server.document.body.params[name] ?? {}) : {};
  const place = (parameter: string | null): { document: string; path: string } => ({
    document: documentId(server.document),
    path: formatPath(parameter === null ? ["params", name] : ["params", name, parameter]),
  });
  const findings: Finding[] = [];
  const provenance: ProvenanceEntry[] = [];
  const values: Record<string, ParameterValue> = {};

  for (const parameter of Object.keys(given)) {
    if (Object.hasOwn(params, parameter)) continue;
    const hint = didYouMean(parameter, Object.keys(params));
    findings.push(
      composeFinding(
        "compose.parameter",
        `${documentId(policy.document)} has no parameter ${parameter}${hint === "" ? "." : hint}`,
        place(parameter),
      ),
    );
  }
  for (const [parameter, declaration] of Object.entries(params)) {
    const own = Object.hasOwn(given, parameter) ? given[parameter] : undefined;
    const value = own ?? declaration.default;
    if (value === undefined) {
      const message = `${documentId(policy.document)} is selected for ${server.document.name} and needs a value for ${parameter} (${declaration.type}).`;
      findings.push(composeFinding("compose.parameter_missing", message, place(null)));
      continue;
    }
    const checked = checkParameter(declaration, value);
    if (!checked.ok) {
      findings.push(composeFinding("compose.parameter", `${checked.error}.`, place(parameter)));
      continue;
    }
    values[parameter] = checked.value;
    const from =
      own === undefined
        ? {
            document: documentId(policy.document),
            revision: policy.revision,
            layer: policy.document.body.layer,
            path: formatPath(["params", parameter, "default"]),
          }
        : {
            document: documentId(server.document),
            revision: server.revision,
            layer: "server" as const,
            path: place(parameter).path,
          };
    provenance.push({ item: `$${name}.${parameter}`, from, beat: [] });
  }
  for (const [parameter, value] of Object.entries(values)) {
    const declaration = params[parameter];
    const within = declaration === undefined ? undefined : checkWithin(declaration, value, values);
    if (within?.ok === false) findings.push(composeFinding("compose.parameter", `${within.error}.`, place(parameter)));
  }
  return { values, provenance, findings };
}
