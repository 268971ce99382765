import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Logger } from "pino";
import { releaseLeases } from "../store/apply-claim.ts";
import type { Database } from "../store/database.ts";
import { removeInstance, reportInstance } from "../store/instances.ts";
import { closeSessionsOf } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";

/** Says that this instance lives. Well below SILENT_MS, so that one lost beat is no death. */
const BEAT_MS = 5_000;

export interface Heartbeat {
  /** Lets go of everything and is gone from the list. */
  leave(): Promise<void>;
  stop(): void;
}

/** Keeps this instance in the list of those that live. */
export async function beat(database: Database, id: InstanceId, address: string, log: Logger): Promise<Heartbeat> {
  await reportInstance(database, id, address);
  const timer = setInterval(() => {
    reportInstance(database, id, address).catch((error: unknown) =>
      log.warn({ err: error }, "this instance could not say that it lives"),
    );
  }, BEAT_MS);
  return {
    stop: () => clearInterval(timer),
    async leave() {
      clearInterval(timer);
      await buryInstance(database, id);
    },
  };
}

/** Nobody waits for its sessions and leases any more. Done again it changes nothing. */
export async function buryInstance(database: Database, id: InstanceId): Promise<void> {
  const buried = await transaction(database, async (tx) => {
    await closeSessionsOf(tx, id);
    await releaseLeases(tx, { instance: id });
    await removeInstance(tx, id);
  });
  if (!buried.ok) throw buried.error;
}
