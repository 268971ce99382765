import type { QueryOf } from "@holdfast/core/api/endpoint.ts";
import type { FastifyReply } from "fastify";
import { beginEpoch } from "../../audit/begin-epoch.ts";
import { CSV_HEADER, csvLine, jsonLine } from "../../audit/export-line.ts";
import { countStandings, notable, verifyEverywhere } from "../../audit/verify.ts";
import type { Doctor } from "../../doctor/doctor.ts";
import type { House } from "../../house.ts";
import { serversHeld } from "../../planning/places.ts";
import { type AuditFilter, listAudit } from "../../store/audit.ts";
import { auditFilterOf, auditView } from "../audit-query.ts";
import { keyOf, pageOf } from "../cursor.ts";
import type { EventStream } from "../event-stream.ts";
import type { Handlers } from "../handler.ts";
import { openApiDocument } from "../openapi.ts";
import { actorNames } from "../store/actor-names.ts";
import { taken } from "../taken.ts";

type ProofRoutes = "listAudit" | "exportAudit" | "verifyAudit" | "beginAuditEpoch" | "doctor" | "events" | "openapi";

/** Read at once while exporting. */
const EXPORT_PAGE = 500;

export function proofHandlers(house: House, doctor: Doctor, events: EventStream): Pick<Handlers, ProofRoutes> {
  const { database } = house;
  return {
    async listAudit({ caller, query }) {
      const before = keyOf(query.cursor, (key) => /^\d{1,15}$/.test(key));
      const rows = await listAudit(database, {
        ...(await auditFilterOf(house, caller, query)),
        limit: query.limit + 1,
        ...(before === null ? {} : { beforeId: Number(before) }),
      });
      const names = await actorNames(database, rows);
      return {
        value: pageOf(
          rows,
          query.limit,
          (row) => String(row.id),
          (row) => auditView(row, names),
        ),
      };
    },

    async exportAudit({ caller, query, reply }) {
      // Refusals come before the first byte: what has begun can only be cut off.
      const filter = await auditFilterOf(house, caller, query);
      await exportTo(house, reply, filter, query.format);
      return { value: undefined };
    },

    async verifyAudit({ caller, query }) {
      const kept = query.kept === undefined ? undefined : keptHead(query.kept);
      const { verdict, held, nextEpoch } = await verifyEverywhere(house.witness, house.askServers, kept);
      const audited = await serversHeld(house, caller, "audit");
      const seen = audited === null ? null : new Set(audited);
      return {
        value: {
          entries: verdict.entries,
          intact: verdict.intact,
          firstBroken: verdict.intact ? null : verdict.brokenAt,
          reason: verdict.intact ? null : verdict.reason,
          head: verdict.head,
          anchors: verdict.anchors,
          newestAnchor: verdict.newestAnchor,
          epoch: held.epoch,
          nextEpoch,
          onServers: {
            counts: countStandings(held.servers),
            unasked: held.servers.filter(({ from }) => from !== "server").length,
            notable: notable(held.servers).map((one) => ({
              // That the log was cut concerns whoever audits a part of it; which servers there are does not.
              server: seen === null || seen.has(one.id) ? one.name : null,
              standing: one.standing,
              from: one.from,
              epoch: one.head?.epoch ?? null,
              entries: one.head?.entries ?? null,
              head: one.head?.head ?? null,
              at: one.head?.at ?? null,
            })),
          },
        },
      };
    },

    async beginAuditEpoch({ caller, body }) {
      const { epoch, entries, head, at } = await beginEpoch(house, caller, body);
      return { value: { epoch, entries, head, at } };
    },

    async doctor() {
      return { value: { rows: [...(await doctor.examine())] } };
    },

    async events({ caller, reply, lastEventId }) {
      await events.open(caller, reply, lastEventId);
      return { value: undefined };
    },

    openapi: async () => ({ value: openApiDocument() }),
  };
}

/** Newest first, page by page, so that neither side holds the whole log. What fails in the middle cuts the answer off, which a client sees. */
async function exportTo(
  house: House,
  reply: FastifyReply,
  filter: Omit<AuditFilter, "limit">,
  format: QueryOf<"exportAudit">["format"],
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, {
    "content-type": format === "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8",
    "content-disposition": `attachment; filename="audit.${format}"`,
    "cache-control": "no-store",
  });
  try {
    if (format === "csv") raw.write(CSV_HEADER);
    let before: number | undefined;
    for (;;) {
      const rows = await listAudit(house.database, {
        ...filter,
        limit: EXPORT_PAGE,
        ...(before === undefined ? {} : { beforeId: before }),
      });
      const names = await actorNames(house.database, rows);
      const line = format === "csv" ? csvLine : jsonLine;
      // Whoever has left meanwhile is read nothing more for.
      if (raw.destroyed) return;
      if (!raw.write(rows.map((row) => line(auditView(row, names))).join(""))) await taken(raw);
      if (raw.destroyed) return;
      const last = rows.at(-1);
      if (rows.length < EXPORT_PAGE || last === undefined) break;
      before = last.id;
    }
    raw.end();
  } catch (error) {
    house.log.error({ err: error, result_code: "audit.export_failed" }, "an export of the audit log was cut off");
    raw.destroy();
  }
}

function keptHead(text: string): { readonly entries: number; readonly head: string } {
  const [entries = "", head = ""] = text.split(":");
  return { entries: Number(entries), head };
}
