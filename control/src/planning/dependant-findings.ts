import type { Finding } from "@holdfast/core/base/finding.ts";
import { documentId, type ParsedDocument } from "@holdfast/core/policy/document.ts";
import { type Mention, mentionsOf } from "@holdfast/core/policy/mentions.ts";
import type { Composition } from "./compose-for.ts";
import { planningFinding } from "./planning-findings.ts";
import type { Edit } from "./selection.ts";
import type { World, WorldServer } from "./world.ts";

/** What is more is the same message. */
const MOST_FINDINGS = 10;

/**
 * Who still calls a server as it is not called any more: documents that say an address or a host name themselves, where a reference (`server:NAME`)
 * would follow. What another server is called after the change is its matter.
 */
export function dependantFindings(
  world: World,
  edits: readonly Edit[],
  before: (server: WorldServer) => Composition,
  after: (server: WorldServer) => Composition,
  { server, composed }: Composition,
): readonly Finding[] {
  // Where composing found an error nobody knows what the server would be called.
  if (composed.config === null) return [];
  const called = new Set(composed.called);
  const names = new Set(world.servers.map(({ name }) => name));
  // A host name that is also a server's name stands in references, which mean the server.
  const gone = before(server).composed.called.filter((word) => !called.has(word) && !names.has(word));
  if (gone.length === 0) return [];
  const mentions = documentsAfter(world, edits)
    .map((document) => ({ document, found: mentionsOf(document, new Set(gone)) }))
    .filter(({ found }) => found.length > 0);
  if (mentions.length === 0) return [];
  const others = new Set(
    world.servers.flatMap((other) => (other.id === server.id ? [] : after(other).composed.called)),
  );
  const findings = mentions.flatMap(({ document, found }) =>
    [...Map.groupBy(found, ({ word }) => word)].flatMap(([word, places]) =>
      others.has(word) ? [] : [stillCalled(server.name, document, word, places)],
    ),
  );
  return findings.slice(0, MOST_FINDINGS);
}

function documentsAfter(world: World, edits: readonly Edit[]): readonly ParsedDocument[] {
  const edited = new Map(edits.map((edit) => [edit.documentId, edit.document]));
  const kept = [...world.heads.values()].flatMap(({ id, revision, deleted }) =>
    deleted || edited.has(id) ? [] : [world.document(id, revision)],
  );
  return [...edited.values(), ...kept].filter((document) => document !== null);
}

function stillCalled(
  server: string,
  document: ParsedDocument,
  word: string,
  [first, ...more]: readonly Mention[],
): Finding {
  const elsewhere = more.length === 0 ? "" : ` (and in ${more.length} more ${more.length === 1 ? "place" : "places"})`;
  const finding = planningFinding(
    "plan.still_called",
    `After this change ${server} is not called ${word} any more, and ${documentId(document)} still says it${elsewhere}.`,
    first?.path ?? "",
  );
  return { ...finding, document: documentId(document), line: first?.line };
}
