import { once } from "node:events";
import { createServer } from "node:http";
import { answer, instructions, readCommands } from "./command-lines.ts";

/** Takes whatever is sent to it by HTTP and hands it on: what a collector would have been told, from inside of a network. */
export interface Collected {
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
}

const { port, address = "127.0.0.1" } = instructions() as { readonly port: number; readonly address?: string };

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { url: path = "", headers } = request;
    answer({ path, authorization: headers.authorization ?? "", body: Buffer.concat(parts).toString("utf8") });
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
});
server.listen(port, address);
await once(server, "listening");
readCommands(() => undefined);
answer("ready");
