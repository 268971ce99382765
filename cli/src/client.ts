import { randomUUID } from "node:crypto";
import { problemSchema } from "@holdfast/core/api/problem.ts";
import { type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import type { z } from "zod";
import { CliError } from "./cli-error.ts";
import type { Context } from "./context.ts";
import { readCredentials } from "./credentials.ts";
import { EXIT } from "./exit-code.ts";

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
  /** An answer that is a file, handed on as it comes. One that is cut off is a failure. */
  download(
    route: RouteName,
    query: Readonly<Record<string, string | undefined>>,
    onPart: (part: string) => void,
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
  const url = override?.url ?? kept.url;
  const token = override?.token === undefined ? kept.token : override.token;

  return {
    url,
    async download(route, query, onPart) {
      const target = new URL(`${url}/api/v1${ROUTES[route].path}`);
      for (const [key, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(key, value);
      const response = await send(target, token === null ? {} : { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok) throw problemError(parseJson(await response.text(), target), response.status, target);
      if (response.body === null) return;
      try {
        for await (const part of response.body.pipeThrough(new TextDecoderStream())) onPart(part);
      } catch {
        throw new CliError(
          EXIT.unreachable,
          "cli.cut_off",
          "The answer was cut off.",
          "What was written is not all of it; try again.",
        );
      }
    },
    async call(route, { params = {}, query = {}, body, ifMatch, answer }) {
      const { method, path } = ROUTES[route];
      const target = new URL(
        `${url}/api/v1${path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""))}`,
      );
      for (const [key, value] of Object.entries(query))
        if (value !== undefined) target.searchParams.set(key, String(value));
      const headers: Record<string, string> = { accept: "application/json" };
      if (token !== null) headers["authorization"] = `Bearer ${token}`;
      if (body !== undefined) headers["content-type"] = "application/json";
      if (ifMatch !== undefined) headers["if-match"] = ifMatch;
      if (method !== "GET") headers["idempotency-key"] = randomUUID();

      const response = await send(target, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
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

async function send(target: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(target, { ...init, signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  } catch (cause) {
    const why =
      cause instanceof Error
        ? ((cause.cause instanceof Error ? cause.cause.message : undefined) ?? cause.message)
        : String(cause);
    throw new CliError(
      EXIT.unreachable,
      "cli.unreachable",
      `The control plane at ${target.origin} cannot be reached: ${why}.`,
      "Is it running? Set HOLDFAST_URL if it is elsewhere. What is on trial undoes itself without it.",
    );
  }
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
