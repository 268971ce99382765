import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { InsideProgram, type Place } from "./inside-program.ts";
import { joinTo, type SocketTarget } from "./inside/join-sockets.ts";
import type { RelayInstructions } from "./inside/relay.ts";
import { LabError } from "./lab-error.ts";
import type { Lab } from "./lab.ts";

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * A door between the lab's networks and this process's own, over a socket file: no packet ever passes between the two.
 * Source addresses are lost on the way. Must be closed; ends with the place's network at the latest.
 */
export class Relay {
  readonly #outer: Server;
  readonly #sockets: Set<Socket>;
  readonly #inner: InsideProgram;

  private constructor(outer: Server, sockets: Set<Socket>, inner: InsideProgram) {
    this.#outer = outer;
    this.#sockets = sockets;
    this.#inner = inner;
  }

  /** Who connects to `listen` in the place's network reaches `target` as this process sees it: agents to a control plane on loopback. */
  static async outOf(lab: Lab, place: Place, listen: TcpAddress, target: TcpAddress): Promise<Relay> {
    const path = socketPath(lab);
    const { server, sockets } = await serve({ path }, target);
    return Relay.#finish(server, sockets, place, { listen, target: { path } });
  }

  /** Who connects to `listen` on this machine reaches `target` as the place sees it: a browser to a page in the lab. */
  static async into(lab: Lab, listen: TcpAddress, place: Place, target: TcpAddress): Promise<Relay> {
    const path = socketPath(lab);
    const { server, sockets } = await serve(listen, { path });
    return Relay.#finish(server, sockets, place, { listen: { path }, target });
  }

  static async #finish(
    server: Server,
    sockets: Set<Socket>,
    place: Place,
    instructions: RelayInstructions,
  ): Promise<Relay> {
    try {
      return new Relay(server, sockets, await InsideProgram.start(place, "relay", instructions));
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** Where it listens on this machine; with port 0 the system has chosen. Only for doors into the lab. */
  get port(): number {
    const address = this.#outer.address();
    if (address === null || typeof address === "string")
      throw new LabError("this door leads out of the lab: it has no port here");
    return address.port;
  }

  async close(): Promise<void> {
    await this.#inner.stop();
    this.#outer.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

function socketPath(lab: Lab): string {
  return join(lab.home, `relay-${randomBytes(4).toString("hex")}.sock`);
}

async function serve(
  listen: SocketTarget,
  target: SocketTarget,
): Promise<{ readonly server: Server; readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    joinTo(socket, target);
  });
  server.listen(listen);
  await once(server, "listening");
  return { server, sockets };
}
