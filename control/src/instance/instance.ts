import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Logger } from "pino";
import { releaseLeases } from "../store/apply-claim.ts";
import type { Database } from "../store/database.ts";
import { releaseDuties } from "../store/duties.ts";
import { removeInstance, reportInstance } from "../store/instances.ts";
import { closeSessionsOf } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import { diskUnder } from "./disk.ts";

/** Says that this instance lives. Well below SILENT_MS, so that one lost beat is no death. */
const BEAT_MS = 5_000;

export interface Heartbeat {
  /** Lets go of everything and is gone from the list. */
  leave(): Promise<void>;
  stop(): void;
}

export interface BeatOptions {
  readonly database: Database;
  readonly instanceId: InstanceId;
  readonly address: string;
  /** Whose disk is looked at; null: none. */
  readonly dataDirectory: string | null;
  readonly log: Logger;
}

/** Keeps this instance in the list of those that live, with what it alone can see: its disk, and how long the database was away. */
export async function beat({ database, instanceId: id, address, dataDirectory, log }: BeatOptions): Promise<Heartbeat> {
  let lostAtMs: number | null = null;
  const report = async (): Promise<void> => {
    const disk = dataDirectory === null ? null : await diskUnder(dataDirectory);
    const awaySeconds = lostAtMs === null ? null : (performance.now() - lostAtMs) / 1_000;
    await reportInstance(database, id, address, {
      diskFreeBytes: disk?.freeBytes ?? null,
      diskTotalBytes: disk?.totalBytes ?? null,
      awaySeconds,
    });
    lostAtMs = null;
  };
  await report();
  const timer = setInterval(() => {
    const beganMs = performance.now();
    report().catch((error: unknown) => {
      lostAtMs ??= beganMs;
      log.error({ err: error, result_code: "database.unreachable" }, "this instance could not say that it lives");
    });
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
    await releaseDuties(tx, id);
    await removeInstance(tx, id);
  });
  if (!buried.ok) throw buried.error;
}
