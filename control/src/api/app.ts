/**
 * The HTTP door. Every route is registered here from the one table, and every request goes the same way: limits, the gate, parsing, the
 * handler, the answer held against its schema. What goes wrong anywhere leaves through one place.
 */
import fastifyCookie from "@fastify/cookie";
import fastifyRateLimit from "@fastify/rate-limit";
import { ENDPOINTS, type Endpoint } from "@holdfast/core/api/endpoint.ts";
import { type Route, type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import { TRACEPARENT_HEADER } from "@holdfast/core/trace/traceparent.ts";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import type { Doctor } from "../doctor/doctor.ts";
import type { House } from "../house.ts";
import { newId } from "../store/new-id.ts";
import { transaction } from "../store/transaction.ts";
import { spanOfRequest } from "../trace/request-span.ts";
import type { Caller } from "./caller.ts";
import { watchConnections } from "./connection.ts";
import { serveConsole } from "./console-files.ts";
import { cookieKind, isFromBrowser } from "./credential.ts";
import type { EventStream } from "./event-stream.ts";
import { admit, sourceOf } from "./gate.ts";
import type { ApiAnswer, ApiRequest, Handlers } from "./handler.ts";
import { allHandlers } from "./handlers.ts";
import { once } from "./idempotency.ts";
import type { PacketStreams } from "./packet-stream.ts";
import { type Failure, failureOf } from "./problem.ts";
import { RefusalBudget } from "./refusal-budget.ts";
import { Refused, refuse } from "./refused.ts";
import { securityHeaders } from "./security-headers.ts";
import type { ToolStreams } from "./tool-stream.ts";

export interface ApiOptions {
  readonly house: House;
  readonly doctor: Doctor;
  readonly events: EventStream;
  readonly packets: PacketStreams;
  readonly tools: ToolStreams;
  readonly publicUrl: URL;
  readonly trustedProxies: readonly string[];
  /** Why it is not ready, in words; empty when it is. */
  readonly notReady: () => Promise<readonly string[]>;
  /** The folder of the built console. */
  readonly consoleFolder: string;
  /** Handlers beside the real ones, for tests of the door itself. */
  readonly handlers?: Handlers;
}

/** A change of many documents in JSON; what one document may be is the language's own limit. */
const BODY_BYTES = 8 << 20;
/** A console with several windows and a busy script stay far below; a loop gone wild does not. */
const REQUESTS_PER_MINUTE = 1_200;
/** Per source. Together with the waits after wrong passwords nobody guesses one in a lifetime. */
const SIGN_INS_PER_MINUTE = 20;
/** Whoever is nobody yet: each of these costs more than it costs to ask for it. */
const SIGN_INS: ReadonlySet<RouteName> = new Set([
  "login",
  "beginOidc",
  "finishOidc",
  "finishOidcCode",
  "beginPasskeySignIn",
  "signInWithPasskey",
]);
const NAMES = Object.keys(ROUTES) as RouteName[];

/** What this request has turned out to be so far, for the one place where failures leave. */
interface Known {
  name: RouteName | null;
  caller: Caller | null;
  failure: string | null;
}

export async function buildApi(options: ApiOptions): Promise<FastifyInstance> {
  const { house } = options;
  const cookie = cookieKind(options.publicUrl);
  const handlers =
    options.handlers ?? allHandlers(house, options.doctor, options.events, options.packets, options.tools);
  assertComplete(handlers);
  const known = new WeakMap<FastifyRequest, Known>();
  const budget = new RefusalBudget(house.nowMs);
  const app = Fastify({
    bodyLimit: BODY_BYTES,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    genReqId: () => newId<string>(),
    exposeHeadRoutes: false,
    logger: false,
    // A client that sends its headers or body drop by drop gives way to others.
    requestTimeout: 60_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
  });
  const connectionOf = watchConnections(app.server);
  // JSON and nothing else: a form on somebody's page can send text, never this.
  app.removeContentTypeParser("text/plain");
  await app.register(fastifyCookie);
  await securityHeaders(app, options.publicUrl);
  await app.register(fastifyRateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    hook: "onRequest",
    // Over a socket file nobody has an address, and the limit's own way to make a key of one fails.
    keyGenerator: ({ ip }: { readonly ip?: string }) => ip ?? "local socket",
  });

  app.addHook("onSend", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  app.addHook("onResponse", async (request, reply) => {
    const about = known.get(request);
    // What only reads begins nothing that could be followed.
    if (about?.name !== null && typeof about?.caller?.traceparent === "string")
      house.traces.record(
        spanOfRequest({
          id: request.id,
          traceparent: request.headers[TRACEPARENT_HEADER],
          route: about.name,
          via: about.caller.via,
          status: reply.statusCode,
          startMs: house.nowMs() - reply.elapsedTime,
          endMs: house.nowMs(),
          failure: about.failure,
        }),
      );
    house.log.info(
      {
        trace_id: request.id,
        actor: about?.caller?.actor.actor ?? "anonymous",
        route: about?.name ?? "none",
        method: request.method,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      "request",
    );
  });
  app.setErrorHandler(async (error, request, reply) => answerFailure(error, request, reply));
  app.setNotFoundHandler(async (request, reply) =>
    answerFailure(new Refused("request.unknown_route", "There is nothing at this address."), request, reply),
  );

  for (const name of NAMES) register(name);
  app.get("/healthz", { config: { rateLimit: false } }, async () => ({ status: "alive" }));
  app.get("/readyz", { config: { rateLimit: false } }, async (_, reply) => {
    const waiting = await options.notReady();
    return reply
      .code(waiting.length === 0 ? 200 : 503)
      .send({ status: waiting.length === 0 ? "ready" : "not ready", waiting });
  });
  await serveConsole(app, options.consoleFolder);
  return app;

  function register(name: RouteName): void {
    const route: Route = ROUTES[name];
    app.route({
      method: route.method,
      url: `/api/v1${route.path.replace(/\{(\w+)\}/g, ":$1")}`,
      ...(SIGN_INS.has(name) ? { config: { rateLimit: { max: SIGN_INS_PER_MINUTE, timeWindow: 60_000 } } } : {}),
      handler: (request, reply) => serve(name, request, reply),
    });
  }

  async function serve(name: RouteName, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const about: Known = { name, caller: null, failure: null };
    known.set(request, about);
    const endpoint: Endpoint = ENDPOINTS[name];
    const caller = await admit(
      name,
      request,
      { database: house.database, instanceId: house.instanceId, cookie, nowMs: house.nowMs, traces: house.traces },
      (one) => {
        about.caller = one;
      },
    );
    const parsed = {
      caller,
      params: request.params,
      query: parse(endpoint.query, request.query, "query"),
      body: parse(endpoint.body, request.body ?? undefined, "body"),
      ifMatch: ifMatchOf(request, endpoint),
      source: sourceOf(request, caller?.via ?? "anonymous"),
      connection: connectionOf(request),
      fromBrowser: isFromBrowser(request),
      pendingSignIn: request.cookies[cookie.signInName] ?? null,
      lastEventId: typeof request.headers["last-event-id"] === "string" ? request.headers["last-event-id"] : null,
      reply,
      // The parts were parsed by this route's own schemas just above, and the gate gives a caller exactly to the routes that need one.
    } as unknown as ApiRequest<RouteName>;
    const handler: (request: ApiRequest<RouteName>) => Promise<ApiAnswer<RouteName>> = handlers[name];
    const key = request.headers["idempotency-key"];
    const status = endpoint.status ?? 200;
    const act = async (): Promise<{ status: number; value: Json; answer: ApiAnswer<RouteName> | null }> => {
      const answer = await handler(parsed);
      return { status, value: endpoint.stream === true ? null : hold(name, endpoint, answer.value), answer };
    };
    // A stream is no answer that could be kept and given again.
    const isOnce = request.method === "POST" && typeof key === "string" && caller !== null && endpoint.stream !== true;
    const done = isOnce
      ? await once(
          {
            database: house.database,
            caller,
            route: name,
            key,
            path: request.url,
            body: JSON.stringify(request.body ?? null),
            macKey: house.idempotencyKey,
            secret: endpoint.secret === true,
          },
          act,
        )
      : { ...(await act()), repeated: false };
    if (endpoint.stream === true) return reply;
    const answer = "answer" in done ? (done.answer as ApiAnswer<RouteName> | null) : null;
    if (done.repeated) reply.header("idempotent-replayed", "true");
    if (answer?.etag !== undefined) reply.header("etag", `"${answer.etag}"`);
    if (answer?.session !== undefined) setCookie(reply, cookie.name, answer.session);
    if (answer?.pendingSignIn !== undefined) setCookie(reply, cookie.signInName, answer.pendingSignIn);
    return reply.code(done.status).header("cache-control", "no-store").send(done.value);
  }

  function setCookie(reply: FastifyReply, name: string, kept: NonNullable<ApiAnswer<"login">["session"]> | null): void {
    const attributes = { path: "/", httpOnly: true, sameSite: "strict", secure: cookie.secure } as const;
    if (kept === null) reply.clearCookie(name, attributes);
    else reply.setCookie(name, kept.secret, { ...attributes, maxAge: kept.seconds });
  }

  async function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const about = known.get(request);
    const failure = failureOf(error, request.id);
    const { problem } = failure;
    if (about !== undefined) about.failure = problem.code;
    const line = {
      trace_id: request.id,
      actor: about?.caller?.actor.actor ?? "anonymous",
      result_code: problem.code,
      route: about?.name ?? "none",
    };
    if (failure.isBug) house.log.error({ ...line, err: error }, "a request failed for a reason that nobody expected");
    else if (failure.internal !== null) house.log.warn({ ...line, internal: failure.internal }, problem.detail);
    await auditRefusal(request, about, failure);
    if (reply.sent || reply.raw.headersSent) return reply;
    // The next request of this client then comes over a new connection.
    if (problem.code === "apply.connection_too_old") reply.header("connection", "close");
    if (failure.retryAfterSeconds !== null) reply.header("retry-after", String(failure.retryAfterSeconds));
    return reply
      .code(problem.status)
      .header("cache-control", "no-store")
      .type("application/problem+json")
      .send(JSON.stringify(problem));
  }

  /** Whoever was refused something, or whatever they tried to change and could not, stands in the log; the refusal is answered all the same. */
  async function auditRefusal(
    request: FastifyRequest,
    about: Known | undefined,
    { problem: { code }, serverId }: Failure,
  ): Promise<void> {
    if (about === undefined || about.name === null) return;
    const isRefusedAccess = code.startsWith("access.") || code === "account.must_change_password";
    const isRefusedChange = request.method !== "GET" && about.caller !== null;
    if (code === "access.not_signed_in" || (!isRefusedAccess && !isRefusedChange)) return;
    if (about.caller === null && !budget.take(request.ip)) return;
    const actor = about.caller?.actor ?? { actor: "anonymous", source: sourceOf(request, "unknown") };
    const entry = {
      actor: actor.actor,
      source: actor.source,
      action: `api.${about.name}`,
      object: request.url.split("?", 1)[0] ?? "",
      ...(serverId === null ? {} : { serverId }),
      new: { trace_id: request.id },
      resultCode: code,
    };
    const written = await transaction(house.database, async (tx) => tx.audit(entry)).catch(
      (error: unknown) => ({ ok: false, error }) as const,
    );
    if (!written.ok)
      house.log.error(
        { trace_id: request.id, result_code: "audit.not_written", err: written.error },
        "a refusal could not be written to the audit log",
      );
  }
}

/** The compiler has seen it; a start sees it once more, because a route without a gate, or a gate without a room, must never be served. */
function assertComplete(handlers: Handlers): void {
  const missing = NAMES.filter((name) => typeof handlers[name] !== "function");
  const extra = Object.keys(handlers).filter((name) => !(name in ROUTES));
  if (missing.length + extra.length > 0)
    throw new Error(
      `routes and handlers differ: without a handler ${missing.join(", ") || "none"}, without a row ${extra.join(", ") || "none"}`,
    );
}

function parse(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.slice(0, 50).map((issue): Finding => ({
    severity: "error",
    code: "request.invalid",
    path: [where, ...issue.path].join("."),
    message: issue.message,
    remedy: "Correct this field; openapi.json says what is expected.",
  }));
  return refuse("request.invalid", `The ${where} is not what this address takes.`, { findings });
}

/** An answer that is not what we promised is our own fault and never leaves: a client would act on it. */
function hold(name: RouteName, endpoint: Endpoint, value: unknown): Json {
  const parsed = endpoint.answer.safeParse(value);
  if (!parsed.success)
    throw new Error(`the answer of ${name} is not what its schema says: ${z.prettifyError(parsed.error)}`);
  return parsed.data as Json;
}

function ifMatchOf(request: FastifyRequest, endpoint: Endpoint): string | null {
  const header = request.headers["if-match"];
  if (header === undefined && endpoint.ifMatch === true)
    refuse("etag.missing", "This changes something that others may change too; say what you have read.");
  return header === undefined ? null : header.replace(/^(?:W\/)?"(.*)"$/, "$1");
}
