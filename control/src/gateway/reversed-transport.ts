/**
 * gRPC over a connection that the agent dialled: this side accepted the socket, and is the client on it.
 *   T1. One socket, one HTTP/2 session, no reconnecting in here: when it is gone, every call on it fails, and the agent dials again.
 *   T2. Every failure of the wire is `Unavailable`, and that means unknown: the message may have arrived.
 *   T3. No call begins inside a database transaction (I15).
 */
import http2 from "node:http2";
import type { Duplex } from "node:stream";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { UniversalClientFn, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { assertNotInTransaction } from "../store/transaction-scope.ts";

export interface ReversedConnection {
  readonly transport: Transport;
  /** Called once, when no call can succeed any more. */
  onClosed(listener: () => void): void;
  close(): void;
}

/** An observation of a server with 50,000 rules is 20 MB of JSON; several times that is no observation. */
const MAX_MESSAGE_BYTES = 64 << 20;
const NEVER_COMPRESSED = 0xffff_ffff;

export function reversedConnection(socket: Duplex): ReversedConnection {
  const session = http2.connect("http://agent", { createConnection: () => socket });
  const listeners: (() => void)[] = [];
  let gone = false;
  const end = (): void => {
    if (gone) return;
    gone = true;
    session.destroy();
    socket.destroy();
    for (const listener of listeners) listener();
  };
  session.on("error", end);
  session.on("close", end);
  session.on("goaway", end);
  socket.on("error", end);
  socket.on("close", end);
  const transport = createTransport({
    httpClient: clientOver(session),
    baseUrl: "http://agent",
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: NEVER_COMPRESSED,
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
  });
  return {
    transport,
    onClosed(listener) {
      if (gone) listener();
      else listeners.push(listener);
    },
    close: end,
  };
}

function clientOver(session: http2.ClientHttp2Session): UniversalClientFn {
  return async (request) => {
    const path = new URL(request.url).pathname;
    assertNotInTransaction(path); // T3
    if (session.closed || session.destroyed) throw unavailable("the agent's session is gone");
    const headers: http2.OutgoingHttpHeaders = {
      ":method": request.method,
      ":path": path,
      ":scheme": "http",
      ":authority": "agent",
    };
    request.header.forEach((value, name) => {
      headers[name] = value;
    });
    let stream: http2.ClientHttp2Stream;
    try {
      stream = session.request(headers, request.signal === undefined ? {} : { signal: request.signal });
    } catch (error) {
      throw unavailable("the agent's session is gone", error);
    }
    const response = responseOf(stream, request.signal);
    void send(stream, request.body);
    return response;
  };
}

function responseOf(
  stream: http2.ClientHttp2Stream,
  signal: AbortSignal | undefined,
): Promise<UniversalClientResponse> {
  return new Promise((resolve, reject) => {
    const trailer = new Headers();
    stream.on("trailers", (raw: http2.IncomingHttpHeaders) =>
      webHeaders(raw).forEach((value, name) => trailer.set(name, value)),
    );
    stream.once("error", (error) => reject(errorOf(error, signal)));
    stream.once("close", () => reject(unavailable(`the stream was closed (${http2Code(stream.rstCode)})`)));
    stream.once("response", (raw) => {
      resolve({ status: raw[":status"] ?? 0, header: webHeaders(raw), trailer, body: bodyOf(stream, signal) });
    });
  });
}

async function* bodyOf(stream: http2.ClientHttp2Stream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    throw errorOf(error, signal);
  }
  // A stream that ended without its trailers was cut: what was read may be half of the truth.
  if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR)
    throw unavailable(`the stream was cut (${http2Code(stream.rstCode)})`);
}

async function send(stream: http2.ClientHttp2Stream, body: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  try {
    for await (const chunk of body ?? []) {
      if (!stream.write(chunk)) await drained(stream);
    }
    stream.end();
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Resolves when there is room again, or when there will never be. */
function drained(stream: http2.ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
    if (stream.destroyed) done();
  });
}

function errorOf(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason ?? error;
  return error instanceof ConnectError
    ? error
    : unavailable(error instanceof Error ? error.message : String(error), error);
}

function unavailable(message: string, cause?: unknown): ConnectError {
  return new ConnectError(message, Code.Unavailable, undefined, undefined, cause);
}

function http2Code(code: number | undefined): string {
  const name = Object.entries(http2.constants).find(
    ([key, value]) => key.startsWith("NGHTTP2_") && !key.includes("_FLAG_") && value === code,
  )?.[0];
  return name ?? String(code);
}

function webHeaders(raw: http2.IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    if (name.startsWith(":") || value === undefined) continue;
    headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}
