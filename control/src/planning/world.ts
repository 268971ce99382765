import type { Digest, DocumentId, Generation, ServerId } from "@holdfast/core/base/id.ts";
import type { ParsedDocument, ServerDocument } from "@holdfast/core/policy/document.ts";
import type { SecretVersion } from "@holdfast/core/secret/secret-file.ts";
import { addressesInFacts } from "../probe/own-address.ts";
import { catalogue } from "../secrets/secret-store.ts";
import { listAllAssignments } from "../store/assignments.ts";
import type { Queryable } from "../store/database.ts";
import { listHeads } from "../store/documents.ts";
import { listServers } from "../store/servers.ts";
import type { DocumentKind, Enrolment, RevisionRef } from "../store/tables.ts";
import { type DocumentCache, keyOf } from "./document-cache.ts";

/** Everything that composing needs to know of the house, as it is at one moment. */
export interface World {
  /** Those that are not released, by name. */
  readonly servers: readonly WorldServer[];
  readonly heads: ReadonlyMap<DocumentId, Head>;
  /** What is in force: server, then document, to the revision. */
  readonly assigned: ReadonlyMap<ServerId, ReadonlyMap<DocumentId, number>>;
  /** What the store of secrets has. */
  readonly secrets: readonly SecretVersion[];
  /** Null: deleted there, or not readable any more. */
  readonly document: (id: DocumentId, revision: number) => ParsedDocument | null;
}

export interface WorldServer {
  readonly id: ServerId;
  readonly name: string;
  readonly enrolment: Enrolment;
  readonly generation: Generation;
  readonly confirmedDigest: Digest | null;
  readonly observedAddresses: readonly string[];
}

export interface Head {
  readonly id: DocumentId;
  readonly kind: DocumentKind;
  readonly name: string;
  readonly revision: number;
  readonly deleted: boolean;
}

export async function loadWorld(database: Queryable, cache: DocumentCache): Promise<World> {
  // One after another: inside a transaction there is one session.
  const servers = await listServers(database);
  const assignments = await listAllAssignments(database);
  const heads = await listHeads(database, null, true);
  const secrets = await catalogue(database);
  const refs = new Map<string, RevisionRef>();
  for (const { document_id, revision } of [...assignments, ...heads.filter((head) => !head.deleted)]) {
    refs.set(`${document_id}/${revision}`, { document_id, revision });
  }
  const parsed = await cache.read(database, [...refs.values()]);
  const assigned = new Map<ServerId, Map<DocumentId, number>>();
  for (const { server_id, document_id, revision } of assignments) {
    const own = assigned.get(server_id) ?? new Map<DocumentId, number>();
    own.set(document_id, revision);
    assigned.set(server_id, own);
  }
  return {
    servers: servers.map((row) => ({
      id: row.id,
      name: row.name,
      enrolment: row.enrolment,
      generation: row.generation,
      confirmedDigest: row.confirmed_digest,
      observedAddresses: addressesInFacts(row.facts),
    })),
    heads: new Map(
      heads.map((row) => [
        row.document_id,
        { id: row.document_id, kind: row.kind, name: row.name, revision: row.revision, deleted: row.deleted },
      ]),
    ),
    assigned,
    secrets,
    document: (document_id, revision) => parsed.get(keyOf({ document_id, revision })) ?? null,
  };
}

/** The Server document that is in force for a server: its labels, addresses and bindings. */
export function ownDocument(
  world: World,
  server: WorldServer,
): { readonly document: ServerDocument; readonly ref: RevisionRef } | null {
  for (const [document_id, revision] of world.assigned.get(server.id) ?? []) {
    const document = world.document(document_id, revision);
    if (document?.kind === "Server" && document.name === server.name)
      return { document, ref: { document_id, revision } };
  }
  return null;
}

export function labelsOf(world: World, server: WorldServer): Readonly<Record<string, string>> {
  return ownDocument(world, server)?.document.body.labels ?? {};
}
