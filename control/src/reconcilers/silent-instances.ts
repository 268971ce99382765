import { buryInstance } from "../instance/instance.ts";
import { listSilentInstances } from "../store/instances.ts";
import type { Reconciler } from "./context.ts";

/** Twice a lease: whoever only paused has had its leases taken already, and is told by their fences. */
const SILENT_MS = 20_000;

/** Takes what an instance that died still seems to hold, sessions and leases, so that nobody waits for it and no page shows it. */
export const silentInstances: Reconciler = {
  name: "silent-instances",
  everyMs: 5_000,
  async run({ database, instanceId, log }) {
    for (const { id } of await listSilentInstances(database, SILENT_MS)) {
      if (id === instanceId) continue;
      await buryInstance(database, id);
      log.warn(
        { instance_id: id, result_code: "instance.silent" },
        "an instance has been silent; its sessions and leases are free",
      );
    }
  },
};
