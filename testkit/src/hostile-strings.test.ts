import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { composeServer } from "@holdfast/core/compose/compose.ts";
import type { Domain, DomainName } from "@holdfast/core/domain.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { DOMAIN_LANGUAGES, DOMAIN_MODULES, nativeTextOf } from "@holdfast/domains/registry.ts";
import { describe, expect, test } from "vitest";
import { isMap, isScalar, isSeq, parseAllDocuments, type Document, type Node } from "yaml";
import { REPOSITORY_ROOT } from "./repository.ts";

/**
 * Every string of every document and of every config, replaced by what has broken other people's configuration: it is refused where it
 * stands, or it is carried to the letter and nothing beside it changes. Nothing is ever interpreted. A new field of a domain is found by
 * standing in an example; so is a new kind of document.
 */
const HOSTILE = {
  "a quote": 'a"b',
  "a single quote and a semicolon": "a'; reboot; '",
  "a command": "$(touch /tmp/owned)",
  "a command in backticks": "`touch /tmp/owned`",
  "a parameter of a shell": "${IFS}x",
  "a line end": "a\nflush ruleset",
  "a carriage return": "a\r\nPermitRootLogin yes",
  "a closing brace": "a } ; drop",
  "an option": "--help",
  "a path upwards": "../../etc/shadow",
  "a section": "[Match]\nName=*",
  "another way to write a letter": "аdmin\u202e",
  "a control character": "a\u0000b\u001b[2J",
  "64 KB": "x".repeat(65_536),
} as const;

/** Fields for people, and texts that are shown as they are: what is written there is the value, whatever it is. */
const FREE_TEXT = new Set(["why", "description", "comment", "motd", "issue", "issueNet", "revoked"]);
/** What goes to charon as a value of a message and stands on no command line. */
const NO_COMMAND_LINE = new Set(["identity"]);

const DOMAINS = join(REPOSITORY_ROOT, "domains/src");

const EXAMPLES = readdirSync(DOMAINS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => {
    const folder = join(DOMAINS, name, "examples");
    return readdirSync(folder).map((file) => ({
      name: `${name}/${file}`,
      text: withServers(readFileSync(join(folder, file), "utf8")),
    }));
  });

/** What no example of a domain shows. */
const OTHERS = {
  name: "the other kinds of document",
  text: `apiVersion: holdfast/v1
kind: Floor
name: everywhere
description: What no policy can weaken.
selector: { site: seoul }
management:
  - { name: ops, networks: [192.0.2.0/24], tcpPorts: [22] }
---
apiVersion: holdfast/v1
kind: Group
name: partners
description: Those who may.
addresses: [198.51.100.7, "2001:db8:9::/48"]
---
apiVersion: holdfast/v1
kind: Group
name: console-port
services: [tcp/8443]
`,
};

/** A tunnel's example names its servers and leaves describing them to their own documents. */
function withServers(text: string): string {
  if (/^kind: Server$/m.test(text)) return text;
  const ends = [...text.matchAll(/^ {4}server: (\S+)$/gm)].map(([, server]) => server);
  return text + ends.map((server) => `---\napiVersion: holdfast/v1\nkind: Server\nname: ${server}\n`).join("");
}

interface Place {
  readonly document: number;
  readonly path: readonly (string | number)[];
  /** The string is a key of the map at `path`, not a value. */
  readonly key: string | null;
}

function documentsIn(text: string): readonly Document[] {
  return parseAllDocuments(text) as Document[];
}

function placesOf(documents: readonly Document[]): readonly Place[] {
  return documents.flatMap(({ contents }, document) => walk(contents, []).map((place) => ({ ...place, document })));
}

function walk(node: Node | null, path: readonly (string | number)[]): readonly Omit<Place, "document">[] {
  if (isScalar(node)) return typeof node.value === "string" ? [{ path, key: null }] : [];
  if (isSeq(node)) return node.items.flatMap((item, at) => walk(item as Node, [...path, at]));
  if (!isMap(node)) return [];
  return node.items.flatMap((pair) => {
    const key = String((pair.key as { readonly value: unknown }).value);
    return [{ path, key }, ...walk(pair.value as Node | null, [...path, key])];
  });
}

/** The one document with another string at a place. */
function withText(document: Document | undefined, place: Place, instead: string): string {
  if (document === undefined) throw new Error("there is no such document");
  const changed = document.clone();
  if (place.key === null) changed.setIn(place.path, instead);
  else {
    const map = place.path.length === 0 ? changed.contents : changed.getIn(place.path, true);
    if (!isMap(map)) throw new Error(`${place.path.join(".")} is no map`);
    for (const pair of map.items)
      if (String((pair.key as { readonly value: unknown }).value) === place.key) pair.key = changed.createNode(instead);
  }
  return asPart(changed);
}

function asPart(document: Document): string {
  return String(document).replace(/^(?!---\n)/, "---\n");
}

/** The native text of every domain of every server that the documents name; null where the text is refused. */
function outcome(text: string): { readonly data: string; readonly native: string } | null {
  const { documents, findings } = parseDocuments(text, { domains: DOMAIN_LANGUAGES });
  if (findings.some(({ severity }) => severity === "error")) return null;
  const native: string[] = [];
  for (const server of documents.filter(({ kind }) => kind === "Server")) {
    const composed = composeServer({
      server: server.name,
      documents: documents.map((document) => ({ document, revision: 1 })),
      domains: DOMAIN_LANGUAGES,
      controlPlane: [],
    });
    if (composed.config === null || composed.config === undefined) return null;
    for (const [domain, part] of Object.entries(composed.config.domains))
      native.push(nativeTextOf(domain as DomainName, part) ?? "");
  }
  return { data: JSON.stringify(documents.map(({ data }) => data)), native: native.join("\n") };
}

test.each([...EXAMPLES, OTHERS])("$name is read as it is", ({ text }) => {
  expect(outcome(text)).not.toBeNull();
});

interface Field {
  readonly name: string;
  readonly documents: readonly Document[];
  readonly place: Place;
}

/** Each field once, wherever it stands: the second rule of a list is read by the same words as the first. */
const FIELDS: readonly Field[] = [
  ...new Map(
    [...EXAMPLES, OTHERS].flatMap(({ text }) => {
      const documents = documentsIn(text);
      return placesOf(documents).map((place) => {
        const kind = String(documents[place.document]?.get("kind"));
        const path = place.path.map((part) => (typeof part === "number" ? "*" : part)).join(".");
        const name = `${kind} ${path}${place.key === null ? "" : `, the key ${place.key}`}`;
        return [name, { name, documents, place }] as const;
      });
    }),
  ).values(),
];

test("there are fields of every kind of document", () => {
  expect(FIELDS.length).toBeGreaterThan(150);
  const kinds = new Set(FIELDS.map(({ name }) => name.slice(0, name.indexOf(" "))));
  expect([...kinds].toSorted()).toEqual(["Floor", "Group", "Policy", "Server", "Tunnel"]);
});

/** To read a document takes longer than to check a config, where all of them are tried. */
const AT_DOCUMENTS: readonly (keyof typeof HOSTILE)[] = [
  "a quote",
  "a single quote and a semicolon",
  "a command",
  "a line end",
  "a closing brace",
  "an option",
  "another way to write a letter",
  "64 KB",
];

test.each(FIELDS)("$name: a hostile string is refused, or carried to the letter and nothing else changes", (field) => {
  const { documents, place } = field;
  const whole = (instead: string): string =>
    documents.map((one, at) => (at === place.document ? withText(one, place, instead) : asPart(one))).join("");
  for (const what of AT_DOCUMENTS) {
    const hostile = HOSTILE[what];
    // Most are refused by the document in which they stand, which is soon read.
    const alone = withText(documents[place.document], place, hostile);
    const { findings } = parseDocuments(alone, { domains: DOMAIN_LANGUAGES });
    if (findings.some(({ severity }) => severity === "error")) continue;
    const got = outcome(whole(hostile));
    if (got === null) continue;
    const last = String(place.path.at(-1));
    const isFree = FREE_TEXT.has(last) || (what === "an option" && NO_COMMAND_LINE.has(last));
    expect(place.key === null && isFree, `it takes ${what}`).toBe(true);
    expect(got.data.includes(JSON.stringify(hostile)), `${what} is carried`).toBe(true);
    expect(literally(got.native, hostile), `${what} changes what is beside it`).toBe(
      literally(outcome(whole("harmless"))?.native ?? "", "harmless"),
    );
  }
});

/**
 * The text with the string taken for a harmless one, as it stands or between quotes. The label of a tunnel's child is a digest of all that
 * both ends must agree on.
 */
function literally(native: string, hostile: string): string {
  const quoted = JSON.stringify(hostile).slice(1, -1);
  return native
    .replaceAll(hostile, "harmless")
    .replaceAll(quoted, "harmless")
    .replaceAll(/\bc-[0-9a-f]{16}\b/g, "c-label");
}

const modules = Object.entries(DOMAIN_MODULES) as unknown as readonly (readonly [DomainName, Domain<Json, Json>])[];

/** The same at the agent's own door, which takes nobody's word for it that somebody has looked before. */
describe.each(modules)("a config of %s from outside", (name, domain) => {
  const configs = EXAMPLES.filter((example) => example.name.startsWith(`${name}/`)).flatMap(({ text }) => {
    const { documents } = parseDocuments(text, { domains: DOMAIN_LANGUAGES });
    return documents
      .filter(({ kind }) => kind === "Server")
      .flatMap(({ name: server }) => {
        const given = documents.map((document) => ({ document, revision: 1 }));
        const composed = composeServer({ server, documents: given, domains: DOMAIN_LANGUAGES, controlPlane: [] });
        const part = composed.config?.domains[name];
        return part === undefined ? [] : [part];
      });
  });

  test("a hostile string in any of its places is refused, or is only ever a value", () => {
    expect(configs.length).toBeGreaterThan(0);
    const seen = new Set<string>();
    for (const config of configs) {
      for (const [where, put] of jsonPlaces(config)) {
        const field = where.replaceAll(/\[\d+\]/g, "[*]");
        if (seen.has(field)) continue;
        seen.add(field);
        for (const [what, hostile] of Object.entries(HOSTILE)) {
          const parsed = domain.parseConfig(put(hostile));
          if (!parsed.ok) {
            expect(parsed.findings.length, `${where}: ${what}`).toBeGreaterThan(0);
            continue;
          }
          const plain = domain.parseConfig(put("harmless"));
          expect(plain.ok, `${where} takes ${what} and not a plain word`).toBe(true);
          const native = domain.render(parsed.config, null);
          const beside = plain.ok ? domain.render(plain.config, null) : "";
          expect(literally(native, hostile), `${where}: ${what} changes what is beside it`).toBe(
            literally(beside, "harmless"),
          );
        }
      }
    }
  });
});

type Put = (text: string) => Json;

/** Every string of a value, keys of maps included, with what puts another in its place. */
function jsonPlaces(value: Json, at = ""): readonly (readonly [string, Put])[] {
  if (typeof value === "string") return [[at, (text) => text]];
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((one, index) =>
      jsonPlaces(one, `${at}[${index}]`).map(
        ([where, put]) =>
          [
            where,
            (text: string) => (value as readonly Json[]).map((old, i) => (i === index ? put(text) : old)),
          ] as const,
      ),
    );
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value as Readonly<Record<string, Json>>);
  return entries.flatMap(([key, one]) => [
    [
      `${at}.${key} (its name)`,
      (text: string) => Object.fromEntries(entries.map(([old, inner]) => [old === key ? text : old, inner])),
    ] as const,
    ...jsonPlaces(one, `${at}.${key}`).map(
      ([where, put]) =>
        [
          where,
          (text: string) => Object.fromEntries(entries.map(([old, inner]) => [old, old === key ? put(text) : inner])),
        ] as const,
    ),
  ]);
}
