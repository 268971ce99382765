/**
 * The built console beside its mock API on one loopback port, with the real control plane's security headers, cookies and a stream of
 * events. Tests steer what a network would do: cut the stream, or everything.
 *
 *   node e2e/console/mock-server.ts [empty|calm|busy|large] [port]
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { handle } from "@holdfast/console/mock-api/handle.ts";
import { packetsText } from "@holdfast/console/mock-api/packets.ts";
import { type Scenario, SCENARIOS, seed } from "@holdfast/console/mock-api/seed.ts";
import { toolText } from "@holdfast/console/mock-api/tools.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";

export const DIST = join(REPOSITORY_ROOT, "console/dist");
const COOKIE = "holdfast_session";
/** As the control plane sends it: nothing inline, nothing from elsewhere. */
const CSP =
  "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;font-src 'self';connect-src 'self';manifest-src 'self';form-action 'none';base-uri 'none';frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".html": "text/html; charset=utf-8",
};
/** Often enough that a page seems to move by itself. */
const EVENT_MS = 250;

export interface MockServer {
  readonly url: string;
  /** Ends all streams of events and refuses new ones, or allows them again. */
  setStream(allowed: boolean): void;
  /** Answers nothing at all, as a control plane that is gone. */
  setReachable(reachable: boolean): void;
  /** From here on there is a provider to sign in with, of this name. */
  setProvider(label: string): void;
  /** These servers hold the head of a longer audit log, as after a backup was put back. */
  setServersKnowMore(servers: readonly string[]): void;
  /** Ends every session, as a restart with a new key would. */
  signEverybodyOut(): void;
  close(): Promise<void>;
}

export async function startMockServer(scenario: Scenario, port = 0): Promise<MockServer> {
  const state = seed(scenario, Date.now());
  const streams = new Set<ServerResponse>();
  let streamAllowed = true;
  let reachable = true;

  const server: Server = createServer((request, response) => {
    if (!reachable) {
      request.socket.destroy();
      return;
    }
    response.setHeader("content-security-policy", CSP);
    response.setHeader("x-content-type-options", "nosniff");
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    if (path === "/api/v1/events") openStream(response);
    else if (/^\/api\/v1\/servers\/[^/]+\/packets$/.test(path)) openPackets(response);
    else if (request.method === "POST" && /^\/api\/v1\/servers\/[^/]+\/tools$/.test(path))
      void openTool(request, response);
    else if (path.startsWith("/api/")) void answerApi(request, response);
    else answerFile(path, response);
  });

  function openStream(response: ServerResponse): void {
    if (!streamAllowed) {
      response.writeHead(503).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(": here\n\n");
    streams.add(response);
    response.on("close", () => streams.delete(response));
  }

  /** Ends with the other streams: a page that looks is then told that it was cut. */
  function openPackets(response: ServerResponse): void {
    openStream(response);
    response.write(packetsText(Date.now()));
  }

  async function openTool(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { text, isOver } = toolText(
      JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>,
      Date.now(),
    );
    openStream(response);
    response.write(text);
    if (isOver) response.end();
  }

  async function answerApi(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const header = (name: string): string | null => {
      const value = request.headers[name];
      return typeof value === "string" ? value : null;
    };
    const answer = handle(state, {
      method: request.method ?? "GET",
      url: request.url ?? "/",
      body: text === "" ? undefined : (JSON.parse(text) as unknown),
      session: new RegExp(`${COOKIE}=([^;]+)`).exec(header("cookie") ?? "")?.[1] ?? null,
      csrf: header("x-holdfast-csrf"),
      ifMatch: header("if-match"),
      nowMs: Date.now(),
    });
    if (answer.session !== undefined)
      response.setHeader(
        "set-cookie",
        `${COOKIE}=${answer.session ?? ""}; HttpOnly; SameSite=Strict; Path=/${answer.session === null ? "; Max-Age=0" : ""}`,
      );
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  }

  const heartbeat = setInterval(() => {
    for (const stream of streams) stream.write("event: moved\ndata: {}\n\n");
  }, EVENT_MS);

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { port: bound } = server.address() as AddressInfo;
  const endStreams = (): void => {
    for (const stream of streams) stream.destroy();
  };
  return {
    url: `http://127.0.0.1:${bound}`,
    setStream(allowed) {
      streamAllowed = allowed;
      if (!allowed) endStreams();
    },
    setReachable(next) {
      reachable = next;
      if (!next) {
        endStreams();
        server.closeAllConnections();
      }
    },
    setProvider(label) {
      state.provider = label;
    },
    setServersKnowMore(servers) {
      state.knowMore = servers;
    },
    signEverybodyOut() {
      state.sessions.clear();
    },
    async close() {
      clearInterval(heartbeat);
      endStreams();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function answerFile(path: string, response: ServerResponse): void {
  const file = join(DIST, normalize(path));
  const found = extname(path) !== "" && file.startsWith(DIST) && existsSync(file) ? file : join(DIST, "index.html");
  if (extname(path) !== "" && found !== file) response.writeHead(404).end();
  else
    response
      .writeHead(200, { "content-type": TYPES[extname(found)] ?? "application/octet-stream" })
      .end(readFileSync(found));
}

if (process.argv[1] === import.meta.filename) {
  const scenario = SCENARIOS.find((name) => name === process.argv[2]) ?? "busy";
  const server = await startMockServer(scenario, Number(process.argv[3] ?? 7088));
  console.log(`Console with its mock API (${scenario}): ${server.url}\nLogin: admin / correct horse`);
}
