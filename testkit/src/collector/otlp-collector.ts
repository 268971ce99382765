import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readOtlpRequest, type TakenSpan } from "./otlp-request.ts";

/** How it takes the next request. The last one holds for all that come after. */
export type Manner =
  | "take"
  /** Never answers. */
  | "hang"
  /** Takes all but one. */
  | "take_part"
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/**
 * A collector that takes OTLP over HTTP as the specification has it, and refuses with 400 what is not so; it answers as it is told to. Must be
 * closed.
 */
export class OtlpCollector {
  readonly spans: TakenSpan[] = [];
  /** What was refused, in words. */
  readonly refused: string[] = [];
  readonly authorizations = new Set<string>();
  /** The text of everything that came, for whoever looks for what must not be there. */
  readonly bodies: string[] = [];
  requests = 0;
  manners: Manner[] = ["take"];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async open(): Promise<OtlpCollector> {
    const collector = new OtlpCollector();
    await new Promise<void>((resolve) => collector.#server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`);
  }

  named(name: string): readonly TakenSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const manner = this.manners.length > 1 ? this.manners.shift() : this.manners[0];
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString("utf8");
    this.bodies.push(text);
    this.authorizations.add(request.headers.authorization ?? "");
    if (manner === "hang") return;
    if (typeof manner === "object") {
      response.writeHead(manner.status, manner.headers).end();
      return;
    }
    const wrong = this.#wrong(request);
    try {
      if (wrong !== null) throw new Error(wrong);
      const spans = readOtlpRequest(JSON.parse(text));
      this.spans.push(...(manner === "take_part" ? spans.slice(1) : spans));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(manner === "take_part" ? '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"one"}}' : "{}");
    } catch (error) {
      this.refused.push(String(error));
      response.writeHead(400).end();
    }
  }

  #wrong({ method, url, headers }: IncomingMessage): string | null {
    if (method !== "POST" || url !== "/v1/traces") return `${method} ${url}`;
    return headers["content-type"] === "application/json" ? null : `content-type ${headers["content-type"]}`;
  }
}
