/**
 * OpenObserve's ingestion of logs (`POST /api/{organization}/{stream}/_json`), as its documentation says it, by the letter: who is not known is
 * refused, a body that is no array of objects is refused, and a record that is too old, too far ahead or too wide is counted as failed in an
 * answer that says 200. Must be closed.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

type LogRecord = Readonly<Record<string, unknown>>;

export interface OpenObserveAnswer {
  readonly code: number;
  readonly status?: readonly { readonly name: string; readonly successful: number; readonly failed: number }[];
}

const HOUR_MS = 3_600_000;
/** Its defaults: ZO_INGEST_ALLOWED_UPTO, ZO_INGEST_ALLOWED_IN_FUTURE, and columns of one record. */
const OLDEST_HOURS = 5;
const FUTURE_HOURS = 24;
const MOST_COLUMNS = 200;
const MOST_BYTES = 200 * 1024 * 1024;

export class OpenObserve {
  readonly records: LogRecord[] = [];
  readonly streams = new Set<string>();
  /** The next answers, before any look at the request. */
  readonly statuses: number[] = [];
  readonly #authorization: string;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  private constructor(user: string, password: string) {
    this.#authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  }

  static async open(user: string, password: string): Promise<OpenObserve> {
    const opened = new OpenObserve(user, password);
    await new Promise<void>((resolve) => opened.#server.listen(0, "127.0.0.1", resolve));
    return opened;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const say = (code: number, body: OpenObserveAnswer = { code }): void => {
      response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const forced = this.statuses.shift();
    if (forced !== undefined) return say(forced);
    if (request.headers.authorization !== this.#authorization) return say(401);
    const [, , stream] = /^\/api\/([a-zA-Z0-9_]+)\/([a-z0-9_]+)\/_json$/.exec(request.url ?? "") ?? [];
    if (request.method !== "POST" || stream === undefined) return say(404);
    const records = readRecords(Buffer.concat(parts), request.headers["content-encoding"]);
    if (records === null) return say(400);
    const taken = records.filter((record) => isTaken(record, Date.now()));
    this.records.push(...taken);
    this.streams.add(stream);
    say(200, {
      code: 200,
      status: [{ name: stream, successful: taken.length, failed: records.length - taken.length }],
    });
  }
}

function readRecords(body: Buffer, encoding: string | undefined): readonly LogRecord[] | null {
  try {
    const bytes = encoding === "gzip" ? gunzipSync(body, { maxOutputLength: MOST_BYTES }) : body;
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    const isRecord = (one: unknown): boolean => typeof one === "object" && one !== null && !Array.isArray(one);
    return Array.isArray(value) && value.every(isRecord) ? (value as LogRecord[]) : null;
  } catch {
    return null;
  }
}

function isTaken(record: LogRecord, nowMs: number): boolean {
  const atMs = timeOf(record["_timestamp"], nowMs);
  if (!Number.isFinite(atMs)) return false;
  if (atMs < nowMs - OLDEST_HOURS * HOUR_MS || atMs > nowMs + FUTURE_HOURS * HOUR_MS) return false;
  // What is not flat is flattened there, under names of its making.
  return (
    Object.keys(record).length <= MOST_COLUMNS && Object.values(record).every((value) => typeof value !== "object")
  );
}

/** Microseconds, as a number or as text, or a text that says when; without one it is now. */
function timeOf(said: unknown, nowMs: number): number {
  if (said === undefined) return nowMs;
  if (typeof said === "number") return said / 1_000;
  if (typeof said !== "string") return Number.NaN;
  return /^\d+$/.test(said) ? Number(said) / 1_000 : Date.parse(said);
}
