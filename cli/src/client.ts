import { randomUUID } from "node:crypto";
import { problemSchema } from "@holdfast/core/api/problem.ts";
import { type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import { readTraceparent, TRACEPARENT_HEADER, traceparentOf } from "@holdfast/core/trace/traceparent.ts";
import { z } from "zod";
import { readAddress } from "./address.ts";
import { CliError } from "./cli-error.ts";
import type { Context } from "./context.ts";
import { readCredentials } from "./credentials.ts";
import { EXIT } from "./exit-code.ts";
import { Silence } from "./silence.ts";

export interface Call<Schema extends z.ZodType> {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly answer: Schema;
}

export interface Client {
  readonly url: string;
  call<Schema extends z.ZodType>(route: RouteName, call: Call<Schema>): Promise<z.infer<Schema>>;
  /** An answer that is a file, handed on as it comes and no faster than it is taken. One that is cut off is a failure. */
  download(
    route: RouteName,
    query: Readonly<Record<string, string | undefined>>,
    onPart: (part: string) => Promise<void>,
    params?: Readonly<Record<string, string>>,
    /** Of a route that is asked by one; it is sent once, and a stream that it begins ends with whoever reads it. */
    body?: unknown,
  ): Promise<void>;
}

/** Seconds are long for a person at a terminal; planning asks every server and has ten of its own. */
const CALL_TIMEOUT_MS = 60_000;

/** The public API, one function. Every unsafe call carries an Idempotency-Key, so a repeated one is done once. */
export function openClient(
  context: Context,
  override?: { readonly url?: string; readonly token?: string | null },
): Client {
  const kept = readCredentials(context);
  const url = readAddress(override?.url ?? kept.url);
  const token = override?.token === undefined ? kept.token : override.token;

  return {
    url,
    async download(route, query, onPart, params = {}, body) {
      const { method } = ROUTES[route];
      const target = targetOf(url, route, params);
      for (const [key, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(key, value);
      // A file may take an hour, and whoever takes its parts too: only silence of the other side is a failure.
      const silence = new Silence(CALL_TIMEOUT_MS);
      const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
      if (body !== undefined) headers["content-type"] = "application/json";
      const init = {
        method,
        headers,
        signal: silence.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      };
      const response = await silence.during(() => send(target, init));
      if (!response.ok) {
        const text = await silence.during(() => response.text().catch((cause: unknown) => cutOff(method, cause)));
        throw problemError(parseJson(text, target), response.status, target);
      }
      if (response.body === null) return;
      const parts = response.body.pipeThrough(new TextDecoderStream()).getReader();
      try {
        for (;;) {
          const { done, value } = await silence.during(() =>
            parts.read().catch((cause: unknown) => cutOff(method, cause)),
          );
          if (done) return;
          await onPart(value);
        }
      } finally {
        silence.end();
      }
    },
    async call(route, { params = {}, query = {}, body, ifMatch, answer }) {
      const { method } = ROUTES[route];
      const target = targetOf(url, route, params);
      for (const [key, value] of Object.entries(query))
        if (value !== undefined) target.searchParams.set(key, String(value));
      const headers: Record<string, string> = { accept: "application/json" };
      if (token !== null) headers["authorization"] = `Bearer ${token}`;
      if (body !== undefined) headers["content-type"] = "application/json";
      if (ifMatch !== undefined) headers["if-match"] = ifMatch;
      if (method !== "GET") headers["idempotency-key"] = randomUUID();
      // Whoever runs this in a trace of their own (a pipeline, say) finds the apply in it.
      const trace = readTraceparent(context.env["TRACEPARENT"]);
      if (trace !== null) headers[TRACEPARENT_HEADER] = traceparentOf(trace);

      const response = await send(target, {
        method,
        headers,
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text().catch((cause: unknown) => cutOff(method, cause));
      const json: unknown = text === "" ? null : parseJson(text, target);
      if (!response.ok) throw problemError(json, response.status, target);
      const parsed = answer.safeParse(json);
      if (!parsed.success) {
        throw new CliError(
          EXIT.unreachable,
          "cli.answer_not_understood",
          `${target.origin} answered in a shape that this command does not know (${parsed.error.issues[0]?.path.join(".") ?? ""}).`,
          "Use a holdfast of the same version as the control plane.",
        );
      }
      return parsed.data;
    },
  };
}

function targetOf(url: string, route: RouteName, params: Readonly<Record<string, string>>): URL {
  const path = ROUTES[route].path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  return new URL(`${url}/api/v1${path}`);
}

async function send(target: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(target, init);
  } catch (cause) {
    const remedy = "Is it running? Set HOLDFAST_URL if it is elsewhere. What is on trial undoes itself without it.";
    throw new CliError(
      EXIT.unreachable,
      "cli.unreachable",
      `The control plane at ${target.origin} cannot be reached: ${whyOf(cause)}.`,
      isUnsafe(init.method) && !isBeforeSending(cause) ? `${MAYBE_DONE} ${remedy}` : remedy,
    );
  }
}

/** Whoever repeats blindly what was done already does it twice. */
const MAYBE_DONE = "Whether this was done is not known: look before you do it again.";

function cutOff(method: string, cause: unknown): never {
  throw new CliError(
    EXIT.unreachable,
    "cli.cut_off",
    `The answer was cut off: ${whyOf(cause)}.`,
    isUnsafe(method) ? MAYBE_DONE : "What came is not all of it; try again.",
  );
}

function isUnsafe(method: string | undefined): boolean {
  return method !== undefined && method !== "GET";
}

/** Only what is known to come before the first byte of a request. */
function isBeforeSending(cause: unknown): boolean {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const { code, syscall } = z.object({ code: z.unknown(), syscall: z.unknown() }).partial().catch({}).parse(inner);
  return (
    syscall === "connect" || syscall === "getaddrinfo" || code === "ECONNREFUSED" || code === "UND_ERR_CONNECT_TIMEOUT"
  );
}

/** fetch() says only that it failed; its cause says why, and one that tried several addresses says it in a code alone. */
function whyOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause instanceof Error ? cause.cause : cause;
  if (inner.message !== "") return inner.message;
  return "code" in inner ? String(inner.code) : inner.name;
}

function parseJson(text: string, target: URL): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(
      EXIT.unreachable,
      "cli.not_holdfast",
      `${target.origin} does not answer as Holdfast does.`,
      "Check HOLDFAST_URL.",
    );
  }
}

function problemError(json: unknown, status: number, target: URL): CliError {
  const problem = problemSchema.safeParse(json);
  if (!problem.success) {
    return new CliError(
      EXIT.refused,
      `http.${status}`,
      `${target.origin} answered ${status}.`,
      "Look into the control plane's log.",
    );
  }
  const { code, detail, remedy, requestId, findings } = problem.data;
  const help = status === 401 ? "Sign in with `holdfast login`, or set HOLDFAST_TOKEN." : remedy;
  const error = new CliError(
    EXIT.refused,
    code,
    detail,
    status >= 500 ? `${help} (request ${requestId})` : help,
    findings ?? [],
  );
  return error;
}
