import type { ServerSummary } from "@holdfast/core/api/server.ts";
import { isOpen } from "@holdfast/core/apply/state.ts";
import { lostIn } from "@holdfast/core/floor/standing.ts";

/** One word for a server in a list. Where several hold, the one that needs a person most; the server's page shows all of them. */
export const SERVER_STATUSES = [
  "in_doubt",
  "locked",
  "floor_lost",
  "key_waits",
  "applying",
  "drift",
  "offline",
  "paused",
  "expected",
  "ok",
  "released",
] as const;
export type ServerStatus = (typeof SERVER_STATUSES)[number];

/** Those that ask somebody to look. */
export const NEEDS_A_PERSON: readonly ServerStatus[] = [
  "in_doubt",
  "locked",
  "floor_lost",
  "key_waits",
  "drift",
  "offline",
];

export function serverStatus(server: ServerSummary): ServerStatus {
  if (server.enrolment === "released") return "released";
  if (server.open?.phase === "in_doubt") return "in_doubt";
  if (server.locked !== null) return "locked";
  if (lostIn(server.floor).length > 0) return "floor_lost";
  if (server.enrolment === "pending") return "key_waits";
  if (server.enrolment === "expected") return "expected";
  if (server.open !== null && isOpen(server.open.state)) return "applying";
  if (!server.connected) return "offline";
  if (server.drift.length > 0) return "drift";
  if (server.paused !== null) return "paused";
  return "ok";
}

/** Each word must be found in the name, a label, the status or the last change. `site:seoul` asks for that label. */
export function matchesServer(server: ServerSummary, filter: string): boolean {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const labels = Object.entries(server.labels).map(([key, value]) => `${key}:${value}`.toLowerCase());
  const rest = [server.name, serverStatus(server), server.lastSuccess?.changeTitle ?? ""].map((text) =>
    text.toLowerCase(),
  );
  return words.every(
    (word) => labels.some((label) => label.includes(word)) || rest.some((text) => text.includes(word)),
  );
}
