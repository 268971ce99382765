import { once } from "node:events";
import { createServer } from "node:net";
import { answer, instructions, readCommands } from "./command-lines.ts";
import { joinTo, type SocketTarget } from "./join-sockets.ts";

export interface RelayInstructions {
  readonly listen: SocketTarget;
  readonly target: SocketTarget;
}

const { listen, target } = instructions() as RelayInstructions;
const server = createServer({ allowHalfOpen: true }, (socket) => joinTo(socket, target));
server.listen(listen);
try {
  await once(server, "listening");
  answer("ready");
} catch (error) {
  answer({ failed: String(error) });
  process.exit(1);
}
readCommands(() => undefined);
