import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Leads a port of this machine's loopback to a socket file, so that fetch reaches a control plane inside a lab with one hop. Must be closed. */
export class Door {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(url: string, server: Server, sockets: Set<Socket>) {
    this.url = url;
    this.#server = server;
    this.#sockets = sockets;
  }

  static async open(path: string): Promise<Door> {
    const sockets = new Set<Socket>();
    const server = createServer((outer) => {
      const inner = connect({ path });
      for (const [one, other] of [
        [outer, inner],
        [inner, outer],
      ] as const) {
        sockets.add(one);
        one.setNoDelay(true);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the door has no port");
    return new Door(`http://127.0.0.1:${address.port}`, server, sockets);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
