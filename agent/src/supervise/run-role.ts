import { setTimeout as sleep } from "node:timers/promises";
import { DOMAINS } from "@holdfast/core/domain.ts";
import type { Role } from "../agent-program.ts";
import { runBoot, runRecover } from "../boot/boot-roles.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { selfCommand, tellReady } from "../os/processes.ts";
import { connectUnix } from "../os/sockets.ts";
import { supervise } from "../os/supervise.ts";
import { untilSignal } from "../until-signal.ts";

/** Milliseconds between two looks whether the guard listens. */
const LOOK_EVERY_MS = 50;

/**
 * The whole agent under one process, where there is no init system: settles and recovers what the last run left, keeps guard and session
 * running, and takes them and the modules along when it ends in order. An armed deadline and an undo are processes of their own and stay.
 */
export async function runAll(role: Role, readyDescriptor: number | null): Promise<ExitCode> {
  const settled = await runBoot(role, { kind: "boot_id", now: role.clock.bootId() });
  const recovered = await runRecover(role);
  if (settled !== EXIT.done || recovered !== EXIT.done)
    role.log.error("what the last run left is not settled; the guard goes on with it");
  const self = selfCommand();
  const keep = (name: string) =>
    supervise(self, [name, "--root", role.paths.root], (how) =>
      role.log.error("a process ended and is started again", {}, { process: name, how }),
    );
  const guard = keep("guard");
  const stop = new AbortController();
  const signalled = untilSignal(["SIGTERM", "SIGINT"], stop.signal).then(() => stop.abort());
  while (!stop.signal.aborted && !(await canConnect(role.paths.guardSocket))) await sleep(LOOK_EVERY_MS);
  const session = stop.signal.aborted ? null : keep("session");
  if (readyDescriptor !== null) tellReady(readyDescriptor);
  await signalled;
  await session?.stop();
  await guard.stop();
  await role.init.stopModules(DOMAINS);
  return EXIT.done;
}

async function canConnect(path: string): Promise<boolean> {
  const socket = await connectUnix(path);
  socket?.destroy();
  return socket !== null;
}
