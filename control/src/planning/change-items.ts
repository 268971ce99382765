import type { changeEditSchema } from "@holdfast/core/api/change.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import { managedServers } from "@holdfast/core/compose/tunnel-ends.ts";
import type { ParsedDocument } from "@holdfast/core/policy/document.ts";
import { selects } from "@holdfast/core/policy/selector.ts";
import type { z } from "zod";
import { refuse } from "../api/refused.ts";
import type { ChangeItem } from "../store/changes.ts";
import type { Queryable } from "../store/database.ts";
import { listHeads } from "../store/documents.ts";
import type { DocumentKind } from "../store/tables.ts";
import { type DocumentCache, hasError } from "./document-cache.ts";
import { labelsOf, type World } from "./world.ts";

export type ChangeEdit = z.output<typeof changeEditSchema>;

const KINDS: readonly DocumentKind[] = ["Policy", "Server", "Tunnel", "Group", "Floor"];

export function readKind(text: string): DocumentKind | null {
  return KINDS.find((kind) => kind === text) ?? null;
}

export interface ReadEdit {
  readonly items: readonly ChangeItem[];
  /** Warnings and notes; an error refuses the whole. */
  readonly findings: readonly Finding[];
}

/** The documents and deletions of a request, read and checked; `change.invalid` with every finding when one is an error. */
export async function readEdit(
  database: Queryable,
  cache: DocumentCache,
  world: World,
  edit: ChangeEdit,
): Promise<ReadEdit> {
  const findings: Finding[] = [];
  const items: (ChangeItem & { readonly document: ParsedDocument | null })[] = [];
  for (const { text, file, baseRevision } of edit.documents) {
    const parsed = cache.parse(text, file);
    findings.push(...parsed.findings);
    for (const document of parsed.documents) {
      items.push({
        kind: document.kind,
        name: document.name,
        text: document.text,
        document,
        ...(baseRevision === undefined ? {} : { baseRevision }),
      });
    }
  }
  const heads = new Map((await listHeads(database, null, true)).map((head) => [`${head.kind}/${head.name}`, head]));
  for (const { kind: word, name, baseRevision } of edit.deletes) {
    const kind = readKind(word);
    const head = heads.get(`${word}/${name}`);
    if (kind === null || head === undefined || head.deleted) {
      findings.push(
        problem(
          "change.nothing_to_delete",
          `${word}/${name}`,
          "There is no such document to delete.",
          "Take it out of the change.",
        ),
      );
    } else if (kind === "Server" && world.servers.some((server) => server.name === name)) {
      findings.push(
        problem(
          "change.server_in_use",
          `Server/${name}`,
          "A server that is managed needs its document.",
          "Release the server instead.",
        ),
      );
    } else {
      items.push({ kind, name, text: null, document: null, ...(baseRevision === undefined ? {} : { baseRevision }) });
    }
  }
  for (const [index, item] of items.entries()) {
    if (items.findIndex((other) => other.kind === item.kind && other.name === item.name) < index) {
      findings.push(
        problem(
          "change.document_twice",
          `${item.kind}/${item.name}`,
          "The change holds this document twice.",
          "Keep one of the two.",
        ),
      );
    }
  }
  if (hasError(findings)) refuse("change.invalid", "The documents have errors; nothing was kept.", { findings });
  // A folder is applied as a whole: what is in it unchanged, and in force wherever it should be, asks for nothing and gets no new revision.
  const moved = items.filter(
    (item) => heads.get(`${item.kind}/${item.name}`)?.text !== item.text || !isInForceEverywhere(world, item.document),
  );
  const kept = moved.length > 0 ? moved : items;
  return {
    items: kept.map(({ kind, name, text, baseRevision }) => ({
      kind,
      name,
      text,
      ...(baseRevision === undefined ? {} : { baseRevision }),
    })),
    findings,
  };
}

/** Whether the head of this document is what every server has that it selects. */
function isInForceEverywhere(world: World, document: ParsedDocument | null): boolean {
  const head = [...world.heads.values()].find((one) => one.kind === document?.kind && one.name === document.name);
  if (document === null || head === undefined || head.deleted) return false;
  const has = (serverId: World["servers"][number]["id"]): boolean =>
    world.assigned.get(serverId)?.get(head.id) === head.revision;
  switch (document.kind) {
    case "Group":
      return true;
    case "Server":
      return world.servers.every((server) => server.name !== document.name || has(server.id));
    case "Tunnel": {
      const ends = managedServers(document);
      return world.servers.every((server) => !ends.includes(server.name) || has(server.id));
    }
    case "Policy":
    case "Floor":
      return world.servers.every(
        (server) =>
          !selects(document.body.selector, { name: server.name, labels: labelsOf(world, server) }) || has(server.id),
      );
  }
}

function problem(code: string, document: string, message: string, remedy: string): Finding {
  return { severity: "error", code, path: "", message: `${document}: ${message}`, remedy, document };
}
