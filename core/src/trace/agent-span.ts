import { DOMAINS, type DomainName } from "../domain.ts";

/**
 * What an agent's processes did, as they tell it: plain data, without the trace it belongs to. It comes from servers, which are believed in
 * nothing they are not asked for: the control plane knows which trace and which server it asked about, and reads no more than this.
 *   A1. Every member is bounded, and names are of our own words: no operand, no path, no name out of a document (N1).
 *   A2. What does not read is left out and counted; the rest is kept.
 * Read by hand: the session's process, which passes it on, is to stay small.
 */
export interface AgentSpan {
  readonly id: string;
  readonly parent: string;
  /** Which process and what: `guard Submit`, `native nft`. */
  readonly name: string;
  /** Unix milliseconds of the server's clock. */
  readonly startMs: number;
  readonly endMs: number;
  readonly domain?: DomainName;
  /** Which of how many: `2/5`. */
  readonly step?: string;
  /** The dotted code of why it did not go well. */
  readonly failure?: string;
}

const ID = /^(?!0{16})[0-9a-f]{16}$/;
const NAME = /^(?:session|guard|module|native) [A-Za-z0-9._+-]{1,40}$/;
const STEP = /^\d{1,4}\/\d{1,4}$/;
const FAILURE = /^[a-z0-9_.]{1,80}$/;
const LATEST_MS = 8.64e15;

/** A trace of more says nothing more to a person; a plan of hundreds of steps is cut there, and it is said how much was. */
export const MOST_AGENT_SPANS = 256;
/** On one answer of gRPC: as a header it must stay below the 64 kB that HTTP/2 peers take. */
export const MOST_SPANS_ON_ANSWER = 128;

export interface AgentSpans {
  readonly spans: readonly AgentSpan[];
  /** Made and not kept. */
  readonly lost: number;
}

export const NO_AGENT_SPANS: AgentSpans = { spans: [], lost: 0 };

export function readAgentSpans(value: unknown, most = MOST_AGENT_SPANS): AgentSpans {
  const { spans: told, lost } = membersOf(value);
  if (!Array.isArray(told)) return NO_AGENT_SPANS;
  const spans = (told as readonly unknown[]).slice(0, most).map(readAgentSpan);
  const read = spans.filter((span) => span !== null);
  const before = typeof lost === "number" && Number.isSafeInteger(lost) && lost >= 0 ? lost : 0;
  return { spans: read, lost: before + told.length - read.length };
}

export function joinAgentSpans(some: AgentSpans, more: AgentSpans, most: number): AgentSpans {
  const spans = [...some.spans, ...more.spans];
  return { spans: spans.slice(0, most), lost: some.lost + more.lost + Math.max(0, spans.length - most) };
}

function readAgentSpan(value: unknown): AgentSpan | null {
  const { id, parent, name, startMs, endMs, domain, step, failure } = membersOf(value);
  if (!isLike(id, ID) || !isLike(parent, ID) || !isLike(name, NAME) || !isTime(startMs) || !isTime(endMs)) return null;
  const known = DOMAINS.find((one) => one === domain);
  return {
    id,
    parent,
    name,
    startMs,
    endMs,
    ...(known === undefined ? {} : { domain: known }),
    ...(isLike(step, STEP) ? { step } : {}),
    ...(isLike(failure, FAILURE) ? { failure } : {}),
  };
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function isLike(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && value.length <= 100 && pattern.test(value);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= LATEST_MS;
}
