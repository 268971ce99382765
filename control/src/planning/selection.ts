import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { DocumentId } from "@holdfast/core/base/id.ts";
/**
 * Which revision of which document holds on a server, before and after a change. Pure.
 *   W1. What a server has is what is assigned to it; a change puts its own revisions in their place, and nobody else's come along.
 *   W2. A floor that selects a server holds there, also when it came into force elsewhere first: a floor is not chosen.
 *   W3. A server that is new, or that a change of its labels brings under a policy, gets the revision of that policy that is in force on others.
 *   W4. A tunnel holds on the servers that it names. One that is new and named gets the revision that is in force at the other end.
 *   W5. On a server that leaves nothing holds but floors, which say how the change is tried. A tunnel that still names it stands in the way.
 */
import type { AssignedDocument } from "@holdfast/core/compose/compose.ts";
import { managedServers } from "@holdfast/core/compose/tunnel-ends.ts";
import type { ParsedDocument } from "@holdfast/core/policy/document.ts";
import { selects } from "@holdfast/core/policy/selector.ts";
import type { DocumentKind, RevisionRef } from "../store/tables.ts";
import { ownDocument, type World, type WorldServer } from "./world.ts";

/** One document as a change leaves it. */
export interface Edit {
  readonly documentId: DocumentId;
  readonly kind: DocumentKind;
  readonly name: string;
  readonly revision: number;
  /** Null: it holds nowhere any more. */
  readonly document: ParsedDocument | null;
}

export interface Selected {
  /** Everything the composition may look at. */
  readonly documents: readonly AssignedDocument[];
  /** What will be in force on this server: its own document, policies and floors that select it, groups that they use. */
  readonly refs: readonly RevisionRef[];
  readonly labels: Readonly<Record<string, string>>;
  /** Null: it stays. Of a server that leaves (W5), the tunnels that still have an end on it. */
  readonly leaves: { readonly tunnels: readonly string[] } | null;
}

interface Candidate {
  readonly id: DocumentId;
  readonly revision: number;
  readonly document: ParsedDocument;
}

/** The newest revision of each document that is in force on any server. */
export type InForce = ReadonlyMap<DocumentId, number>;

export function newestInForce(world: World): InForce {
  const newest = new Map<DocumentId, number>();
  for (const own of world.assigned.values()) {
    for (const [id, revision] of own) newest.set(id, Math.max(revision, newest.get(id) ?? 0));
  }
  return newest;
}

/** The Server documents of the whole fleet as the edits leave them. */
export function fleetAfter(world: World, edits: readonly Edit[]): readonly Candidate[] {
  return world.servers.flatMap((server): Candidate[] => {
    const edit = edits.find((one) => one.kind === "Server" && one.name === server.name);
    if (edit !== undefined)
      return edit.document === null ? [] : [{ id: edit.documentId, revision: edit.revision, document: edit.document }];
    const own = ownDocument(world, server);
    return own === null ? [] : [{ id: own.ref.document_id, revision: own.ref.revision, document: own.document }];
  });
}

export function selectFor(
  world: World,
  server: WorldServer,
  edits: readonly Edit[],
  inForce: InForce,
  fleet: readonly Candidate[],
): Selected {
  const own = fleet.find(({ document }) => document.name === server.name);
  const labels = own?.document.kind === "Server" ? own.document.body.labels : {};
  const inForceHere = ownDocument(world, server)?.document.body;
  // What left holds nothing: when it comes back, it comes newly under everything.
  const before = inForceHere?.leaves === true ? undefined : inForceHere?.labels;
  const assigned = world.assigned.get(server.id) ?? new Map<DocumentId, number>();
  const edited = new Map(edits.map((edit) => [edit.documentId, edit]));
  const isNew = server.confirmedDigest === null && server.generation === 0;

  const candidates: Candidate[] = [];
  const offer = (id: DocumentId, revision: number | undefined): void => {
    const document = revision === undefined ? null : world.document(id, revision);
    if (document !== null && revision !== undefined) candidates.push({ id, revision, document });
  };
  for (const edit of edits) {
    if (edit.kind !== "Server" && edit.document !== null)
      candidates.push({ id: edit.documentId, revision: edit.revision, document: edit.document });
  }
  for (const head of world.heads.values()) {
    if (head.kind === "Server" || edited.has(head.id)) continue;
    const here = assigned.get(head.id);
    if (here !== undefined) offer(head.id, here); // W1
    else if (head.kind === "Group") offer(head.id, inForce.get(head.id) ?? (head.deleted ? undefined : head.revision));
    else if (head.deleted) continue;
    else if (head.kind === "Floor") offer(head.id, inForce.get(head.id)); // W2
    else offer(head.id, joins(world, server, head.id, labels, before, isNew, inForce)); // W3
  }
  const selected = candidates.filter(({ document }) => {
    if (document.kind === "Tunnel") return managedServers(document).includes(server.name); // W4
    if (document.kind !== "Policy" && document.kind !== "Floor") return false;
    return selects(document.body.selector, { name: server.name, labels });
  });
  const isLeaving = own?.document.kind === "Server" && own.document.body.leaves;
  const holding = isLeaving ? selected.filter(({ document }) => document.kind === "Floor") : selected; // W5
  const tunnels = selected.filter(({ document }) => document.kind === "Tunnel").map(({ document }) => document.name);
  const groups = candidates.filter(({ document }) => document.kind === "Group");
  const used = groupsUsed(
    holding.map(({ document }) => document.data),
    groups,
  );
  const kept = [...holding, ...groups];
  return {
    documents: [...kept, ...fleet].map(({ document, revision }) => ({ document, revision })),
    refs: [...(own === undefined ? [] : [own]), ...holding, ...used]
      .map(({ id, revision }) => ({ document_id: id, revision }))
      .sort(byDocument),
    labels,
    leaves: isLeaving ? { tunnels: tunnels.toSorted() } : null,
  };
}

/** The revision of a policy or tunnel that a server newly comes under, if it does. */
function joins(
  world: World,
  server: WorldServer,
  id: DocumentId,
  labels: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>> | undefined,
  isNew: boolean,
  inForce: InForce,
): number | undefined {
  const revision = inForce.get(id);
  const policy = revision === undefined ? null : world.document(id, revision);
  if (policy?.kind === "Tunnel") return isNew && managedServers(policy).includes(server.name) ? revision : undefined; // W4
  if (policy?.kind !== "Policy" || !selects(policy.body.selector, { name: server.name, labels })) return undefined;
  const wasSelected = before !== undefined && selects(policy.body.selector, { name: server.name, labels: before });
  return isNew || !wasSelected ? revision : undefined;
}

/** Groups whose names stand anywhere in these documents, and the groups that those name in turn. */
function groupsUsed(data: readonly Json[], groups: readonly Candidate[]): readonly Candidate[] {
  const byName = new Map(groups.map((group) => [group.document.name, group]));
  const used = new Map<string, Candidate>();
  const visit = (value: Json | undefined): void => {
    if (typeof value === "string") {
      const group = byName.get(value);
      if (group === undefined || used.has(value)) return;
      used.set(value, group);
      visit(group.document.data);
    } else if (value !== null && typeof value === "object") {
      for (const member of Object.values(value)) visit(member);
    }
  };
  for (const one of data) visit(one);
  return [...used.values()];
}

/** Whether a change has anything to do with a server: documents only; composing says the rest for what servers say of one another. */
export function touches(world: World, server: WorldServer, edits: readonly Edit[], after: Selected): boolean {
  const assigned = world.assigned.get(server.id);
  return edits.some((edit) => {
    if (edit.kind === "Server") return edit.name === server.name;
    if (assigned?.has(edit.documentId) === true) return true;
    return after.refs.some((ref) => ref.document_id === edit.documentId);
  });
}

function byDocument(a: RevisionRef, b: RevisionRef): number {
  return a.document_id < b.document_id ? -1 : a.document_id > b.document_id ? 1 : 0;
}
