import type { Doctor } from "../../doctor/doctor.ts";
import type { House } from "../../house.ts";
import { reachByName, serversHeld } from "../../planning/places.ts";
import { listAudit, verifyAuditChain } from "../../store/audit.ts";
import { keyOf, pageOf } from "../cursor.ts";
import type { EventStream } from "../event-stream.ts";
import type { Handlers } from "../handler.ts";
import { openApiDocument } from "../openapi.ts";
import { actorNames } from "../store/actor-names.ts";

type ProofRoutes = "listAudit" | "verifyAudit" | "doctor" | "events" | "openapi";

export function proofHandlers(house: House, doctor: Doctor, events: EventStream): Pick<Handlers, ProofRoutes> {
  const { database } = house;
  return {
    /** Whoever audits some servers reads what concerns those; what concerns the house is for those who audit all of it. */
    async listAudit({ caller, query }) {
      const server = query.server === undefined ? undefined : await reachByName(house, caller, "audit", query.server);
      const before = keyOf(query.cursor, (key) => /^\d{1,15}$/.test(key));
      const rows = await listAudit(database, {
        limit: query.limit + 1,
        ...(before === null ? {} : { beforeId: Number(before) }),
        ...(query.object === undefined ? {} : { object: query.object }),
        ...(query.actor === undefined ? {} : { actor: query.actor }),
        ...(query.requestId === undefined ? {} : { requestId: query.requestId }),
        ...(server === undefined ? {} : { serverId: server.id }),
        onlyServers: await serversHeld(house, caller, "audit"),
      });
      const names = await actorNames(database, rows);
      return {
        value: pageOf(
          rows,
          query.limit,
          (row) => String(row.id),
          (row) => ({
            id: row.id,
            at: row.at.toISOString(),
            actor: names.actor(row.actor),
            source: row.source,
            action: row.action,
            object: row.object,
            server: row.server_id === null ? null : names.server(row.server_id),
            requestId: row.request_id,
            old: row.old,
            new: row.new,
            resultCode: row.result_code,
            hash: row.hash,
          }),
        ),
      };
    },

    async verifyAudit() {
      const verdict = await verifyAuditChain(database);
      return {
        value: {
          entries: verdict.entries,
          intact: verdict.intact,
          firstBroken: verdict.intact ? null : verdict.brokenAt,
          head: verdict.intact ? verdict.head : "",
        },
      };
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
