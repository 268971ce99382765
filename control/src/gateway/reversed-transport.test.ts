import http2 from "node:http2";
import net from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { HostService } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { expect, test } from "vitest";
import { transaction } from "../store/transaction.ts";
import { agentClient, call } from "./agent-client.ts";
import { reversedConnection } from "./reversed-transport.ts";

interface Wire {
  /** Bytes that the agent's side sends before the wire is cut; undefined never cuts. */
  readonly cutAfter?: number;
}

/** An agent that dialled, behind a wire that can be cut at any byte. */
async function withWire<T>(
  wire: Wire,
  body: (client: ReturnType<typeof agentClient>, close: () => void) => Promise<T>,
): Promise<T> {
  const handler = http2.createServer(
    connectNodeAdapter({
      routes: (router) =>
        router.service(HostService, {
          describe: () => ({ serverId: "one", factsJson: "x".repeat(2_000) }),
          getState: () => new Promise(() => undefined),
          getTransaction: () => {
            throw new ConnectError("guard.busy: another is open", Code.FailedPrecondition);
          },
          async *watch(_request, context) {
            yield { event: { case: "heartbeat" as const, value: { sequence: 1n } } };
            await new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve()));
          },
        }),
    }),
  );
  const accepted = Promise.withResolvers<net.Socket>();
  const server = net.createServer((socket) => accepted.resolve(socket));
  const control = await listening(server);
  const proxy = net.createServer((from) => carry(from, net.connect(control, "127.0.0.1"), wire.cutAfter));
  const dialled = net.connect(await listening(proxy), "127.0.0.1");
  dialled.on("error", () => undefined);
  const socket = await accepted.promise;
  const session = http2.performServerHandshake(dialled);
  session.on("error", () => undefined);
  session.on("stream", (stream, headers, flags, raw) => {
    stream.on("error", () => undefined);
    handler.emit("stream", stream, headers, flags, raw);
  });
  const connection = reversedConnection(socket);
  try {
    return await body(agentClient(connection), () => connection.close());
  } finally {
    connection.close();
    session.destroy();
    dialled.destroy();
    for (const each of [server, proxy]) await new Promise<void>((resolve) => each.close(() => resolve()));
  }
}

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as net.AddressInfo).port;
}

/** Carries bytes both ways, and cuts after so many of the agent's. */
function carry(agent: net.Socket, control: net.Socket, cutAfter = Number.POSITIVE_INFINITY): void {
  let left = cutAfter;
  const cut = (): void => {
    agent.destroy();
    control.destroy();
  };
  for (const socket of [agent, control]) socket.on("error", cut).on("close", cut);
  control.pipe(agent);
  agent.on("data", (chunk: Buffer) => {
    const through = chunk.subarray(0, left);
    left -= chunk.length;
    if (left > 0) control.write(through);
    else control.write(through, cut);
  });
}

test("answers, refusals and silence are told apart", async () => {
  await withWire({}, async (client) => {
    expect(await call(client.describe({}))).toMatchObject({ kind: "answered", value: { serverId: "one" } });
    expect(await call(client.getTransaction({ requestId: "r" }))).toMatchObject({
      kind: "rejected",
      message: expect.stringContaining("guard.busy"),
    });
    expect(await call(client.getState({}, { timeoutMs: 50 }))).toMatchObject({ kind: "unknown" });
    const controller = new AbortController();
    const asked = call(client.getState({}, { signal: controller.signal }));
    controller.abort();
    expect(await asked).toMatchObject({ kind: "unknown" });
  });
});

test("a wire that is cut, wherever, gives an answer or `unknown`, and never hangs", async () => {
  // The handshake, the headers, the body and the trailers all lie within these bytes.
  const points = Array.from({ length: 30 }, (_, index) => 1 + index * 83);
  const kinds = await Promise.all(
    points.map((cutAfter) => withWire({ cutAfter }, async (client) => (await call(client.describe({}))).kind)),
  );
  expect(kinds[0]).toBe("unknown");
  expect(kinds.at(-1)).toBe("answered");
  expect(kinds.every((kind) => kind === "unknown" || kind === "answered")).toBe(true);
});

test("what is under way, and what comes after, fails at once when the connection is closed", async () => {
  await withWire({}, async (client, close) => {
    const underWay = call(client.getState({}));
    const heard: unknown[] = [];
    const watching = (async () => {
      for await (const event of client.watch({})) heard.push(event);
    })();
    await expect.poll(() => heard.length).toBe(1);
    close();
    expect(await underWay).toMatchObject({ kind: "unknown" });
    await expect(watching).rejects.toThrow(ConnectError);
    expect(await call(client.describe({}))).toMatchObject({ kind: "unknown" });
  });
});

test("invariant 15: a call inside a database transaction is a bug, and is refused before it leaves", async () => {
  await withDatabase(async ({ app }) => {
    await withWire({}, async (client) => {
      const result = transaction(app, async () => {
        await client.describe({});
      });
      await expect(result).rejects.toThrow(/inside a database transaction/);
    });
  });
});
