import { expect, test } from "vitest";
import { seed } from "../../mock-api/seed.ts";
import { serverSummary } from "../../mock-api/view.ts";
import { matchesServer, serverStatus } from "./server-status.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const state = seed("busy", NOW);
const servers = state.servers.map((server) => serverSummary(state, server, NOW));

test("each server has one word, the one that needs a person most", () => {
  expect(Object.fromEntries(servers.map((server) => [server.name, serverStatus(server)]))).toEqual({
    "web-1": "ok",
    "web-2": "applying",
    "web-3": "drift",
    "gw-seoul": "in_doubt",
    "gw-busan": "ok",
    "db-1": "floor_lost",
    "db-2": "locked",
    "mon-1": "paused",
    "web-4": "key_waits",
  });
});

test.each([
  ["", 9],
  ["web", 4],
  ["role:web site:busan", 2],
  ["locked", 1],
  ["ROLE:DB", 2],
  ["nothing-like-it", 0],
])("the filter %j finds %i", (filter, count) => {
  expect(servers.filter((server) => matchesServer(server, filter))).toHaveLength(count);
});
