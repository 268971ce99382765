import { existsSync } from "node:fs";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import { openLedger, type Role } from "../agent-program.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { FileLock } from "../os/file-lock.ts";
import { makeFolder } from "../os/files.ts";
import { tellReady } from "../os/processes.ts";
import { accountNamed, hasPassedSocket, listenOnPassedSocket, listenOnPath } from "../os/sockets.ts";
import { AGENT_ACCOUNT } from "../paths.ts";
import { grpcServer } from "../rpc/http2-service.ts";
import { untilIdle } from "../rpc/idle.ts";
import { tracedService } from "../rpc/trace-hop.ts";
import { readIdentity, writeIdentity } from "../settings.ts";
import { untilSignal } from "../until-signal.ts";
import { ConfigShelf } from "./config-shelf.ts";
import type { GuardContext } from "./context.ts";
import { guardRoutes } from "./guard-service.ts";
import { Guard } from "./guard.ts";
import { Modules } from "./modules.ts";
import { openReceiptSigner } from "./receipt.ts";
import { openSealing } from "./sealing.ts";

/** Milliseconds without a call and without an open transaction after which a socket-activated guard leaves. */
const IDLE_MS = 20_000;

/** Root and the session's group may connect; everybody else is refused by the file system. */
const SOCKET_MODE = 0o660;

export async function openGuardContext(role: Role): Promise<Result<GuardContext, string>> {
  const identity = readIdentity(role.paths);
  if (!identity.ok) return identity;
  if (!existsSync(role.paths.receiptKey))
    return err(`the receipt key ${role.paths.receiptKey} is missing; enrol this server again`);
  makeFolder(role.paths.snapshots, 0o700);
  const ledger = await openLedger(role);
  if (!ledger.ok) return ledger;
  let current = identity.value;
  const available = DOMAINS.filter((domain) => role.program.registry[domain] !== undefined);
  return ok({
    paths: role.paths,
    get identity() {
      return current;
    },
    trustCommandKey(rawPublicKeyHex) {
      // Where the control plane is dialled may have been changed by a person since this guard began.
      const written = readIdentity(role.paths);
      const next = { ...(written.ok ? written.value : current), commandKeys: [rawPublicKeyHex] };
      writeIdentity(role.paths, next);
      current = next;
    },
    ledger: ledger.value,
    clock: role.clock,
    init: role.init,
    modules: new Modules(role.paths, role.init, available),
    signer: openReceiptSigner(role.paths.receiptKey),
    sealing: openSealing(role.paths.sealingKey),
    log: role.log.with({ serverId: identity.value.serverId }),
    version: role.program.version,
    configs: new ConfigShelf(),
    recentPlans: new Map(),
  });
}

export async function runGuard(role: Role, readyDescriptor: number | null): Promise<ExitCode> {
  const opened = await openGuardContext(role);
  if (!opened.ok) {
    role.log.error("the guard cannot start", {}, { reason: opened.error });
    return EXIT.failed;
  }
  const activated = hasPassedSocket(process.env);
  // Two guards would both answer; the second one leaves.
  const only = FileLock.open(`${role.paths.ledger}/guard`);
  if (!only.tryForever()) {
    role.log.error("another guard runs on this server");
    return EXIT.failed;
  }
  const guard = new Guard(opened.value);
  const { server, activity, close } = grpcServer(guardRoutes(guard), [tracedService("guard", "back")]);
  if (activated) await listenOnPassedSocket(server);
  else await listenOnPath(server, role.paths.guardSocket, SOCKET_MODE, accountNamed(AGENT_ACCOUNT)?.gid);
  if (readyDescriptor !== null) tellReady(readyDescriptor);
  opened.value.log.info("guard serves", {}, { boot_id: role.clock.bootId(), version: role.program.version });
  const watching = guard.watch();
  const ended = new AbortController();
  const signalled = untilSignal(["SIGTERM", "SIGINT"], ended.signal);
  // Without socket activation nobody would start it again.
  await (activated
    ? Promise.race([signalled, untilIdle(activity, IDLE_MS, () => guard.hasWork(), ended.signal)])
    : signalled);
  ended.abort();
  guard.stop();
  close();
  await watching;
  opened.value.modules.close();
  opened.value.ledger.close();
  only.close();
  return EXIT.done;
}
