import { ENDPOINTS } from "@holdfast/core/api/endpoint.ts";
import { type Problem, problemSchema } from "@holdfast/core/api/problem.ts";
import { type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import type { z } from "zod";
import { setConnection } from "./connection.ts";
import { learnServerTime } from "./server-clock.ts";

/** A refusal by the API, with everything that is wrong. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "Refused";
    this.problem = problem;
  }
}

/** No answer at all, or one that is not Holdfast's. Nothing is known about what happened. */
export class Unreachable extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Unreachable";
  }
}

type Body<Name extends RouteName> = (typeof ENDPOINTS)[Name] extends { readonly body: infer Schema extends z.ZodType }
  ? z.input<Schema>
  : undefined;
export type Answer<Name extends RouteName> = z.output<(typeof ENDPOINTS)[Name]["answer"]>;

export interface Call<Name extends RouteName> {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: Body<Name>;
  /** The etag of what was seen: somebody else's edit in between is refused, not overwritten. */
  readonly ifMatch?: string;
  /** Give the same key to send the same request again after a lost answer; it is then done once. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** 401 of these says that what was shown is not good, not that a session has ended. */
const SHOWS_WHO: ReadonlySet<RouteName> = new Set([
  "login",
  "changePassword",
  "beginOidc",
  "finishOidc",
  "finishOidcCode",
]);

/** Planning asks every server and has ten seconds of its own; above this a person has given up. */
const CALL_TIMEOUT_MS = 30_000;

let csrfToken: string | null = null;
let signedOut: () => void = () => undefined;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** @param listener called when the session has ended on the other side */
export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

export function urlOf(
  route: RouteName,
  params: Readonly<Record<string, string>> = {},
  query: Call<RouteName>["query"] = {},
): string {
  const path = ROUTES[route].path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, value);
  const text = search.toString();
  return `/api/v1${path}${text === "" ? "" : `?${text}`}`;
}

/** The public API, one function. Answers are parsed at the door. */
export async function call<Name extends RouteName>(route: Name, options: Call<Name> = {}): Promise<Answer<Name>> {
  const { method } = ROUTES[route];
  const { body, ifMatch, signal } = options;
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (ifMatch !== undefined) headers["if-match"] = ifMatch;
  if (method !== "GET") {
    headers["idempotency-key"] = options.idempotencyKey ?? crypto.randomUUID();
    if (csrfToken !== null) headers["x-holdfast-csrf"] = csrfToken;
  }
  const sentMs = Date.now();
  const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await fetch(urlOf(route, options.params, options.query), {
      method,
      headers,
      credentials: "same-origin",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (cause) {
    // The page no longer wants the answer: that says nothing about the control plane.
    if (signal?.aborted === true) throw cause;
    setConnection({ reachable: false });
    throw new Unreachable(cause instanceof Error ? cause.message : String(cause));
  }
  setConnection({ reachable: true, lastAnswerMs: Date.now() });
  learnServerTime(response.headers.get("date"), sentMs, Date.now());

  const json = parseJson(text);
  if (!response.ok) throw failureOf(route, response.status, json);
  const parsed = ENDPOINTS[route].answer.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Unreachable(`${ROUTES[route].path}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
  }
  // The table says so: the schema asked is the one of this very name, which the compiler cannot follow through the union.
  return parsed.data as Answer<Name>;
}

/** A stream of events, part by part, until it ends or `signal` says so. What refuses it is a problem as of every call. */
export async function follow(
  route: RouteName,
  params: Readonly<Record<string, string>>,
  signal: AbortSignal,
  onPart: (part: string) => void,
  /** Of a route that is asked by one: then the stream does something, so it is begun once and by our own page. */
  body?: unknown,
): Promise<void> {
  const { method } = ROUTES[route];
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET" && csrfToken !== null) headers["x-holdfast-csrf"] = csrfToken;
  let response: Response;
  try {
    response = await fetch(urlOf(route, params), {
      method,
      headers,
      credentials: "same-origin",
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new Unreachable(cause instanceof Error ? cause.message : String(cause));
  }
  if (!response.ok) throw failureOf(route, response.status, parseJson(await response.text().catch(() => "")));
  const parts = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let part = await parts?.read(); part !== undefined && !part.done; part = await parts?.read())
      onPart(part.value);
  } catch (cause) {
    throw new Unreachable(cause instanceof Error ? cause.message : String(cause));
  }
}

function failureOf(route: RouteName, status: number, json: unknown): Refused | Unreachable {
  const problem = problemSchema.safeParse(json);
  // A password or a code that was wrong is said with 401 too, and ends no session.
  const isAboutAccount = problem.data?.code.startsWith("account.") === true;
  if (status === 401 && !SHOWS_WHO.has(route) && !isAboutAccount) signedOut();
  return problem.success ? new Refused(problem.data) : new Unreachable(`HTTP ${status}`);
}

function parseJson(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
