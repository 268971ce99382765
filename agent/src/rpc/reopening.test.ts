import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http2 from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectUnix } from "../os/sockets.ts";
import { serveOver } from "./http2-service.ts";
import { clientOver, type ConnectionClient } from "./http2-transport.ts";
import { reopening } from "./reopening.ts";

/** A guard that treats its first connections in this way, one after the other, and serves the rest. */
type Manner = "refuses" | "cancels" | "dies";

let folder: string;
let server: Server;
let sockets: Socket[];
let taken: number;
let manners: Manner[];
let open: ConnectionClient | null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-reopening-"));
  [sockets, taken, manners, open] = [[], 0, [], null];
  server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    const manner = manners.shift();
    if (manner === undefined) {
      serveOver(socket, ({ service }) =>
        service(GuardService, {
          submit: () => {
            taken += 1;
            return {};
          },
        }),
      );
    } else treat(socket, manner);
  });
  server.listen(join(folder, "guard.sock"));
  await once(server, "listening");
});
afterEach(() => {
  open?.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function treat(socket: Socket, manner: Manner): void {
  const session = http2.performServerHandshake(socket).on("error", () => undefined);
  session.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.on("error", () => undefined);
    if (manner === "dies") socket.destroy();
    else stream.close(http2.constants[manner === "refuses" ? "NGHTTP2_REFUSED_STREAM" : "NGHTTP2_CANCEL"]);
    if (manner === "refuses") session.close();
  });
}

function guard(): Client<typeof GuardService> {
  const connected = async (): Promise<ConnectionClient> => {
    if (open?.isOpen() === true) return open;
    const socket = await connectUnix(join(folder, "guard.sock"));
    if (socket === null) throw new Error("nobody listens");
    open = clientOver(socket);
    return open;
  };
  return createClient(GuardService, reopening(connected));
}

test("a call that a leaving process refuses is made once more, over a new connection", async () => {
  manners = ["refuses"];
  await guard().submit({});
  expect([taken, sockets.length]).toEqual([1, 2]);
});

test("refused twice, it fails: nobody asks for ever", async () => {
  manners = ["refuses", "refuses", "refuses"];
  await expect(guard().submit({})).rejects.toThrow("unavailable");
  expect([taken, sockets.length]).toEqual([0, 2]);
});

test.each(["cancels", "dies"] as const)(
  "a call that may have been taken is never made again: it %s",
  async (manner) => {
    manners = [manner];
    await expect(guard().submit({})).rejects.toThrow(/canceled|unavailable/);
    expect([taken, sockets.length]).toEqual([0, 1]);
  },
);
