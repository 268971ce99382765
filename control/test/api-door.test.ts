import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import { ENDPOINTS } from "@holdfast/core/api/endpoint.ts";
import { PROBLEMS, type ProblemCode } from "@holdfast/core/api/problem-code.ts";
import { problemSchema } from "@holdfast/core/api/problem.ts";
import { type Route, type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import { expect, test } from "vitest";
import { buildApi } from "../src/api/app.ts";
import type { Handlers } from "../src/api/handler.ts";
import { openApiDocument } from "../src/api/openapi.ts";
import { failureOf } from "../src/api/problem.ts";
import { Refused } from "../src/api/refused.ts";
import { listAudit } from "../src/store/audit.ts";
import { STORE_FAILURES, StoreFailure, type StoreFailureCode } from "../src/store/store-failure.ts";
import { withApi } from "./api-house.ts";
import { golden } from "./golden-file.ts";

const NAMES = Object.keys(ROUTES) as RouteName[];

/** Ids that are nobody's: whoever passes the gate hears "not found" or what is wrong with the body, never 401 or 403. */
const PARAMS = { id: "01900000-0000-7000-8000-000000000000", name: "nobody", kind: "Policy" };

/** Some five hundred requests, most of them refused and audited one after another. */
const MATRIX_MS = 90_000;

test("the matrix: every permission alone, nobody and everybody, at every route", { timeout: MATRIX_MS }, async () => {
  await withApi(async (api) => {
    const callers: readonly (readonly [string, string | null])[] = [
      ["nobody", null],
      ["none", await api.account("none", [])],
      ...(await Promise.all(
        PERMISSIONS.map(
          async (permission) => [permission, await api.account(`only-${permission}`, [permission])] as const,
        ),
      )),
    ];
    const rows: string[] = [["route".padEnd(20), ...callers.map(([name]) => name.padEnd(8))].join(" ").trimEnd()];
    for (const name of NAMES) {
      const ask = async (token: string | null): Promise<string> => {
        // A stream does not end by itself: its gate is asked with a token in the wrong place.
        const answer =
          name === "events" && token !== null
            ? await api.ask(token, "listServers")
            : await api.ask(token, name, { params: PARAMS, body: ROUTES[name].method === "GET" ? undefined : {} });
        // What is refused says why by the gate's own code, not by a handler's.
        if (answer.status === 403) expect(answer.json.code, name).toBe("access.permission_missing");
        return (answer.status === 401 ? "401" : answer.status === 403 ? "403" : "passes").padEnd(8);
      };
      const cells = await Promise.all(callers.map(([, token]) => ask(token)));
      rows.push([name.padEnd(20), ...cells].join(" ").trimEnd());
    }
    golden("permission-matrix.txt", `${rows.join("\n")}\n`);
    // Beside the picture the rule itself, so that a golden file written anew cannot hide a hole.
    for (const [index, row] of rows.slice(1).entries()) {
      const name = NAMES[index] as RouteName;
      const { needs }: Route = ROUTES[name];
      const cells = row.slice(20).trim().split(/\s+/);
      const expected = callers.map(([caller]) =>
        needs === "open"
          ? "passes"
          : caller === "nobody"
            ? "401"
            : needs === "self" || caller === needs
              ? "passes"
              : "403",
      );
      // A sign-in without a password is refused by its body; the gate is passed.
      expect(cells, name).toEqual(expected);
    }
  });
});

test("S24: without signing in there is only the way in, and nothing of it happens by a GET", () => {
  const open = NAMES.filter((name) => ROUTES[name].needs === "open");
  expect(open.map((name) => `${ROUTES[name].method} ${ROUTES[name].path}`)).toEqual([
    "POST /session",
    "GET /session/methods",
    "POST /session/oidc",
    "POST /session/oidc/finish",
    "POST /session/oidc/code",
    "POST /session/passkey/begin",
    "POST /session/passkey",
    "GET /openapi.json",
  ]);
});

test("a handler without a row does not compile, and a row without a handler fails the start", async () => {
  await withApi(async (api) => {
    const handlers = Object.fromEntries(
      NAMES.filter((name) => name !== "getApply").map((name) => [name, () => Promise.resolve({ value: null })]),
    ) as unknown as Handlers;
    const options = {
      house: api.house,
      events: null as never,
      packets: null as never,
      tools: null as never,
      doctor: null as never,
      publicUrl: new URL("http://127.0.0.1"),
      trustedProxies: [],
      notReady: async () => [],
      consoleFolder: "/nowhere",
      handlers,
    };
    await expect(buildApi(options)).rejects.toThrow("getApply");
    const extra = { ...handlers, getApply: handlers.me, freeForAll: handlers.me } as unknown as Handlers;
    await expect(buildApi({ ...options, handlers: extra })).rejects.toThrow("freeForAll");
  });
});

test("S18: every refusal of somebody is in the audit log with who, from where and which code", async () => {
  await withApi(async (api) => {
    const lee = await api.account("lee", ["view"]);
    await api.ask(lee, "createServer", { body: { name: "web-1" } });
    await api.ask("made-up", "listServers");
    await api.ask(null, "listServers");
    const entries = (await listAudit(api.house.database, { limit: 20 })).filter((entry) =>
      entry.action.startsWith("api."),
    );
    expect(entries.map((entry) => [entry.actor.split("/")[0], entry.action, entry.result_code])).toEqual([
      ["anonymous", "api.listServers", "access.credential_invalid"],
      ["user", "api.createServer", "access.permission_missing"],
    ]);
    expect(entries[1]?.source).toBe("127.0.0.1 api");
    for (let count = 0; count < 60; count++) await api.ask("made-up", "listServers");
    expect(
      (await listAudit(api.house.database, { limit: 200 })).filter(
        (entry) => entry.actor === "anonymous" && entry.action === "api.listServers",
      ).length,
    ).toBe(30);
  });
});

test("scopes: what one may not see is not there, and what one may not do is said", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", ["view", "edit", "admin", "apply"]);
    await api.done(kim, "createServer", { body: { name: "web-1", labels: { role: "web" } } });
    await api.done(kim, "createServer", { body: { name: "db-1", labels: { role: "db" } } });
    const web = { scope: { role: "web" }, domains: null };
    const lee = await api.account("lee", [
      { permission: "view", ...web },
      { permission: "edit", ...web },
      { permission: "apply", scope: { role: "db" }, domains: null },
    ]);
    expect((await api.done(lee, "listServers")).items.map((server) => server.name)).toEqual(["web-1"]);
    expect(await api.ask(lee, "getServer", { params: { name: "db-1" } })).toMatchObject({
      status: 404,
      json: { code: "resource.not_found" },
    });
    expect(await api.ask(lee, "getServer", { params: { name: "nobody" } })).toMatchObject({
      status: 404,
      json: { code: "resource.not_found" },
    });
    expect(
      await api.ask(lee, "pauseServer", { params: { name: "web-1" }, body: { seconds: 60, reason: "x" } }),
    ).toMatchObject({ status: 403, json: { code: "access.out_of_scope" } });
    // A label is changed by those who may edit in the old place and in the new one.
    const text = (role: string): string =>
      `apiVersion: holdfast/v1\nkind: Server\nname: web-1\nlabels: { role: ${role} }\n`;
    const change = await api.done(lee, "createChange", { body: { title: "away", documents: [{ text: text("db") }] } });
    expect(await api.ask(lee, "planChange", { params: { id: change.id }, body: {} })).toMatchObject({
      status: 403,
      json: { code: "access.out_of_scope" },
    });
    expect(await api.ask(lee, "createServer", { body: { name: "db-2", labels: { role: "db" } } })).toMatchObject({
      status: 403,
      json: { code: "access.out_of_scope" },
    });
    const group = await api.done(lee, "createChange", {
      body: {
        title: "shared",
        documents: [{ text: "apiVersion: holdfast/v1\nkind: Group\nname: office\naddresses: 192.0.2.1\n" }],
      },
    });
    expect(await api.ask(lee, "planChange", { params: { id: group.id }, body: {} })).toMatchObject({
      status: 403,
      json: { code: "access.out_of_scope" },
    });
  });
});

test("the same key and body are done once and answered alike; another body is refused; a secret is not repeated", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", PERMISSIONS);
    const headers = { "idempotency-key": "0123456789abcdef" };
    const first = await api.ask(kim, "createServer", { body: { name: "web-1" }, headers });
    const second = await api.ask(kim, "createServer", { body: { name: "web-1" }, headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.json).toEqual(first.json);
    expect(second.headers["idempotent-replayed"]).toBe("true");
    expect(await api.ask(kim, "createServer", { body: { name: "web-2" }, headers })).toMatchObject({
      status: 409,
      json: { code: "idempotency.other_request" },
    });
    expect(await api.ask(kim, "enrolServer", { params: { name: "web-1" }, body: {}, headers })).toMatchObject({
      status: 409,
      json: { code: "idempotency.other_request" },
    });
    const secret = { "idempotency-key": "another-key-of-mine" };
    expect((await api.ask(kim, "enrolServer", { params: { name: "web-1" }, body: {}, headers: secret })).status).toBe(
      201,
    );
    expect(await api.ask(kim, "enrolServer", { params: { name: "web-1" }, body: {}, headers: secret })).toMatchObject({
      status: 409,
      json: { code: "idempotency.secret_shown_once" },
    });
    const kept = await api.test.app.rows<{ response: unknown }>({
      text: "select response from idempotency_keys where key = 'another-key-of-mine'",
      values: [],
    });
    expect(kept).toEqual([{ response: null }]);
    // A refusal changed nothing: the same key may carry the corrected request.
    const wrong = { "idempotency-key": "a-third-key-of-mine" };
    expect((await api.ask(kim, "createServer", { body: { name: "Not A Name" }, headers: wrong })).status).toBe(422);
    expect((await api.ask(kim, "createServer", { body: { name: "web-3" }, headers: wrong })).status).toBe(201);
    expect(
      await api.ask(kim, "createServer", { body: { name: "web-4" }, headers: { "idempotency-key": "short" } }),
    ).toMatchObject({ status: 400, json: { code: "idempotency.key_invalid" } });
    const racing = { "idempotency-key": "two-at-the-same-time" };
    const both = await Promise.all(
      [1, 2].map(() => api.ask(kim, "createServer", { body: { name: "web-5" }, headers: racing })),
    );
    expect(both.map((answer) => answer.status === 201 || answer.json.code === "idempotency.in_progress")).toEqual([
      true,
      true,
    ]);
    expect((await api.done(kim, "listServers", { query: { name: "web-5" } })).items.length).toBe(1);
  });
});

test("S29: what is kept to know a repeated request tells nothing of a password that stands alone in its body", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", ["view"]);
    const body = { password: "a long enough password" };
    const headers = { "idempotency-key": "offered-once-and-kept" };
    const offer = (sent: object) => api.ask(kim, "offerTotp", { body: sent, headers });
    expect((await offer(body)).status).toBe(200);
    expect((await offer(body)).json.code).toBe("idempotency.secret_shown_once");
    expect((await offer({ password: "another password" })).json.code).toBe("idempotency.other_request");
    const [row] = await api.test.app.rows<Record<string, unknown>>({
      text: "select * from idempotency_keys",
      values: [],
    });
    const path = `/api/v1${ROUTES.offerTotp.path}`;
    const guess = createHash("sha256")
      .update(`${path}\n${JSON.stringify(body)}`, "utf8")
      .digest("hex");
    const kept = Object.values(row ?? {}).map((value) => (Buffer.isBuffer(value) ? value.toString("hex") : value));
    expect(kept).not.toContain(guess);
  });
});

test("what does not parse is refused with each field, before any handler", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", PERMISSIONS);
    const answer = await api.ask(kim, "pauseServer", { params: { name: "web-1" }, body: { seconds: "long" } });
    expect(answer).toMatchObject({ status: 400, json: { code: "request.invalid" } });
    const problem = problemSchema.parse(answer.json);
    expect(problem.findings?.map((finding) => finding.path)).toEqual(["body.seconds", "body.reason"]);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(await api.ask(kim, "listServers", { query: { cursor: "" } })).toMatchObject({ status: 400 });
    expect(await api.ask(kim, "listChanges", { query: { cursor: "bm90IGFuIGlk" } })).toMatchObject({
      status: 400,
      json: { code: "request.cursor_invalid" },
    });
    const raw = await api.app.inject({
      method: "POST",
      url: "/api/v1/changes",
      headers: { authorization: `Bearer ${kim}`, "content-type": "application/json" },
      payload: "{",
    });
    expect(JSON.parse(raw.body)).toMatchObject({ status: 400, code: "request.invalid" });
    const form = await api.app.inject({
      method: "POST",
      url: "/api/v1/changes",
      headers: { authorization: `Bearer ${kim}`, "content-type": "text/plain" },
      payload: "x",
    });
    expect(JSON.parse(form.body)).toMatchObject({ status: 415, code: "request.not_json" });
    const poison = await api.app.inject({
      method: "POST",
      url: "/api/v1/changes",
      headers: { authorization: `Bearer ${kim}`, "content-type": "application/json" },
      payload: '{"__proto__":{"title":"x"}}',
    });
    expect(poison.statusCode).toBe(400);
    const huge = await api.app.inject({
      method: "POST",
      url: "/api/v1/changes",
      headers: { authorization: `Bearer ${kim}`, "content-type": "application/json" },
      payload: JSON.stringify({ title: "x".repeat(9 << 20) }),
    });
    expect(JSON.parse(huge.body)).toMatchObject({ status: 413, code: "request.too_large" });
    expect(JSON.parse((await api.app.inject({ method: "GET", url: "/api/v1/nothing" })).body)).toMatchObject({
      status: 404,
      code: "request.unknown_route",
    });
  });
});

test("lists are read page by page to the end, without a gap and without a double", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", PERMISSIONS);
    const names = Array.from({ length: 7 }, (_, index) => `server-${index}`);
    for (const name of names) await api.done(kim, "createServer", { body: { name } });
    for (const [route, keyOf] of [
      ["listServers", (item: { name: string }) => item.name],
      ["listChanges", (item: { id: string }) => item.id],
      ["listDocuments", (item: { name: string }) => item.name],
      ["listAudit", (item: { id: number }) => String(item.id)],
      ["listRollouts", (item: { id: string }) => item.id],
    ] as const) {
      const seen: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page = await api.ask(kim, route, {
          query: { limit: "3", ...(typeof cursor === "string" ? { cursor } : {}) },
        });
        expect(page.json.items.length).toBeLessThanOrEqual(3);
        const { items, nextCursor } = page.json as { items: { name: string; id: never }[]; nextCursor: string | null };
        seen.push(...items.map(keyOf));
        cursor = nextCursor;
      }
      expect(new Set(seen).size, route).toBe(seen.length);
      expect(seen.length, route).toBeGreaterThanOrEqual(7);
    }
  });
});

test("S24: no page is framed, sniffed or scripted from elsewhere, and nothing of ours is written into a page", async () => {
  await withApi(async (api) => {
    const page = await api.app.inject({ method: "GET", url: "/changes/1" });
    expect(page.body).toContain("npm run build -w console");
    expect(page.body).not.toContain("<script");
    expect(page.headers["content-security-policy"]).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;font-src 'self';connect-src 'self';manifest-src 'self';form-action 'none';base-uri 'none';frame-ancestors 'none'",
    );
    expect(page.headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
    });
    expect((await api.app.inject({ method: "GET", url: "/healthz" })).json()).toEqual({ status: "alive" });
    expect((await api.app.inject({ method: "GET", url: "/readyz" })).json()).toEqual({ status: "ready", waiting: [] });
    expect((await api.app.inject({ method: "GET", url: "/assets/gone.js" })).statusCode).toBe(404);
  });
});

test("S43: a fault of ours says nothing of its inside and leaves its cause in the log only", () => {
  const failure = failureOf(new Error("secret path /var/lib/holdfast"), "r1");
  expect(JSON.stringify(failure.problem)).not.toContain("/var/lib");
  expect(failure).toMatchObject({
    problem: { status: 500, code: "internal.error", requestId: "r1" },
    internal: "secret path /var/lib/holdfast",
    isBug: true,
  });
});

test("every code and every failure of the store has its problem; the table is in docs/api.md", () => {
  const lines = Object.entries(PROBLEMS).map(
    ([code, { status, title }]) => `${String(status)} ${code.padEnd(36)} ${title}`,
  );
  const store = (Object.keys(STORE_FAILURES) as StoreFailureCode[]).map((code) => {
    const { problem } = failureOf(new StoreFailure(code, "words for the log"), "r1");
    return `${code.padEnd(28)} ${problem.status} ${problem.code}`;
  });
  golden("problems.txt", `${lines.join("\n")}\n\n${store.join("\n")}\n`);
  const rows = Object.entries(PROBLEMS).map(
    ([code, { status, title, remedy }]) =>
      `| <a id="${code.replaceAll(".", "")}"></a>\`${code}\` | ${status} | ${title} | ${remedy} |`,
  );
  const table = ["| code | status | what | what to do |", "| --- | --- | --- | --- |", ...rows].join("\n");
  const file = join(import.meta.dirname, "../../docs/api.md");
  const [before = "", after = ""] = readFileSync(file, "utf8").split(
    /(?<=<!-- problems:.*-->\n)[^]*(?=<!-- \/problems -->)/,
  );
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, `${before}${table}\n${after}`);
  expect(readFileSync(file, "utf8"), "docs/api.md; UPDATE_GOLDEN=1 writes its table anew").toBe(
    `${before}${table}\n${after}`,
  );
  for (const code of Object.keys(PROBLEMS) as ProblemCode[])
    expect(failureOf(new Refused(code, "x"), "r").problem.status).toBe(PROBLEMS[code].status);
});

test("the OpenAPI document names every route once, and every reference in it leads somewhere", () => {
  const document = openApiDocument() as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>;
    components: { schemas: Record<string, unknown> };
  };
  expect(document.openapi).toBe("3.1.0");
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual([...NAMES].sort());
  for (const { path, method, operation } of operations) {
    const route: Route = ROUTES[operation.operationId as RouteName];
    expect(`${method} ${path}`).toBe(`${route.method.toLowerCase()} /api/v1${route.path}`);
    const named = operation.parameters
      .filter((parameter) => parameter.in === "path")
      .map((parameter) => `{${parameter.name}}`);
    expect(named).toEqual([...path.matchAll(/\{\w+\}/g)].map(([name]) => name));
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, reference]) => reference ?? "",
  );
  expect(references.length).toBeGreaterThan(NAMES.length);
  for (const reference of references) {
    const target = reference
      .replace(/^#\//, "")
      .split("/")
      .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], document);
    expect(target, reference).toBeDefined();
  }
  for (const name of NAMES) expect(ENDPOINTS[name]).toBeDefined();
  golden(
    "openapi-paths.txt",
    `${operations.map(({ path, method, operation }) => `${method.toUpperCase().padEnd(6)} ${path.padEnd(52)} ${ROUTES[operation.operationId as RouteName].needs}`).join("\n")}\n`,
  );
});

test("events are ids of what moved, told to those who may see it; who comes back gets what was missed, or begins anew", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", PERMISSIONS);
    const lee = await api.account("lee", [{ permission: "view", scope: { role: "db" }, domains: null }]);
    await api.app.listen({ host: "127.0.0.1", port: 0 });
    const address = api.app.server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const all = await listen(port, kim);
    const some = await listen(port, lee);
    await api.done(kim, "createServer", { body: { name: "web-1", labels: { role: "web" } } });
    const told = await api.until(
      async () => (all.text().includes("server.expected") ? all.text() : undefined),
      "the event",
    );
    expect(some.text()).not.toContain("server.expected");
    expect(told).not.toContain("web-1");
    const [id] = /^id: \S+$/m.exec(told) ?? [""];
    all.close();
    some.close();
    const back = await listen(port, kim, id.slice("id: ".length));
    await api.until(
      async () => (back.text().includes("server.expected") || back.text().includes("event: moved") ? true : undefined),
      "what was missed",
    );
    back.close();
    const anew = await listen(port, kim, "other-17");
    await api.until(async () => (anew.text().includes("event: reset") ? true : undefined), "the reset");
    anew.close();
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/events`)).status).toBe(401);
  });
});

async function listen(port: number, token: string, lastEventId?: string) {
  const stop = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/events`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
    signal: stop.signal,
  });
  let text = "";
  const reading = (async () => {
    if (answer.body === null) return;
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) text += chunk;
  })().catch(() => undefined);
  return {
    text: () => text,
    close: () => {
      stop.abort();
      void reading;
    },
  };
}
