import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { composeServer } from "@holdfast/core/compose/compose.ts";
import type { Domain, DomainName } from "@holdfast/core/domain.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { outlineOf } from "@holdfast/core/policy/schema-outline.ts";
import { DOMAIN_LANGUAGES, DOMAIN_MODULES, nativeTextOf } from "@holdfast/domains/registry.ts";
import { describe, expect, test } from "vitest";
import { REPOSITORY_ROOT } from "../src/repository.ts";

/**
 * Walks every domain that is registered: each has the same files, says what it does to a server and how that hurts, can be undone and read
 * back, and has no field that would carry a secret in clear. A new domain is found by being registered.
 */
const DOMAINS = join(REPOSITORY_ROOT, "domains/src");

/** The files of a domain, each with what it is for. Others stand beside them as a domain needs. */
const CODE = {
  "model.ts": "the concrete config",
  "section.ts": "what people write",
  "parse-config.ts": "a config from outside, checked to its last text",
  "facts.ts": "what to read, and raw facts to observed",
  "foreign.ts": "what others have set, in opaque blocks",
  "capability.ts": "what a server cannot do",
  "validate.ts": "the desired config alone",
  "compose.ts": "how layers merge here",
  "diff.ts": "what differs",
  "guard.ts": "would this cut the management path",
  "plan.ts": "differences to steps",
  "render.ts": "desired to native text",
  "verify.ts": "desired and observed to mismatches",
  "restore.ts": "a snapshot to what to put back",
  "findings.ts": "its codes in one table",
  "domain.ts": "all of it in the one shape",
} as const;

const PAPERS = {
  "README.md": "owns, never touches, how it can hurt, sources",
  examples: "documents that people can begin with",
  golden: "config, native text and plan of whole cases",
  "golden.test.ts": "what compares them",
} as const;

const modules = Object.entries(DOMAIN_MODULES) as unknown as readonly (readonly [DomainName, Domain<Json, Json>])[];

test("what is registered, what speaks the language and what is in the folder are the same domains", () => {
  const folders = readdirSync(DOMAINS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = modules.map(([name]) => name).toSorted();
  expect(folders.map((entry) => entry.name).toSorted()).toEqual(names);
  expect(DOMAIN_LANGUAGES.map(({ domain }) => domain).toSorted()).toEqual(names);
  for (const [name, domain] of modules) expect(domain.name).toBe(name);
});

describe.each(modules)("%s", (name, domain) => {
  test.each(Object.entries(CODE))("has %s: %s", (file) => {
    expect(existsSync(join(DOMAINS, name, file))).toBe(true);
  });

  test("can read, plan, verify, undo and be kept over a boot", () => {
    expect(domain.facts.length).toBeGreaterThan(0);
    expect(new Set(domain.facts.map((query) => query.name)).size).toBe(domain.facts.length);
    for (const part of ["observe", "plan", "verify", "ours", "restore", "persist", "render", "validate"] as const)
      expect(domain[part], part).toBeTypeOf("function");
  });

  test("a server that answers nothing is not taken for one that is as it shall be, and can still be undone", () => {
    const silent = domain.observe({});
    expect(domain.restore(silent, silent)).toEqual([]);
    expect(JSON.stringify(domain.ours(silent))).toBe(JSON.stringify(domain.ours(domain.observe({}))));
    for (const config of exampleConfigs(name)) expect(domain.verify(config, silent).length).toBeGreaterThan(0);
  });

  test("a name __proto__ is refused where it stands, and never left out", () => {
    const parsed = domain.parseConfig(JSON.parse('{"a":{"__proto__":{}}}') as Json);
    expect(parsed).toMatchObject({ ok: false, findings: [{ code: `${name}.config`, path: `${name}.a.__proto__` }] });
  });

  test("every code is its own, has a remedy, and is used", () => {
    const table = readFileSync(join(DOMAINS, name, "findings.ts"), "utf8");
    const codes = [...table.matchAll(/^ {2}"([^"]+)": \{/gm)].map(([, code = ""]) => code);
    const sources = sourcesOf(name).filter((file) => file !== "findings.ts" && !file.endsWith(".test.ts"));
    const used = sources.map((file) => readFileSync(join(DOMAINS, name, file), "utf8")).join("\n");
    expect(codes.length).toBeGreaterThan(0);
    expect(table.match(/remedy:/g)?.length).toBeGreaterThanOrEqual(codes.length);
    for (const code of codes) {
      expect(code).toMatch(new RegExp(`^${name}\\.[a-z0-9_]+$`));
      expect(used.includes(`"${code}"`), `${code} is used`).toBe(true);
    }
  });

  test("no field carries a secret in clear: what sounds like one is a switch, or refers to a secret by name", () => {
    const schema = DOMAIN_LANGUAGES.find((one) => one.domain === name)?.schema;
    expect(schema).toBeDefined();
    if (schema !== undefined) expect(secretsInClear(outlineOf(schema), name)).toEqual([]);
  });
});

describe.each(modules)("%s", (name) => {
  test.each(Object.entries(PAPERS))("has %s: %s", (file) => {
    expect(existsSync(join(DOMAINS, name, file))).toBe(true);
  });

  test("its README says what it owns, what it never touches, how it can hurt and where that is from", () => {
    const text = readFileSync(join(DOMAINS, name, "README.md"), "utf8");
    for (const part of ["**Owns**", "**Never touches**", "## How it can hurt you", "## Sources"])
      expect(text).toContain(part);
    for (const [file] of Object.entries(CODE)) expect(text, `the README tells of ${file}`).toContain(`\`${file}\``);
  });

  test("it has tests of its own beside the golden cases", () => {
    const tests = sourcesOf(name).filter((file) => file.endsWith(".test.ts"));
    expect(tests.length).toBeGreaterThan(1);
  });

  test("every golden case is whole", () => {
    const cases = readdirSync(join(DOMAINS, name, "golden"));
    expect(cases.length).toBeGreaterThan(2);
    for (const one of cases)
      for (const file of ["documents.yaml", "desired.json", "plan.txt"])
        expect(existsSync(join(DOMAINS, name, "golden", one, file)), `${one}/${file}`).toBe(true);
  });

  test("its examples compose and can be shown as native text", () => {
    const configs = exampleConfigs(name);
    expect(configs.length).toBeGreaterThan(0);
    for (const config of configs) expect(nativeTextOf(name, config)?.length).toBeGreaterThan(0);
  });
});

function sourcesOf(name: string): readonly string[] {
  return readdirSync(join(DOMAINS, name)).filter((file) => file.endsWith(".ts"));
}

/** This domain's part of every example of it. */
function exampleConfigs(name: DomainName): readonly Json[] {
  const folder = join(DOMAINS, name, "examples");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((file) => {
    const { documents, findings } = parseDocuments(withServers(readFileSync(join(folder, file), "utf8")), {
      domains: DOMAIN_LANGUAGES,
    });
    expect(findings, file).toEqual([]);
    const composed = composeServer({
      server: documents.find(({ kind }) => kind === "Server")?.name ?? "",
      documents: documents.map((document) => ({ document, revision: 1 })),
      domains: DOMAIN_LANGUAGES,
      controlPlane: [],
    });
    const config = composed.config?.domains[name];
    expect(config, `${file} says nothing of ${name}`).toBeDefined();
    return config ?? null;
  });
}

/** A tunnel's example names its two servers and leaves describing them to their own documents. */
function withServers(text: string): string {
  if (/^kind: Server$/m.test(text)) return text;
  const ends = [...text.matchAll(/^ {4}server: (\S+)$/gm)].map(([, server]) => server);
  return text + ends.map((server) => `---\napiVersion: holdfast/v1\nkind: Server\nname: ${server}\n`).join("");
}

/** What holds the name of a file on the server, in which the secret is. */
const NAMES_A_FILE: ReadonlySet<string> = new Set(["vpn.tunnels.psk"]);
const SOUNDS_SECRET = /secret|passw|passphrase|psk|private|token|credential/i;

/** Paths of fields that sound like a secret and take free text. */
function secretsInClear(outline: unknown, path: string): readonly string[] {
  if (Array.isArray(outline)) return outline.flatMap((one) => secretsInClear(one, path));
  if (typeof outline !== "object" || outline === null) return [];
  return Object.entries(outline).flatMap(([keyword, value]: [string, unknown]) => {
    if (keyword === "properties" && typeof value === "object" && value !== null)
      return Object.entries(value).flatMap(([field, inner]: [string, unknown]) => [
        ...(SOUNDS_SECRET.test(field) && takesText(inner) && !NAMES_A_FILE.has(`${path}.${field}`)
          ? [`${path}.${field}`]
          : []),
        ...secretsInClear(inner, `${path}.${field}`),
      ]);
    return typeof value === "object" ? secretsInClear(value, path) : [];
  });
}

function takesText(outline: unknown): boolean {
  if (typeof outline !== "object" || outline === null) return false;
  const { type, enum: choices, const: constant, pattern, anyOf, items } = outline as Readonly<Record<string, unknown>>;
  if (type === "string")
    return (
      choices === undefined &&
      constant === undefined &&
      !(typeof pattern === "string" && pattern.startsWith("^secret:"))
    );
  return (Array.isArray(anyOf) && anyOf.some(takesText)) || (type === "array" && takesText(items));
}
