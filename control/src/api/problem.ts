import { PROBLEMS, type ProblemCode } from "@holdfast/core/api/problem-code.ts";
import type { Problem } from "@holdfast/core/api/problem.ts";
import { StoreFailure, type StoreFailureCode } from "../store/store-failure.ts";
import { Refused } from "./refused.ts";

/** The answer to a failed request, and beside it what only the log is told. */
export interface Failure {
  readonly problem: Problem;
  readonly retryAfterSeconds: number | null;
  /** Null when there is nothing that the answer does not say. */
  readonly internal: string | null;
  /** A fault of ours: logged with its stack. */
  readonly isBug: boolean;
  /** The server that it is about, where one is known. */
  readonly serverId: string | null;
}

/** What a failure of the store means to whoever sent the request. A race that was lost is the same as a resource that has moved. */
const OF_STORE = {
  "store.lost_race": "etag.moved",
  "store.server_busy": "apply.server_busy",
  "store.illegal_transition": "apply.not_now",
  "store.verdict_changed": "internal.error",
  "store.approval_refused": "change.approval_of_own",
  "store.base_moved": "change.base_moved",
  "store.duplicate": "etag.moved",
  "store.not_found": "resource.not_found",
  "store.wrong_state": "apply.not_now",
  "store.commit_unknown": "store.commit_unknown",
  "store.rolled_back": "store.unavailable",
  "store.contended": "store.unavailable",
  "store.unavailable": "store.unavailable",
} as const satisfies Record<StoreFailureCode, ProblemCode>;

/** Every failure whatever has a problem; what nobody expected says nothing of its inside. */
export function failureOf(error: unknown, requestId: string): Failure {
  if (error instanceof Refused) {
    return {
      problem: problem(error.code, error.detail, requestId, error),
      retryAfterSeconds: error.retryAfterSeconds,
      internal: error.internal,
      isBug: PROBLEMS[error.code].status === 500,
      serverId: error.serverId,
    };
  }
  if (error instanceof StoreFailure) {
    const code = OF_STORE[error.code];
    const isPlain = PROBLEMS[code].status < 500;
    const detail = isPlain ? sentence(error.message) : PROBLEMS[code].title;
    return {
      problem: problem(code, detail, requestId),
      retryAfterSeconds: isPlain ? null : 2,
      internal: `${error.code}: ${error.message}`,
      isBug: code === "internal.error",
      serverId: typeof error.details["server_id"] === "string" ? error.details["server_id"] : null,
    };
  }
  const known = ofFramework(error);
  if (known !== null)
    return {
      problem: problem(known.code, known.detail, requestId),
      retryAfterSeconds: known.retryAfterSeconds,
      internal: null,
      isBug: false,
      serverId: null,
    };
  return {
    problem: problem("internal.error", "Something went wrong inside Holdfast. Nothing more is known here.", requestId),
    retryAfterSeconds: null,
    internal: error instanceof Error ? error.message : String(error),
    isBug: true,
    serverId: null,
  };
}

function problem(code: ProblemCode, detail: string, requestId: string, refused?: Refused): Problem {
  const { status, title, remedy } = PROBLEMS[code];
  return {
    type: `/docs/api.md#${code.replaceAll(".", "")}`,
    title,
    status,
    code,
    detail,
    remedy: refused?.remedy ?? remedy,
    requestId,
    ...(refused === undefined || refused.findings.length === 0
      ? {}
      : { findings: refused.findings.map((finding) => ({ ...finding })) }),
  };
}

/** What the HTTP framework refuses before any handler of ours. */
function ofFramework(
  error: unknown,
): { readonly code: ProblemCode; readonly detail: string; readonly retryAfterSeconds: number | null } | null {
  if (!(error instanceof Error)) return null;
  const { code, statusCode } = error as Error & { readonly code?: string; readonly statusCode?: number };
  const of = (problemCode: ProblemCode, detail: string, retryAfterSeconds: number | null = null) => ({
    code: problemCode,
    detail,
    retryAfterSeconds,
  });
  if (statusCode === 429) return of("request.rate_limited", "Too many requests came from here in the last minute.", 60);
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return of("request.too_large", "The body is larger than what is read at once.");
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return of("request.not_json", "The body has another content type than application/json.");
  // The parser's own words quote what it could not read, and that may be a secret.
  if (error instanceof SyntaxError || code === "FST_ERR_CTP_INVALID_JSON_BODY")
    return of("request.invalid", "The body is not valid JSON.");
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return of("request.invalid", sentence(error.message));
  return null;
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(capital) ? capital : `${capital}.`;
}
