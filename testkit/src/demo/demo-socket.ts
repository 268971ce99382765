import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { Fetch } from "./visitor.ts";

export interface DemoVerbs {
  status(): unknown;
  fetches(): readonly Fetch[];
  killControlPlane(): void;
}

/** The door of `holdfast demo`: a unix socket that only its owner may open. */
export async function openDemoSocket(path: string, verbs: DemoVerbs): Promise<Server> {
  rmSync(path, { force: true });
  const answers: Readonly<Record<string, () => unknown>> = {
    "GET /status": () => verbs.status(),
    "GET /client": () => ({ fetches: verbs.fetches() }),
    "POST /kill-control-plane": () => {
      verbs.killControlPlane();
      return {};
    },
  };
  const server = createServer((request, response) => {
    request.resume();
    const answer = answers[`${request.method ?? ""} ${request.url ?? ""}`];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer === undefined ? { message: "no such verb" } : answer()));
  });
  const mask = process.umask(0o077);
  server.listen(path);
  await once(server, "listening");
  process.umask(mask);
  chmodSync(path, 0o600);
  return server;
}
