/**
 * Runs inside a namespace: for each request on a line it begins one connection (or sends one datagram or one echo request) and answers a line
 * with how it ended, or it listens and tells who came.
 */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

interface Request {
  readonly kind: "tcp" | "udp" | "echo" | "listen";
  readonly from?: string;
  readonly to?: string;
  readonly port?: number;
}

/** Long enough for an answer over a veth on a busy machine, shorter than the first retransmission of a SYN (1 s). */
const PATIENCE_MS = 250;

function answer(request: Request): Promise<object> {
  switch (request.kind) {
    case "tcp":
      return dial(request);
    case "udp":
      return send(request);
    case "echo":
      return echo(request);
    case "listen":
      return listen(request);
  }
}

function dial({ from, to, port }: Request): Promise<object> {
  return new Promise((resolve) => {
    const socket = connect({ host: to ?? "", port: port ?? 0, ...(from === undefined ? {} : { localAddress: from }) });
    let heard = "";
    const end = (result: string): void => {
      socket.destroy();
      resolve({ result, heard });
    };
    socket.setTimeout(PATIENCE_MS, () => end("silence"));
    socket.on("data", (data) => {
      heard += data.toString();
    });
    socket.on("end", () => end("open"));
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? "error"));
  });
}

function send({ from, to, port }: Request): Promise<object> {
  return new Promise((resolve) => {
    const socket = createSocket(to?.includes(":") === true ? "udp6" : "udp4");
    socket.on("error", () => undefined);
    socket.bind(0, from, () => {
      socket.send("x", port, to, () => {
        socket.close();
        resolve({ result: "sent" });
      });
    });
  });
}

function echo({ from, to }: Request): Promise<object> {
  return new Promise((resolve) => {
    const ping = spawn(
      "ping",
      ["-n", "-q", "-c", "1", "-W", "0.2", ...(from === undefined ? [] : ["-I", from]), to ?? ""],
      { stdio: "ignore" },
    );
    ping.on("close", (code) => resolve({ result: code === 0 ? "open" : "silence" }));
  });
}

/** Tells each caller the address it is seen under. */
function listen({ port }: Request): Promise<object> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`${socket.remoteAddress ?? ""} at ${socket.localPort ?? 0}`);
    });
    server.listen(port, "::", () => resolve({ result: "listening" }));
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Request))}\n`);
}
