import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { answer, instructions, readCommands } from "./command-lines.ts";

/** Listens on many ports at once and echoes what comes; on `http` ports answers every request with `page`. */
export interface ListenInstructions {
  readonly tcp?: readonly number[];
  readonly udp?: readonly number[];
  readonly http?: readonly number[];
  readonly page?: string;
  /** Default: all addresses of both families. */
  readonly address?: string;
}

async function listenTcp(port: number, address: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true).pipe(socket);
  });
  server.listen(port, address);
  await once(server, "listening");
}

async function listenUdp(port: number, address: string): Promise<void> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  socket.bind(port, address);
  await once(socket, "listening");
}

async function listenHttp(port: number, address: string, page: string): Promise<void> {
  const server = createHttpServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    response.end(page);
  });
  server.listen(port, address);
  await once(server, "listening");
}

const { tcp = [], udp = [], http = [], page = "ok\n", address = "::" } = instructions() as ListenInstructions;
try {
  await Promise.all([
    ...tcp.map((port) => listenTcp(port, address)),
    ...udp.map((port) => listenUdp(port, address)),
    ...http.map((port) => listenHttp(port, address, page)),
  ]);
  answer("ready");
} catch (error) {
  answer({ failed: String(error) });
  process.exit(1);
}
// As a unit of a server it has no owner on its input and runs until it is stopped.
if (process.argv[3] !== "as-service") readCommands(() => undefined);
