import { createClient, Code, ConnectError, type Client } from "@connectrpc/connect";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import { CODE_HEADER } from "@holdfast/proto/wire/session.ts";
import { connectUnix } from "../os/sockets.ts";
import { clientOver, type ConnectionClient } from "../rpc/http2-transport.ts";
import { toConnectError } from "../rpc/refusal.ts";
import { reopening } from "../rpc/reopening.ts";

export type GuardClient = Client<typeof GuardService>;

/** The session's way to the guard. The connection is opened when needed and let go when idle, so that the guard may leave. */
export class GuardLink {
  readonly #socket: string;
  #connection: ConnectionClient | null = null;
  /** Calls that come while it is opened wait for that one: a second connection would be nobody's to close. */
  #opening: Promise<ConnectionClient> | null = null;
  #closed = false;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** Calls the guard. @throws ConnectError as the guard threw it, with nothing of the local transport in it */
  async call<T>(verb: (guard: GuardClient) => Promise<T>): Promise<T> {
    const client = await this.client();
    try {
      return await verb(client);
    } catch (error) {
      throw relayed(error);
    }
  }

  async client(): Promise<GuardClient> {
    await this.#connected();
    return createClient(
      GuardService,
      reopening(() => this.#connected()),
    );
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
    this.#connection = null;
  }

  async #connected(): Promise<ConnectionClient> {
    return this.#connection?.isOpen() === true ? this.#connection : (this.#opening ??= this.#open());
  }

  async #open(): Promise<ConnectionClient> {
    try {
      const socket = await connectUnix(this.#socket);
      if (socket === null)
        throw toConnectError({ code: "guard.unavailable", message: "the guard does not listen on this server" });
      const connection = clientOver(socket);
      if (this.#closed) connection.close();
      this.#connection = connection;
      return connection;
    } finally {
      this.#opening = null;
    }
  }
}

function relayed(error: unknown): ConnectError {
  const from = ConnectError.from(error, Code.Unavailable);
  const code = from.metadata.get(CODE_HEADER);
  return new ConnectError(from.rawMessage, from.code, code === null ? {} : { [CODE_HEADER]: code });
}
