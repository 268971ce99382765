import type { Caller } from "../api/caller.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { transaction } from "../store/transaction.ts";
import { type AuditEpoch, signEpoch } from "./epoch.ts";
import { insertEpoch } from "./store/epochs.ts";
import { verifyEverywhere } from "./verify.ts";

/** Why an epoch was begun is told with the first heads that did not fit; a fleet's worth of them would be no entry any more. */
const ACCUSERS_TOLD = 20;

/**
 * A person accepts the log as it is. Nothing is made whole by that: the entry says who, why, and what servers had proven of the log that was, each
 * server keeps the last head of it, and an alert stands for days.
 */
export async function beginEpoch(
  house: House,
  caller: Caller,
  wish: { readonly epoch: number; readonly reason: string },
): Promise<AuditEpoch> {
  const { verdict, held, nextEpoch } = await verifyEverywhere(house.witness, house.askServers);
  if (nextEpoch === null) {
    if (verdict.intact || verdict.entries === 0)
      refuse("audit.nothing_to_accept", "No server and no kept head knows of another log than this one.");
    refuse("audit.chain_broken", `Entry ${verdict.brokenAt} is not what was written (${verdict.reason}).`);
  }
  if (wish.epoch !== nextEpoch) refuse("audit.other_epoch", `The epoch to be begun is ${nextEpoch}.`);
  const { entries, head } = verdict;
  // Not before a head that was signed by a clock which ran ahead: that one would accuse for ever.
  const lastMs = verdict.newestAnchor === null ? 0 : Date.parse(verdict.newestAnchor.at);
  const at = new Date(Math.max(house.nowMs(), lastMs)).toISOString();
  const epoch: AuditEpoch = { epoch: nextEpoch, entries, head, at, begunBy: caller.actor.actor, reason: wish.reason };
  const accusing = held.servers.filter(({ standing }) => standing === "ahead" || standing === "forked");
  const begun = await transaction(house.database, async (tx) => {
    if (!(await insertEpoch(tx, signEpoch(house.witness.signer, epoch))))
      refuse("audit.other_epoch", `Epoch ${nextEpoch} was begun a moment ago.`);
    tx.audit({
      ...caller.actor,
      action: "audit.epoch_begun",
      object: `audit/epoch/${nextEpoch}`,
      old: {
        epoch: held.epoch,
        servers: accusing.length,
        heads: accusing.slice(0, ACCUSERS_TOLD).map(({ name, standing, head: kept }) => ({
          server: name,
          standing,
          kept: kept === null ? null : { ...kept },
        })),
      },
      new: { epoch: nextEpoch, entries, head, reason: wish.reason },
      resultCode: "ok",
    });
  });
  if (!begun.ok) throw begun.error;
  house.log.error(
    {
      result_code: "audit.epoch_begun",
      epoch: nextEpoch,
      audit_entries: entries,
      audit_head: head,
      reason: wish.reason,
    },
    "somebody accepted an audit log that is not the one that servers keep a head of",
  );
  // Whoever looks next sees it as accepted.
  await house.witness.verify();
  return epoch;
}
