import type { ProblemCode } from "@holdfast/core/api/problem-code.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type { ServerId } from "@holdfast/core/base/id.ts";

/**
 * An expected refusal on its way to the one door that answers with it. Thrown, because most are found inside a database transaction, which
 * must end with it, and because no handler has anything to add to it on the way.
 */
export class Refused extends Error {
  readonly code: ProblemCode;
  /** For the user: what is wrong here. */
  readonly detail: string;
  readonly remedy: string | null;
  readonly findings: readonly Finding[];
  /** For the log only. */
  readonly internal: string | null;
  readonly retryAfterSeconds: number | null;
  /** The server that it is about, for the audit log. */
  readonly serverId: ServerId | null;

  constructor(code: ProblemCode, detail: string, more: RefusedMore = {}) {
    super(`${code}: ${detail}`);
    this.name = "Refused";
    this.code = code;
    this.detail = detail;
    this.remedy = more.remedy ?? null;
    this.findings = more.findings ?? [];
    this.internal = more.internal ?? null;
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
    this.serverId = more.serverId ?? null;
  }
}

export interface RefusedMore {
  readonly remedy?: string;
  readonly findings?: readonly Finding[];
  readonly internal?: string;
  readonly retryAfterSeconds?: number;
  readonly serverId?: ServerId;
}

export function refuse(code: ProblemCode, detail: string, more: RefusedMore = {}): never {
  throw new Refused(code, detail, more);
}

/** The same words for what is not there and for what one may not see, so that nobody can tell which. */
export function notFound(what: string): never {
  throw new Refused("resource.not_found", `There is no ${what}, or you may not see it.`);
}
