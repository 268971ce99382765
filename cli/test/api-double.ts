import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly route: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly headers: IncomingMessage["headers"];
}

export type Answer = { readonly status?: number; readonly json: unknown } | "hang_up";

/** A control plane's API that answers what a test says, over a real socket. */
export class ApiDouble {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #answers = new Map<string, Answer[]>();

  private constructor() {
    this.#server = createServer((request, response) => {
      void (async () => {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part as Buffer);
        const text = Buffer.concat(parts).toString("utf8");
        const { pathname, searchParams } = new URL(request.url ?? "", "http://double");
        const route = `${request.method ?? ""} ${pathname.replace("/api/v1", "")}`;
        const query = Object.fromEntries(searchParams);
        this.asked.push({ route, query, body: text === "" ? null : JSON.parse(text), headers: request.headers });
        const queue = this.#answers.get(route) ?? [];
        const answer = queue.length > 1 ? queue.shift() : queue[0];
        if (answer === "hang_up") {
          request.socket.destroy();
          return;
        }
        response.writeHead(answer?.status ?? (answer === undefined ? 404 : 200), {
          "content-type": "application/json",
        });
        response.end(JSON.stringify(answer?.json ?? { message: `the test has no answer for ${route}` }));
      })();
    });
  }

  static async start(): Promise<ApiDouble> {
    const double = new ApiDouble();
    double.#server.listen(0, "127.0.0.1");
    await once(double.#server, "listening");
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers in this order; the last one again and again. */
  on(route: string, ...answers: readonly Answer[]): this {
    this.#answers.set(route, [...answers]);
    return this;
  }

  bodyOf(route: string): unknown {
    return this.asked.find((one) => one.route === route)?.body;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
