import type { z } from "zod";
import type { Json } from "../base/canonical-json.ts";
import type { Finding } from "../base/finding.ts";
import { API_VERSION, DOCUMENT_KINDS, type DocumentKind, documentId, type ParsedDocument } from "./document.ts";
import { type LanguageCode, languageFinding } from "./findings.ts";
import { floorSchema } from "./floor-document.ts";
import { groupSchema } from "./group-document.ts";
import { formatPath, type Path } from "./path.ts";
import { readPolicy } from "./read-policy.ts";
import { type Complaint, complaintsOf } from "./schema-issue.ts";
import { outlineOf } from "./schema-outline.ts";
import type { SectionSchema } from "./section-schema.ts";
import { serverSchema } from "./server-document.ts";
import { didYouMean } from "./spelling.ts";
import { type Slice, splitStream } from "./stream.ts";
import { tunnelBody, tunnelSchema } from "./tunnel-document.ts";
import { byPlace, locate, type Position, type Positions, readYaml } from "./yaml-source.ts";

export interface ParseOptions {
  /** Name of the file, kept with each document for people. */
  readonly file?: string;
  /** The domains that this version has, each with the schema of its section. */
  readonly domains: readonly SectionSchema[];
}

export interface ParsedDocuments {
  /** The documents without an error. Their texts joined are the whole text when every document has none. */
  readonly documents: readonly ParsedDocument[];
  /** In reading order, for the whole text. */
  readonly findings: readonly Finding[];
}

/**
 * In characters. A policy of 10,000 rules has about 700,000; reading YAML takes some two seconds per million, in which nothing else runs,
 * so more would let one author hold up everybody.
 */
const MAX_LENGTH = 2_000_000;

/** More findings than this help nobody. */
const MAX_FINDINGS = 200;

/**
 * Control characters, line breaks that only YAML 1.1 knows, and the invisible characters that make a text look like another one:
 * a bidirectional override can show `drop` where `allow` is read.
 */
const BAD_CHARACTER =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\r(?!\n)/gu;

/** Reads a stream of documents. Every finding says where, what and what to do; nothing is ignored silently. */
export function parseDocuments(text: string, options: ParseOptions): ParsedDocuments {
  const refused = refuseText(text);
  if (refused.length > 0) return { documents: [], findings: capped(refused) };
  const documents: ParsedDocument[] = [];
  const findings: Finding[] = [];
  const seen = new Map<string, number>();
  for (const slice of joinEmpty(splitStream(text))) {
    const read = readDocument(slice, options);
    findings.push(...read.findings);
    if (read.document === null) continue;
    const id = documentId(read.document);
    const first = seen.get(id);
    const place = locate(read.document.positions, ["name"]);
    if (first !== undefined) {
      findings.push(
        languageFinding("policy.duplicate_document", `${id} stands in line ${first} already.`, {
          path: "name",
          document: id,
          ...place,
        }),
      );
      continue;
    }
    seen.set(id, place?.line ?? 1);
    documents.push(read.document);
  }
  if (documents.length === 0 && findings.length === 0)
    findings.push(languageFinding("policy.empty", "There is no document here.", { line: 1, column: 1 }));
  return { documents, findings: capped(findings) };
}

function refuseText(text: string): readonly Finding[] {
  if (text.length > MAX_LENGTH)
    return [
      languageFinding(
        "policy.too_big",
        `The text has ${text.length} characters; ${MAX_LENGTH} are the most that is read at once.`,
        { line: 1, column: 1 },
      ),
    ];
  if (!text.isWellFormed())
    return [languageFinding("policy.character", "The text is not valid Unicode.", { line: 1, column: 1 })];
  return [...text.matchAll(BAD_CHARACTER)].slice(0, MAX_FINDINGS).map((found) => {
    const before = text.slice(0, found.index);
    const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return languageFinding("policy.character", `The invisible character U+${code} stands here.`, {
      line: before.split("\n").length,
      column: found.index - before.lastIndexOf("\n"),
    });
  });
}

/** Slices with nothing but comments go with the document after them, the last with the one before, so that no comment is lost. */
function joinEmpty(slices: readonly Slice[]): readonly Slice[] {
  const joined: Slice[] = [];
  let waiting: Slice | null = null;
  for (const slice of slices) {
    const whole: Slice = waiting === null ? slice : { ...waiting, text: waiting.text + slice.text };
    const empty = !readsAsSomething(slice.text);
    waiting = empty ? whole : null;
    if (!empty) joined.push(whole);
  }
  const last = joined.at(-1);
  if (waiting !== null && last !== undefined) joined[joined.length - 1] = { ...last, text: last.text + waiting.text };
  return joined;
}

interface ReadDocument {
  readonly document: ParsedDocument | null;
  readonly findings: readonly Finding[];
}

function readDocument(slice: Slice, options: ParseOptions): ReadDocument {
  // A joined slice holds empty documents beside the one that counts: only that one is read.
  const parts = splitStream(slice.text);
  const part = parts.find((candidate) => readsAsSomething(candidate.text)) ?? { text: slice.text, line: 0 };
  const source = readYaml(part.text, slice.line + part.line);
  if (source.findings.length > 0) return { document: null, findings: source.findings.toSorted(byPlace) };
  const { data, positions } = source;
  const top = locate(positions, []) ?? { line: slice.line + 1, column: 1 };
  if (!isRecord(data))
    return refuse(
      languageFinding("policy.kind", "A document is a map that begins with apiVersion and kind.", { ...top }),
    );

  const kind = kindOf(data, positions, top, options);
  if (typeof kind !== "string") return refuse(kind);
  const name = typeof data["name"] === "string" ? data["name"] : "";
  const id = name === "" ? undefined : documentId({ kind, name });
  const say = (
    code: LanguageCode,
    message: string,
    path: Path,
    at: "key" | "value" = "value",
    remedy?: string,
  ): Finding =>
    languageFinding(code, message, {
      path: formatPath(path),
      ...locate(positions, path, at),
      ...(id === undefined ? {} : { document: id }),
      ...(remedy === undefined ? {} : { remedy }),
    });
  const common = {
    name,
    text: slice.text,
    data,
    positions,
    ...(options.file === undefined ? {} : { file: options.file }),
  };
  const finish = <Body>(read: BodyRead<Body>, make: (body: Body) => ParsedDocument): ReadDocument => ({
    document: read.body === null ? null : make(read.body),
    findings: read.complaints
      .map((complaint) => say(complaint.code, complaint.message, complaint.path, complaint.at, complaint.remedy))
      .toSorted(byPlace),
  });
  switch (kind) {
    case "Policy":
      return finish(readPolicy(data, options.domains), (body) => ({ kind, body, ...common }));
    case "Server":
      return finish(
        readPlain(serverSchema, data),
        ({ description, labels = {}, addresses = [], interfaces = {}, params = {}, leaves = false }) => ({
          kind,
          body: {
            labels,
            addresses,
            interfaces,
            params,
            leaves,
            ...(description === undefined ? {} : { description }),
          },
          ...common,
        }),
      );
    case "Tunnel":
      return finish(readPlain(tunnelSchema, data), (tunnel) => ({ kind, body: tunnelBody(tunnel), ...common }));
    case "Group":
      return finish(readPlain(groupSchema, data), ({ description, addresses, services }) => ({
        kind,
        body: {
          ...(description === undefined ? {} : { description }),
          ...(addresses === undefined ? {} : { addresses }),
          ...(services === undefined ? {} : { services }),
        },
        ...common,
      }));
    case "Floor":
      return finish(readPlain(floorSchema, data), (floor) => ({ kind, body: floorBody(floor), ...common }));
  }
}

interface BodyRead<Body> {
  readonly body: Body | null;
  readonly complaints: readonly Complaint[];
}

function readPlain<Schema extends z.ZodType>(schema: Schema, data: Json): BodyRead<z.output<Schema>> {
  const parsed = schema.safeParse(data);
  return parsed.success
    ? { body: parsed.data, complaints: [] }
    : { body: null, complaints: complaintsOf(parsed.error.issues, data, outlineOf(schema)) };
}

function floorBody(floor: z.output<typeof floorSchema>): Extract<ParsedDocument, { kind: "Floor" }>["body"] {
  const {
    description,
    selector,
    management = [],
    trial = {},
    approvals,
    approvalsWhen = [],
    breakGlass,
    stepUp,
    whenLost,
    waves = {},
  } = floor;
  return {
    ...(description === undefined ? {} : { description }),
    selector,
    management,
    trial: {
      ...(trial.reconnect === undefined ? {} : { reconnectSeconds: trial.reconnect }),
      ...(trial.soak === undefined ? {} : { soakSeconds: trial.soak }),
      ...(trial.window === undefined ? {} : { windowSeconds: trial.window }),
      ...(trial.confirm === undefined ? {} : { confirm: trial.confirm }),
    },
    ...(approvals === undefined ? {} : { approvals }),
    approvalsWhen: approvalsWhen.map(({ approvals: asked, servers, managementPath, domains, failedWithin }) => ({
      approvals: asked,
      ...(servers === undefined ? {} : { servers }),
      ...(managementPath === undefined ? {} : { managementPath: true }),
      ...(domains === undefined ? {} : { domains }),
      ...(failedWithin === undefined ? {} : { failedWithinSeconds: failedWithin }),
    })),
    ...(breakGlass === undefined ? {} : { breakGlass }),
    ...(stepUp === undefined ? {} : { stepUp: { withinSeconds: stepUp.within, tokens: stepUp.tokens ?? "refused" } }),
    ...(whenLost === undefined ? {} : { whenLost }),
    waves: {
      ...(waves.canary === undefined ? {} : { canary: waves.canary }),
      ...(waves.percent === undefined ? {} : { percent: waves.percent }),
      ...(waves.pause === undefined ? {} : { pauseSeconds: waves.pause }),
      ...(waves.atOnce === undefined ? {} : { atOnce: waves.atOnce }),
    },
  };
}

function kindOf(
  data: Readonly<Record<string, Json | undefined>>,
  positions: Positions,
  top: Position,
  { domains }: ParseOptions,
): DocumentKind | Finding {
  const at = (key: string): { path: string; line: number; column: number } => ({
    path: key,
    ...(key in data ? (locate(positions, [key]) ?? top) : top),
  });
  const version = data["apiVersion"];
  if (version !== API_VERSION) {
    const message =
      version === undefined
        ? "apiVersion is missing."
        : `${JSON.stringify(version)} is not a version of the language that is read here.`;
    return languageFinding("policy.api_version", message, at("apiVersion"));
  }
  const kind = data["kind"];
  if (kind === "Tunnel" && !domains.some(({ domain }) => domain === "vpn")) {
    return languageFinding(
      "policy.domain_unavailable",
      "A Tunnel needs the vpn domain, whose module is not part of this version.",
      at("kind"),
    );
  }
  const known = DOCUMENT_KINDS.find((candidate) => candidate === kind);
  if (known !== undefined) return known;
  const message =
    kind === undefined
      ? "kind is missing."
      : `${JSON.stringify(kind)} is not a kind of document${typeof kind === "string" ? didYouMean(kind, DOCUMENT_KINDS) : ""}`;
  return languageFinding("policy.kind", /[.?]$/.test(message) ? message : `${message}.`, at("kind"));
}

function readsAsSomething(text: string): boolean {
  return text.split("\n").some((line) => !/^(?:---)?[ \t]*(?:#.*)?\r?$/.test(line));
}

function refuse(finding: Finding): ReadDocument {
  return { document: null, findings: [finding] };
}

function capped(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length <= MAX_FINDINGS) return findings;
  const rest = findings.length - MAX_FINDINGS;
  return [...findings.slice(0, MAX_FINDINGS), languageFinding("policy.more", `There are ${rest} more findings.`, {})];
}

function isRecord(data: Json | undefined): data is { readonly [key: string]: Json | undefined } {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}
