import { hostname } from "node:os";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { Logger } from "pino";
import { releaseLeases } from "../store/apply-claim.ts";
import type { Database } from "../store/database.ts";
import { releaseDuties } from "../store/duties.ts";
import { removeInstance, reportInstance } from "../store/instances.ts";
import { closeSessionsOf } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import { disk, spaceUnder } from "./disk.ts";
import { startLoop } from "./loop.ts";
import { within } from "./within.ts";

/** Says that this instance lives. Well below SILENT_MS, so that one lost beat is no death. */
const BEAT_MS = 5_000;
/** A database that has not answered by then, over a wire that is cut say, is away; the next beat goes over another session. */
const ANSWER_WITHIN_MS = 10_000;

export interface Heartbeat {
  /** Lets go of everything and is gone from the list. */
  leave(): Promise<void>;
  stop(): Promise<void>;
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
  const watched = dataDirectory === null ? null : disk(() => spaceUnder(dataDirectory));
  let lostAtMs: number | null = null;
  const report = async (): Promise<void> => {
    // A disk that does not answer is no database that does not.
    const space = (await watched?.space()) ?? null;
    const beganMs = performance.now();
    try {
      const said = reportInstance(database, id, address, {
        host: hostname(),
        diskFreeBytes: space?.freeBytes ?? null,
        diskTotalBytes: space?.totalBytes ?? null,
        awaySeconds: lostAtMs === null ? null : (beganMs - lostAtMs) / 1_000,
      }).then(() => "said" as const);
      if ((await within(ANSWER_WITHIN_MS, said)) === null) throw new Error("the database did not answer in time");
      lostAtMs = null;
    } catch (error) {
      lostAtMs ??= beganMs;
      throw error;
    }
  };
  await report();
  // One at a time: a slow beat that fails after a later one got through would be an outage that was not.
  const loop = startLoop("heartbeat", BEAT_MS, log, () =>
    report().catch((error: unknown) => {
      log.error({ err: error, result_code: "database.unreachable" }, "this instance could not say that it lives");
    }),
  );
  return {
    stop: () => loop.close(),
    async leave() {
      await loop.close();
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
