import http2 from "node:http2";
import type { Duplex } from "node:stream";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { tracedCalls } from "./trace-hop.ts";

/** Bytes of one message. The listing of a firewall of 50,000 rules takes about 20 MB as JSON. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** A gRPC client over one connection that somebody else opened. It lives and dies with that connection and never reconnects. */
export interface ConnectionClient {
  readonly transport: Transport;
  /** Resolves when the connection is gone, whoever closed it. */
  readonly closed: Promise<void>;
  readonly isOpen: () => boolean;
  /** Takes no call any more; those under way end by themselves. */
  retire(): void;
  close(): void;
}

/** The cause of a failure of a call that the other end never began with: it may be made again, whatever it does. */
const NOT_TAKEN = Symbol("not taken");

/** Whether the other end has certainly done nothing of a call that failed (RFC 9113, section 8.7). */
export function wasNotTaken(error: unknown): boolean {
  return error instanceof ConnectError && error.cause === NOT_TAKEN;
}

export function clientOver(socket: Duplex): ConnectionClient {
  const session = http2.connect("http://peer", { createConnection: () => socket });
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  // Every call on it fails with `unavailable`; who needs to know waits for `closed`.
  session.on("error", () => undefined);
  const transport = createTransport({
    httpClient: (request) => call(session, request),
    baseUrl: "http://peer",
    useBinaryFormat: true,
    interceptors: [tracedCalls],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
  });
  return {
    transport,
    closed,
    isOpen: () => !session.closed && !session.destroyed,
    retire: () => session.close(),
    close: () => session.destroy(),
  };
}

function call(session: http2.ClientHttp2Session, request: UniversalClientRequest): Promise<UniversalClientResponse> {
  if (session.closed || session.destroyed) return Promise.reject(notTaken("the connection is gone"));
  const headers: http2.OutgoingHttpHeaders = {
    ":method": request.method,
    ":path": new URL(request.url).pathname,
    ":scheme": "http",
    ":authority": "peer",
  };
  request.header.forEach((value, name) => {
    headers[name] = value;
  });
  const stream = session.request(headers, request.signal === undefined ? {} : { signal: request.signal });
  const trailer = new Headers();
  return new Promise((resolve, reject) => {
    stream.on("trailers", (received: http2.IncomingHttpHeaders) => copyHeaders(received, trailer));
    stream.on("error", (error) => {
      const isRefused = stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
      reject(isRefused ? notTaken("the other end was leaving") : failure(error, request.signal));
    });
    // A stream that closes without an answer: the promise is settled already when there was one.
    stream.on("close", () => reject(new ConnectError("the connection ended before the answer", Code.Unavailable)));
    stream.on("response", (received) => {
      const header = new Headers();
      copyHeaders(received, header);
      resolve({ status: received[":status"] ?? 0, header, trailer, body: bodyOf(stream, request.signal) });
    });
    void send(stream, request.body).catch((error: unknown) =>
      stream.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
}

async function send(stream: http2.ClientHttp2Stream, body: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  for await (const chunk of body ?? []) {
    if (!stream.write(chunk))
      await new Promise<void>((resolve) => {
        const go = (): void => {
          stream.off("drain", go);
          stream.off("close", go);
          resolve();
        };
        stream.on("drain", go);
        stream.on("close", go);
      });
  }
  stream.end();
}

async function* bodyOf(stream: http2.ClientHttp2Stream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    throw failure(error, signal);
  }
  if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR)
    throw new ConnectError(`the stream was reset (${stream.rstCode})`, Code.Unavailable);
}

function notTaken(why: string): ConnectError {
  return new ConnectError(why, Code.Unavailable, undefined, undefined, NOT_TAKEN);
}

function failure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof ConnectError) return error;
  return new ConnectError(
    error instanceof Error ? error.message : String(error),
    Code.Unavailable,
    undefined,
    undefined,
    error,
  );
}

function copyHeaders(from: http2.IncomingHttpHeaders, to: Headers): void {
  for (const [name, value] of Object.entries(from)) {
    if (name.startsWith(":") || value === undefined) continue;
    to.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
}
