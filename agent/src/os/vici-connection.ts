import { connect, type Socket } from "node:net";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { decodeMessage, encodeMessage, encodeName, type ViciAnswer, type ViciSection } from "./vici-message.ts";

/**
 * One connection to strongSwan's daemon.
 *   V1. One request at a time: the daemon answers in order and names no request, so an answer is of the only one that waits.
 *   V2. Everything has a time. After a time-out the connection is closed: an answer that comes late would be taken for the next one's.
 *   V3. Everything has a size: what claims to be larger is refused before it is read.
 */

const PACKET = {
  request: 0,
  response: 1,
  unknownRequest: 2,
  register: 3,
  unregister: 4,
  confirm: 5,
  unknownEvent: 6,
  event: 7,
} as const;

const HEADER_BYTES = 4;
/** Bytes. strongSwan itself sends no more than 512 KiB in one packet. */
const LARGEST_PACKET = 512 * 1024;
/** Events of one listing that are kept; a server with more connections than this is not one of ours. */
const MOST_EVENTS = 10_000;
/** Milliseconds; the socket is on this machine. */
const CONNECT_TIMEOUT_MS = 2_000;

interface Waiting {
  readonly settle: (packet: Result<Buffer, string>) => void;
}

export class ViciConnection {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #waiting: Waiting | null = null;
  #events: { readonly name: string; readonly kept: ViciAnswer[] } | null = null;
  #closed: string | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (data: Buffer) => this.#take(data));
    socket.on("error", (error) => this.#end(error.message));
    socket.on("close", () => this.#end("strongSwan closed the connection"));
  }

  static open(path: string): Promise<Result<ViciConnection, string>> {
    return new Promise((resolve) => {
      const socket = connect({ path });
      const timer = setTimeout(() => fail("nobody answers at its socket"), CONNECT_TIMEOUT_MS);
      const fail = (why: string): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(err(why));
      };
      socket.once("error", (error: NodeJS.ErrnoException) =>
        fail(
          error.code === "ENOENT" ? "it does not run" : `its socket cannot be used (${error.code ?? error.message})`,
        ),
      );
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.removeAllListeners("error");
        resolve(ok(new ViciConnection(socket)));
      });
    });
  }

  /** The daemon's answer, whatever it says. */
  async request(command: string, message: ViciSection, timeoutMs: number): Promise<Result<ViciAnswer, string>> {
    const packet = await this.#send(PACKET.request, command, encodeMessage(message), timeoutMs);
    if (!packet.ok) return packet;
    if (packet.value[0] !== PACKET.response) return err(`this strongSwan does not know the request ${command}`);
    return decodeMessage(packet.value.subarray(1));
  }

  /** A request whose answer comes as events before it. */
  async listing(
    command: string,
    event: string,
    message: ViciSection,
    timeoutMs: number,
  ): Promise<Result<{ readonly events: readonly ViciAnswer[]; readonly answer: ViciAnswer }, string>> {
    const kept: ViciAnswer[] = [];
    this.#events = { name: event, kept };
    const registered = await this.#send(PACKET.register, event, Buffer.alloc(0), timeoutMs);
    if (!registered.ok) return registered;
    if (registered.value[0] !== PACKET.confirm) return err(`this strongSwan does not know the event ${event}`);
    const answer = await this.request(command, message, timeoutMs);
    this.#events = null;
    if (!answer.ok) return answer;
    const left = await this.#send(PACKET.unregister, event, Buffer.alloc(0), timeoutMs);
    return left.ok ? ok({ events: kept, answer: answer.value }) : left;
  }

  close(): void {
    this.#end("closed");
  }

  #send(type: number, name: string, body: Buffer, timeoutMs: number): Promise<Result<Buffer, string>> {
    if (this.#closed !== null) return Promise.resolve(err(this.#closed));
    if (this.#waiting !== null) return Promise.resolve(err("a request is under way already")); // V1
    const content = Buffer.concat([Buffer.from([type]), encodeName(name), body]);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(content.length);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end(`strongSwan did not answer within ${timeoutMs} ms`), timeoutMs); // V2
      this.#waiting = {
        settle: (packet) => {
          clearTimeout(timer);
          this.#waiting = null;
          resolve(packet);
        },
      };
      this.#socket.write(Buffer.concat([header, content]));
    });
  }

  #take(data: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    while (this.#buffer.length >= HEADER_BYTES) {
      const size = this.#buffer.readUInt32BE(0);
      if (size === 0 || size > LARGEST_PACKET) return this.#end(`strongSwan announced a packet of ${size} bytes`); // V3
      if (this.#buffer.length < HEADER_BYTES + size) return;
      const packet = this.#buffer.subarray(HEADER_BYTES, HEADER_BYTES + size);
      this.#buffer = this.#buffer.subarray(HEADER_BYTES + size);
      if (packet[0] === PACKET.event) this.#keep(packet);
      else this.#waiting?.settle(ok(packet));
    }
  }

  #keep(packet: Buffer): void {
    const length = packet[1] ?? 0;
    const name = packet.toString("utf8", 2, 2 + length);
    if (this.#events?.name !== name || this.#events.kept.length >= MOST_EVENTS) return;
    const message = decodeMessage(packet.subarray(2 + length));
    if (message.ok) this.#events.kept.push(message.value);
    else this.#end(message.error);
  }

  #end(why: string): void {
    this.#closed ??= why;
    this.#socket.destroy();
    this.#waiting?.settle(err(this.#closed));
  }
}
