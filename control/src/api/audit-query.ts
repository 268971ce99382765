import type { auditEntrySchema } from "@holdfast/core/api/account.ts";
import type { QueryOf } from "@holdfast/core/api/endpoint.ts";
import type { z } from "zod";
import type { House } from "../house.ts";
import { reachByName, serversHeld } from "../planning/places.ts";
import type { ChainEntry } from "../store/audit-chain.ts";
import type { AuditFilter } from "../store/audit.ts";
import { getUserByName } from "../store/users.ts";
import type { Caller } from "./caller.ts";
import { notFound } from "./refused.ts";
import type { ActorNames } from "./store/actor-names.ts";

type Asked = Omit<QueryOf<"exportAudit">, "format">;

/** What is asked for, as the store asks for it. Whoever audits some servers reads of those; what concerns the house is for those who audit all. */
export async function auditFilterOf(house: House, caller: Caller, asked: Asked): Promise<Omit<AuditFilter, "limit">> {
  const server = asked.server === undefined ? undefined : await reachByName(house, caller, "audit", asked.server);
  return {
    ...(asked.object === undefined ? {} : { object: asked.object }),
    ...(asked.actor === undefined ? {} : { actor: await actorOf(house, asked.actor) }),
    ...(asked.requestId === undefined ? {} : { requestId: asked.requestId }),
    ...(server === undefined ? {} : { serverId: server.id }),
    ...(asked.action === undefined ? {} : { action: asked.action }),
    ...(asked.result === undefined
      ? {}
      : asked.result === "refused"
        ? { refusedOnly: true }
        : { resultCode: asked.result }),
    ...(asked.text === undefined ? {} : { text: asked.text }),
    ...(asked.since === undefined ? {} : { since: new Date(asked.since) }),
    ...(asked.until === undefined ? {} : { until: new Date(asked.until) }),
    onlyServers: await serversHeld(house, caller, "audit"),
  };
}

export function auditView(row: ChainEntry, names: ActorNames): z.input<typeof auditEntrySchema> {
  return {
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
  };
}

/** People know names, the log knows ids. */
async function actorOf(house: House, text: string): Promise<string> {
  if (text.includes("/") || text === "anonymous") return text;
  const user = (await getUserByName(house.database, text)) ?? notFound(`account ${text}`);
  return `user/${user.id}`;
}
