import type { documentSummarySchema } from "@holdfast/core/api/document.ts";
import { isUuid } from "@holdfast/core/base/id.ts";
import { z } from "zod";
import type { House } from "../../house.ts";
import { readKind } from "../../planning/change-items.ts";
import { hiddenServers, seenHouse, visibleServers } from "../../planning/places.ts";
import { getDocument, getRevision, type HeadRow, listHeads, listRevisions } from "../../store/documents.ts";
import type { Caller } from "../caller.ts";
import { keyOf, pageAfter, pageOf } from "../cursor.ts";
import { documentJsonSchema } from "../document-schema.ts";
import type { Handlers } from "../handler.ts";
import { notFound } from "../refused.ts";
import { inForceOf } from "../store/in-force.ts";
import { findingView } from "../view/plan-view.ts";
import { unifiedDiff } from "../view/text-diff.ts";

type DocumentRoutes =
  | "listDocuments"
  | "getDocument"
  | "listRevisions"
  | "diffRevisions"
  | "validateDocuments"
  | "getSchema";

/**
 * Policies, groups, tunnels and floors are shared, and seen by everybody with `view`; on which servers they are in force, only as far as one
 * may see those. A server's own document is seen like the server.
 */
export function documentHandlers(house: House): Pick<Handlers, DocumentRoutes> {
  const { database } = house;
  const find = async (caller: Caller, kindWord: string, name: string) => {
    const kind = readKind(kindWord);
    if (kind === "Server" && (await hiddenServers(house, caller)).has(name)) notFound(`document ${kindWord}/${name}`);
    const row = kind === null ? undefined : await getDocument(database, kind, name);
    if (row === undefined || row.head_revision === 0) notFound(`document ${kindWord}/${name}`);
    return row;
  };
  return {
    async listDocuments({ caller, query }) {
      const kind = query.kind === undefined ? null : (readKind(query.kind) ?? notFound(`kind ${query.kind}`));
      const hidden = await hiddenServers(house, caller);
      const shown = (await listHeads(database, kind, true)).filter(
        (head) => head.kind !== "Server" || !hidden.has(head.name),
      );
      const heads = shown.toSorted((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
      const page = pageAfter(
        heads,
        keyOf(query.cursor, (key) => key.includes("/")),
        query.limit,
        pathOf,
      );
      const summaries = await summariesOf(house, caller, page);
      return { value: pageOf(page, query.limit, pathOf, (head) => summaries(head)) };
    },

    async getDocument({ caller, params }) {
      const document = await find(caller, params.kind, params.name);
      const head =
        (await listHeads(database, document.kind, true)).find((row) => row.document_id === document.id) ??
        notFound(`document ${params.kind}/${params.name}`);
      const etag = String(head.revision);
      return { value: { ...(await summariesOf(house, caller, [head]))(head), text: head.text, etag }, etag };
    },

    async listRevisions({ caller, params, query }) {
      const document = await find(caller, params.kind, params.name);
      const before = keyOf(query.cursor, (key) => /^\d{1,9}$/.test(key));
      const rows = (await listRevisions(database, document.id)).filter(
        (row) => before === null || row.revision < Number(before),
      );
      return {
        value: pageOf(
          rows,
          query.limit,
          (row) => String(row.revision),
          (row) => ({
            revision: row.revision,
            digest: row.digest,
            author: row.author,
            at: row.created_at.toISOString(),
            changeId: row.change_id,
            comment: row.comment,
            text: row.text,
          }),
        ),
      };
    },

    async diffRevisions({ caller, params, query }) {
      const document = await find(caller, params.kind, params.name);
      const textOf = async (revision: number): Promise<string> => {
        if (revision === 0) return "";
        const row =
          (await getRevision(database, document.id, revision)) ??
          notFound(`revision ${revision} of ${params.kind}/${params.name}`);
        return row.text ?? "";
      };
      const name = `${params.kind}/${params.name}`;
      const diff = unifiedDiff(
        await textOf(query.from),
        await textOf(query.to),
        `${name} r${query.from}`,
        `${name} r${query.to}`,
      );
      return { value: { from: query.from, to: query.to, diff } };
    },

    async validateDocuments({ body }) {
      const { documents, findings } = house.documents.parse(body.text, body.file);
      return {
        value: { documents: documents.map(({ kind, name }) => ({ kind, name })), findings: findings.map(findingView) },
      };
    },

    async getSchema({ params }) {
      const schema = documentJsonSchema(params.kind, house.languages) ?? notFound(`kind ${params.kind}`);
      return { value: z.record(z.string(), z.unknown()).parse(schema) };
    },
  };
}

function pathOf(row: Pick<HeadRow, "kind" | "name">): string {
  return `${row.kind}/${row.name}`;
}

async function summariesOf(
  house: House,
  caller: Caller,
  heads: readonly HeadRow[],
): Promise<(head: HeadRow) => z.input<typeof documentSummarySchema>> {
  const ids = heads.map((head) => head.document_id).filter(isUuid);
  const places = await inForceOf((await seenHouse(house, caller)).database, ids, await visibleServers(house, caller));
  return (head) => ({
    kind: head.kind,
    name: head.name,
    revision: head.revision,
    digest: head.digest,
    author: head.author,
    at: head.created_at.toISOString(),
    deleted: head.deleted,
    inForceOn: places
      .filter((place) => place.document_id === head.document_id)
      .map(({ server, revision }) => ({ server, revision })),
  });
}
