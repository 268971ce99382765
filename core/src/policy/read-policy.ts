import type { Json } from "../base/canonical-json.ts";
import { DOMAINS } from "../domain.ts";
import type { Sections } from "./document.ts";
import {
  checkParameter,
  checkWithin,
  type ParameterDeclarations,
  parameterDeclarationsSchema,
  type ParameterValue,
  sampleOf,
} from "./parameter.ts";
import { formatPath, type Path } from "./path.ts";
import { type PolicyBody, policySchema } from "./policy-document.ts";
import { type Complaint, complaintsOf } from "./schema-issue.ts";
import { outlineOf } from "./schema-outline.ts";
import { type SectionSchema, writtenSections } from "./section-schema.ts";
import { didYouMean } from "./spelling.ts";
import { type Substituted, substitute } from "./substitute.ts";

type Data = { readonly [key: string]: Json | undefined };

/**
 * Reads a Policy. Its sections are checked with a sample of the type put in for every `$name`, so that a parameter in a place it cannot fill
 * is found while writing; the real values are checked again when the policy is composed for a server.
 */
export function readPolicy(
  data: Data,
  domains: readonly SectionSchema[],
): { readonly body: PolicyBody | null; readonly complaints: readonly Complaint[] } {
  const available = new Set<string>(writtenSections(domains).map((section) => section.domain));
  const missing = DOMAINS.filter((domain) => data[domain] !== undefined && !available.has(domain));
  const complaints: Complaint[] = missing.map((domain) => ({
    code: "policy.domain_unavailable",
    path: [domain],
    at: "key",
    ...(domains.some((section) => section.domain === domain)
      ? {
          message: `A policy has no ${domain} section: a tunnel is a document of its own, so that both of its ends come from one text.`,
          remedy: "Write a document of kind Tunnel.",
        }
      : {
          message: `${domain} is a domain whose module is not part of this version; nothing in this section would be applied.`,
        }),
  }));

  const declared = parameterDeclarationsSchema.safeParse(data["params"] ?? {});
  const params: ParameterDeclarations = declared.success ? declared.data : {};
  const filled = substitute(
    partsWithParameters(data, missing),
    Object.fromEntries(Object.entries(params).map(([name, one]) => [name, one.default ?? sampleOf(one)])),
  );
  if (declared.success) complaints.push(...checkUses(filled, params), ...checkDeclarations(params));

  const whole: Data = {
    ...Object.fromEntries(Object.entries(data).filter(([key]) => !missing.some((domain) => domain === key))),
    ...(filled.data as Data),
  };
  const schema = policySchema(domains);
  const parsed = schema.safeParse(whole);
  if (!parsed.success) {
    const uses = new Map(filled.uses.map((use) => [formatPath(use.path), use.name]));
    for (const complaint of complaintsOf(parsed.error.issues, whole, outlineOf(schema))) {
      const path = filled.sourceOf(complaint.path);
      const name = nameAt(uses, path);
      // What is wrong with a parameter that is not declared is only that.
      if (name !== undefined && params[name] === undefined) continue;
      if (filled.malformed.some((one) => formatPath(one.path) === formatPath(path))) continue;
      const message =
        name === undefined
          ? complaint.message
          : `$${name} is ${aType(params[name]?.type)}, which does not fit here. ${complaint.message}`;
      const remedy =
        name === undefined
          ? {}
          : { remedy: "Declare a parameter of the type that fits here, or write the value itself." };
      complaints.push({ ...complaint, path, message, ...remedy });
    }
  }
  if (!parsed.success || complaints.some((complaint) => complaint.code !== "policy.parameter_unused"))
    return { body: null, complaints };
  const { description, layer, selector } = parsed.data;
  const sections: Sections = Object.fromEntries(
    DOMAINS.flatMap((domain) => (data[domain] === undefined ? [] : [[domain, data[domain]]])),
  );
  return {
    body: { layer, selector, params, sections, ...(description === undefined ? {} : { description }) },
    complaints,
  };
}

/** The keys in which `$name` may stand. */
export function partsWithParameters(data: Data, without: readonly string[] = []): Data {
  const keys = ["define", "expect", ...DOMAINS].filter((key) => data[key] !== undefined && !without.includes(key));
  return Object.fromEntries(keys.map((key) => [key, data[key]]));
}

function checkUses(filled: Substituted, params: ParameterDeclarations): readonly Complaint[] {
  const names = Object.keys(params);
  const used = new Set(filled.uses.map((use) => use.name));
  return [
    ...filled.uses
      .filter((use) => !names.includes(use.name))
      .map((use): Complaint => ({
        code: "policy.parameter",
        path: use.path,
        at: "value",
        message: `No parameter is called ${use.name}${sentenceEnd(didYouMean(use.name, names))}`,
      })),
    ...filled.malformed.map((one): Complaint => ({
      code: "policy.parameter",
      path: one.path,
      at: "value",
      message: `${JSON.stringify(one.text)} begins with $ and is not the name of a parameter; $name always stands for a whole value.`,
      remedy: "Write $ and the name alone; parts of a text cannot be put in.",
    })),
    ...names
      .filter(
        (name) => !used.has(name) && !Object.values(params).some((one) => one.type === "address" && one.in === name),
      )
      .map((name): Complaint => ({
        code: "policy.parameter_unused",
        path: ["params", name],
        at: "key",
        message: `The parameter ${name} is used nowhere.`,
      })),
  ];
}

function checkDeclarations(params: ParameterDeclarations): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const refuse = (path: Path, message: string): void =>
    void complaints.push({ code: "policy.value", path, at: "value", message: `${message}.` });
  const defaults: Record<string, ParameterValue> = Object.fromEntries(
    Object.entries(params).flatMap(([name, one]) => (one.default === undefined ? [] : [[name, one.default]])),
  );
  for (const [name, declaration] of Object.entries(params)) {
    if (
      declaration.type === "address" &&
      declaration.in !== undefined &&
      params[declaration.in]?.type !== "interface-address"
    ) {
      const known = Object.keys(params).filter((other) => params[other]?.type === "interface-address");
      refuse(
        ["params", name, "in"],
        `${declaration.in} is not a parameter of type interface-address${didYouMean(declaration.in, known).replace(/\?$/, "")}`,
      );
    }
    if (declaration.default === undefined) continue;
    for (const checked of [
      checkParameter(declaration, declaration.default),
      checkWithin(declaration, declaration.default, defaults),
    ]) {
      if (!checked.ok) refuse(["params", name, "default"], checked.error);
    }
  }
  return complaints;
}

/** The parameter that stands at a path or around it: a complaint may point inside the value that was put in. */
function nameAt(uses: ReadonlyMap<string, string>, path: Path): string | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const name = uses.get(formatPath(path.slice(0, length)));
    if (name !== undefined) return name;
  }
  return undefined;
}

function aType(type: ParameterDeclarations[string]["type"] | undefined): string {
  switch (type) {
    case "interface-address":
      return "the address of an interface";
    case "address":
      return "an address";
    case "networks":
      return "a list of networks";
    case "port":
      return "a port";
    case "choice":
      return "a choice";
    case undefined:
      return "unknown";
  }
}

function sentenceEnd(hint: string): string {
  return hint === "" ? "." : hint;
}
