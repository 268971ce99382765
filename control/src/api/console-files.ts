import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";
import { Refused } from "./refused.ts";

/** Files whose names carry a hash of their content. */
const IMMUTABLE_SECONDS = 31_536_000;

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Holdfast</title></head><body>
<h1>Holdfast is running</h1>
<p>Its console has not been built here. Build it with <code>npm run build -w console</code> and load this page again, or use the command line:
<code>bin/holdfast --help</code>. The API is described at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
</body></html>
`;

/** The built console, and for each address inside of it its one page. Without a build, a page that says how to make one. */
export async function serveConsole(app: FastifyInstance, folder: string): Promise<void> {
  const index = path.join(folder, "index.html");
  if (existsSync(index)) {
    await app.register(fastifyStatic, {
      root: path.join(folder, "assets"),
      prefix: "/assets/",
      index: false,
      decorateReply: false,
      // The build leaves each file beside itself as it travels.
      preCompressed: true,
      cacheControl: false,
      setHeaders(response) {
        void response.header("cache-control", `public, max-age=${IMMUTABLE_SECONDS}, immutable`);
      },
    });
  }
  app.get("/*", { config: { rateLimit: false } }, async (request, reply) => {
    const target = request.url.split("?", 1)[0] ?? "/";
    // An address of the API, or a file, that is not there must not look like a page.
    if (target.startsWith("/api/") || path.extname(target) !== "")
      throw new Refused("request.unknown_route", "There is nothing at this address.");
    // Read each time: a console that is built while this runs is served at the next load.
    const page = existsSync(index) ? readFileSync(index, "utf8") : NOT_BUILT;
    return reply.header("cache-control", "no-cache").type("text/html; charset=utf-8").send(page);
  });
}
