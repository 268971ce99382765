import path from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { type CommandSigner, reachSigner, type SignerUnreachable } from "./command-signer.ts";
import { moveCommandKey } from "./move-key.ts";
import { superviseSigner } from "./supervise.ts";

export interface StartedSigner {
  readonly commands: CommandSigner;
  stop(): Promise<void>;
}

/** Another unit may start at the same moment as this one; ours reads its modules first. */
const PATIENCE_MS = 20_000;

/** The signer that this control plane asks: its own child, or the one behind a socket that it was told. */
export async function startSigner(
  config: Pick<Config, "dataDirectory" | "signer">,
  database: ConnectionTarget,
  log: Logger,
): Promise<Result<StartedSigner, SignerUnreachable>> {
  if (config.signer.kind === "socket") {
    const reached = await reachSigner(config.signer.path, PATIENCE_MS);
    return reached.ok ? ok({ commands: reached.value, stop: async () => undefined }) : reached;
  }
  const folder = path.join(config.dataDirectory, "signer");
  if (await moveCommandKey(path.join(config.dataDirectory, "authority"), folder))
    log.info({ result_code: "signer.key_moved" }, `the command key is the signer's now: ${folder}`);
  const supervised = superviseSigner({
    folder,
    database,
    hasOwnRole: database.kind === "socket" || config.signer.role !== null,
    approvalsAtLeast: config.signer.approvalsAtLeast,
    log,
  });
  const reached = await reachSigner(supervised.socket, PATIENCE_MS);
  if (reached.ok) return ok({ commands: reached.value, stop: () => supervised.stop() });
  await supervised.stop();
  return err(reached.error);
}
