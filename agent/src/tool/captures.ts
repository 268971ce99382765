import { existsSync } from "node:fs";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { CaptureService, type ToolRequest, type ToolResponseSchema } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import { type Log, reasonOf } from "../log/log.ts";
import { connectUnix } from "../os/sockets.ts";
import { mayListen } from "../os/tool-process.ts";
import { clientOver, type ConnectionClient } from "../rpc/http2-transport.ts";
import { refusal, ToolRuns } from "./tool-runs.ts";

type Answer = MessageInitShape<typeof ToolResponseSchema>;

/** How the session comes to captures, which it has no right to make. */
export interface Captures {
  ask(request: ToolRequest): Promise<Answer>;
  /** Why none can be made here; null where they can. */
  whyNot(): string | null;
  close(): void;
}

/** At the same time: each copies packets out of the kernel, also those of an apply that is under way. */
const MOST_CAPTURES = 2;
/** Milliseconds. A process that sleeps is started first. */
const ASK_WITHIN_MS = 8_000;

/** Where no init system keeps the parts of the agent apart, the session has every right already and captures by itself. */
export function openCaptures(socket: string, log: Log): Captures {
  return mayListen() ? capturesHere(captureRuns(log)) : capturesBehind(socket);
}

export function captureRuns(log: Log): ToolRuns {
  return new ToolRuns({ tools: ["capture"], most: MOST_CAPTURES, log, nowMs: () => performance.now() });
}

function capturesHere(runs: ToolRuns): Captures {
  return { ask: async (request) => runs.ask(request), whyNot: () => null, close: () => runs.close() };
}

function capturesBehind(path: string): Captures {
  let connection: ConnectionClient | null = null;
  let opening: Promise<ConnectionClient | null> | null = null;
  let isClosed = false;
  const open = async (): Promise<ConnectionClient | null> => {
    const socket = await connectUnix(path);
    connection = socket === null ? null : clientOver(socket);
    if (isClosed) connection?.close();
    return connection;
  };
  return {
    async ask(request) {
      try {
        // Questions that come while it is opened wait for that one: a second connection would be nobody's to close.
        opening ??= open().finally(() => {
          opening = null;
        });
        const reached = connection?.isOpen() === true ? connection : await opening;
        if (reached === null) return refusal("tools.unsupported", NOBODY);
        return await createClient(CaptureService, reached.transport).capture(request, { timeoutMs: ASK_WITHIN_MS });
      } catch (error) {
        return refusal("tools.unavailable", `what captures does not answer: ${reasonOf(error)}`);
      }
    },
    whyNot: () => (existsSync(path) ? null : NOBODY),
    close: () => {
      isClosed = true;
      connection?.close();
    },
  };
}

const NOBODY =
  "nobody captures there: its unit holdfast-capture.socket does not run; install the agent's package again";
