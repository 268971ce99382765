import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GuardLink } from "./guard-link.ts";

let folder: string;
let server: Server;
let connections: Socket[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-link-"));
  connections = [];
  server = createServer((socket) => connections.push(socket.on("error", () => undefined)));
  server.listen(join(folder, "guard.sock"));
  await once(server, "listening");
});
afterEach(() => {
  for (const socket of connections) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

test("calls at the same time share one connection, and closing leaves none behind", async () => {
  const link = new GuardLink(join(folder, "guard.sock"));
  await Promise.all([link.client(), link.client(), link.client()]);
  if (connections.length === 0) await once(server, "connection");
  expect(connections).toHaveLength(1);
  const ended = once(connections[0] ?? server, "close");
  link.close();
  connections[0]?.resume();
  await ended;
});

test("a link that is closed while it opens leaves no connection", async () => {
  const link = new GuardLink(join(folder, "guard.sock"));
  const opening = link.client();
  link.close();
  await opening;
  if (connections.length === 0) await once(server, "connection");
  const ended = once(connections[0] ?? server, "close");
  connections[0]?.resume();
  await ended;
  expect(connections).toHaveLength(1);
});

test("a guard that is not there is said to be not there, each time", async () => {
  const link = new GuardLink(join(folder, "nobody.sock"));
  await expect(link.client()).rejects.toThrow("guard.unavailable");
  await expect(link.client()).rejects.toThrow("guard.unavailable");
});
