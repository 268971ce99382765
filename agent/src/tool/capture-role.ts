import { CaptureService } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { logCommands } from "../log/commands.ts";
import { hasPassedSocket, listenOnPassedSocket } from "../os/sockets.ts";
import type { RoleBasis } from "../role-basis.ts";
import { grpcServer } from "../rpc/http2-service.ts";
import { untilIdle } from "../rpc/idle.ts";
import { untilSignal } from "../until-signal.ts";
import { captureRuns } from "./captures.ts";

/** Milliseconds without a call after which it leaves. */
const IDLE_MS = 20_000;

/** Serves captures on the socket of its unit until nobody needs them. What it may do is what the unit lets it: listen. */
export async function runCapture(role: Pick<RoleBasis, "log">): Promise<ExitCode> {
  if (!hasPassedSocket(process.env)) {
    role.log.error("only a unit starts this: where there is none, the session captures by itself");
    return EXIT.usage;
  }
  logCommands(role.log);
  const runs = captureRuns(role.log);
  const { server, activity, close } = grpcServer(
    (router) => router.service(CaptureService, { capture: (request) => runs.ask(request) }),
    [],
  );
  await listenOnPassedSocket(server);
  role.log.info("capture serves");
  const ended = new AbortController();
  await Promise.race([
    untilIdle(activity, IDLE_MS, () => runs.isBusy(), ended.signal),
    untilSignal(["SIGTERM", "SIGINT"], ended.signal),
  ]);
  ended.abort();
  runs.close();
  close();
  return EXIT.done;
}
