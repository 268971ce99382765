import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { fastify } from "fastify";
import { afterAll, expect, test } from "vitest";
import { serveConsole } from "./console-files.ts";

const folder = mkdtempSync(path.join(tmpdir(), "holdfast-console-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a file of the console travels as the build left it compressed, and stays in the browser; the page itself does not", async () => {
  mkdirSync(path.join(folder, "assets"));
  writeFileSync(path.join(folder, "index.html"), "<!doctype html>the page");
  const script = "export const one = 1;\n";
  writeFileSync(path.join(folder, "assets/first-a.js"), script);
  writeFileSync(path.join(folder, "assets/first-a.js.br"), brotliCompressSync(script));
  const app = fastify();
  await serveConsole(app, folder);
  const get = (url: string, accepted: string) =>
    app.inject({ method: "GET", url, headers: { "accept-encoding": accepted } });

  const small = await get("/assets/first-a.js", "gzip, deflate, br");
  expect(small.headers).toMatchObject({
    "content-encoding": "br",
    vary: "accept-encoding",
    "cache-control": "public, max-age=31536000, immutable",
  });
  expect(small.headers["content-type"]).toMatch(/javascript/);
  expect(brotliDecompressSync(small.rawPayload).toString()).toBe(script);

  // Whoever reads no compressed text gets the plain one.
  const plain = await get("/assets/first-a.js", "identity");
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(plain.body).toBe(script);

  const page = await get("/servers/web-1", "br");
  expect(page.body).toBe("<!doctype html>the page");
  expect(page.headers["cache-control"]).toBe("no-cache");

  // A console that is built while this runs is served whole at the next load.
  expect((await get("/assets/first-b.js", "br")).statusCode).toBe(404);
  writeFileSync(path.join(folder, "assets/first-b.js"), "export {};\n");
  expect((await get("/assets/first-b.js", "br")).statusCode).toBe(200);

  // Nothing above the folder, and nothing beside it.
  expect((await get("/assets/../index.html", "identity")).body).not.toBe(script);
  expect((await get("/assets/%2e%2e/index.html", "identity")).statusCode).not.toBe(200);
  await app.close();
});
