import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import type { Guest } from "@holdfast/testkit/vm/guest.ts";
import { connectUnix } from "../src/os/sockets.ts";
import { clientOver, type ConnectionClient } from "../src/rpc/http2-transport.ts";
import { reopening } from "../src/rpc/reopening.ts";

/** How the guard of an installed agent is spoken to from outside its server. */
export interface GuardWay {
  transport(): Promise<Transport>;
  /** The server's own monotonic clock. */
  monotonicNs(): Promise<bigint>;
  letGo(): void;
}

const PATIENCE_MS = 20_000;

/** A server in namespaces shares this machine's kernel: its socket is a file here, and its clock is ours. */
export class NearGuard implements GuardWay {
  readonly #server: LabServer;
  #connection: ConnectionClient | null = null;

  constructor(server: LabServer) {
    this.#server = server;
  }

  async transport(): Promise<Transport> {
    await this.#connected();
    return reopening(() => this.#connected());
  }

  async #connected(): Promise<ConnectionClient> {
    if (this.#connection?.isOpen() === true) return this.#connection;
    const path = `/proc/${this.#server.initPid}/root/run/holdfast/guard.sock`;
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const socket = await connectUnix(path);
      if (socket !== null) {
        this.#connection = clientOver(socket);
        return this.#connection;
      }
      if (performance.now() > giveUpAt) throw new Error("nobody listens at the guard's socket");
      await sleep(50);
    }
  }

  async monotonicNs(): Promise<bigint> {
    return process.hrtime.bigint();
  }

  letGo(): void {
    this.#connection?.close();
  }
}

/** Where `guard-relay-main.ts` stands in a guest. */
export const RELAY = "/usr/lib/holdfast-lab/guard-relay.mjs";
/** A step has a minute; an emulated processor is slow. */
const CALL_TIMEOUT_MS = 300_000;

/** A guest has a kernel of its own: each call is a program there, which makes it. */
export class GuestGuard implements GuardWay {
  readonly #guest: Guest;

  constructor(guest: Guest) {
    this.#guest = guest;
  }

  async transport(): Promise<Transport> {
    return {
      unary: async (method, _signal, _timeoutMs, _header, input) => {
        const request = Buffer.from(toBinary(method.input, create(method.input, input))).toString("base64");
        const argv = [this.#guest.nodeBinary, "--disable-warning=ExperimentalWarning", RELAY, method.localName];
        const run = await this.#guest.exec(argv, { input: request, timeoutMs: CALL_TIMEOUT_MS });
        if (run.code !== 0) throw new ConnectError(run.stderr.trim(), Code.Unknown);
        const message = fromBinary(method.output, Buffer.from(run.stdout, "base64"));
        return {
          stream: false,
          service: method.parent,
          method,
          header: new Headers(),
          trailer: new Headers(),
          message,
        };
      },
      stream: async () => {
        throw new ConnectError("no stream leads into a guest", Code.Unimplemented);
      },
    };
  }

  async monotonicNs(): Promise<bigint> {
    // A guest never sleeps: its monotonic clock is its uptime.
    const [seconds = "0"] = (await this.#guest.must(["cat", "/proc/uptime"])).split(" ");
    return BigInt(Math.round(Number(seconds) * 1000)) * 1_000_000n;
  }

  letGo(): void {
    // Each call has its own connection.
  }
}
