import { DOMAINS } from "@holdfast/core/domain.ts";
import { openLedger, type Role } from "../agent-program.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { logCommands } from "../log/commands.ts";
import { watchForChanges } from "../os/change-watch.ts";
import { identify, rememberProcess, tellReady } from "../os/processes.ts";
import { hasPassedSocket, listenOnPassedSocket, listenOnPath } from "../os/sockets.ts";
import { grpcServer } from "../rpc/http2-service.ts";
import { untilIdle } from "../rpc/idle.ts";
import { tracedService } from "../rpc/trace-hop.ts";
import { untilSignal } from "../until-signal.ts";
import { domainHands } from "./domain-hands.ts";
import { moduleRoutes } from "./module-service.ts";
import { PacketLog } from "./packet-log.ts";

/** Milliseconds without a call after which a module leaves. Shorter costs a start at the next step, longer costs memory for nothing. */
const IDLE_MS = 60_000;

/** Serves one domain on its socket until nobody needs it. */
export async function runModule(role: Role, name: string, readyDescriptor: number | null): Promise<ExitCode> {
  const domain = role.program.registry[DOMAINS.find((known) => known === name) ?? "vpn"];
  if (domain === undefined || domain.name !== name) {
    role.log.error("this agent has no such module", { domain: name });
    return EXIT.usage;
  }
  const ledger = await openLedger(role);
  if (!ledger.ok) {
    role.log.error("the module cannot start", { domain: name }, { reason: ledger.error });
    return EXIT.failed;
  }
  const hands = domainHands(domain, role.machine);
  const { watch } = domain;
  const packets =
    watch === undefined
      ? null
      : new PacketLog({
          domain: domain.name,
          watch,
          machine: role.machine,
          log: role.log,
          nowMs: () => role.clock.wallMs(),
        });
  const routes = moduleRoutes({
    hands,
    ledger: ledger.value,
    snapshots: role.paths.snapshots,
    version: role.program.version,
    log: role.log,
    packets,
  });
  logCommands(role.log);
  const { server, activity, close } = grpcServer(routes, [tracedService("module", "back")]);
  if (hasPassedSocket(process.env)) await listenOnPassedSocket(server);
  else {
    await listenOnPath(server, role.paths.moduleSocket(domain.name), 0o600);
    const self = identify(process.pid);
    if (self !== null) rememberProcess(role.paths.moduleProcess(domain.name), self);
  }
  if (readyDescriptor !== null) tellReady(readyDescriptor);
  role.log.info("module serves", { domain: name });
  const changes = domain.moves === undefined ? null : watchForChanges(domain.moves, role.paths.movedFile(domain.name));
  const ended = new AbortController();
  await Promise.race([
    untilIdle(activity, IDLE_MS, () => packets?.isBusy() ?? false, ended.signal),
    untilSignal(["SIGTERM", "SIGINT"], ended.signal),
  ]);
  ended.abort();
  close();
  packets?.close();
  changes?.close();
  role.machine.nft.close();
  ledger.value.close();
  return EXIT.done;
}
