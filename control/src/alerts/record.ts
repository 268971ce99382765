/** Makes what stands what was found. Every alert is a transaction of its own: one that cannot be written holds up none of the others. */
import { type Condition, detect, notKnown } from "@holdfast/core/alert/detect.ts";
import type { AlertFacts } from "@holdfast/core/alert/facts.ts";
import { ALERTS, type AlertKind } from "@holdfast/core/alert/kind.ts";
import { alertSteps } from "@holdfast/core/alert/life.ts";
import type { Logger } from "pino";
import type { Actor } from "../store/actor.ts";
import { listStanding, noteAction, openAlert, resolveAlert, rewordAlert } from "../store/alerts.ts";
import type { Database } from "../store/database.ts";
import { setRolloutState } from "../store/rollouts.ts";
import type { AlertRow } from "../store/tables.ts";
import { transaction, type Transaction } from "../store/transaction.ts";
import { runningForward } from "./store/running.ts";

export async function recordAlerts(database: Database, facts: AlertFacts, by: Actor, log: Logger): Promise<void> {
  const steps = alertSteps(await listStanding(database), detect(facts), notKnown(facts));
  const failed: unknown[] = [];
  const write = async <T>(about: string, body: (tx: Transaction) => Promise<T>): Promise<T | undefined> => {
    // What is no expected failure, such as a row that cannot be written, comes as an exception.
    const written = await transaction(database, body).catch((error: unknown) => ({ ok: false, error }) as const);
    if (written.ok) return written.value;
    log.warn({ err: written.error, alert: about, result_code: "alert.not_written" }, "an alert could not be written");
    failed.push(written.error);
    return undefined;
  };
  for (const condition of steps.open) {
    const opened = await write(`${condition.kind} ${condition.subject}`, (tx) => open(tx, condition, by));
    if (opened !== undefined) say(log, opened, "begun");
  }
  for (const { id, message } of steps.reword) await write(id, (tx) => rewordAlert(tx, id, message));
  for (const id of steps.resolve) {
    const resolved = await write(id, (tx) => resolveAlert(tx, id, by));
    if (resolved !== undefined) say(log, resolved, "gone");
  }
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} alerts could not be written`);
}

async function open(tx: Transaction, condition: Condition, by: Actor): Promise<AlertRow | undefined> {
  const act = ACTS[condition.kind];
  const row = await openAlert(tx, condition, by);
  // Only whoever opened it acts: what an operator has resumed since is not paused again.
  const done = row === undefined || act === null ? null : await act(tx, by);
  if (row !== undefined && done !== null) await noteAction(tx, row.id, done);
  return row;
}

/**
 * What is done in the transaction that opens an alert. Null where another part of the house does it at the moment itself, or where nothing
 * is safe to do: the table in core says which, and why.
 */
const ACTS = {
  "apply-stuck": null, // the saga and its reconciler decide the undo
  "concurrent-applies": null,
  "failure-rate": pauseRollouts,
  "rollback-failed": null, // the ending itself locks the server, and the dispatcher halts the rollout
  "in-doubt": null,
  "floor-lost": null, // the server itself puts back what was confirmed, where its floor says so
  drift: null,
  "agent-lost": null,
  "certificate-expiring": null, // the saga does not send it
  "glass-broken": null, // an emergency is not held up
  "passkey-copied": null, // the sign-in itself refuses it
  "key-due": null, // a tunnel that is cut because of a date helps nobody
  "audit-broken": null,
  "audit-heads": null,
  "audit-epoch": null,
  "disk-low": null,
  "database-trouble": null,
} as const satisfies Record<AlertKind, ((tx: Transaction, by: Actor) => Promise<string | null>) | null>;

/** The way back stays open: a rollback that is under way goes on. */
async function pauseRollouts(tx: Transaction, by: Actor): Promise<string | null> {
  const forward = await runningForward(tx);
  for (const { id } of forward) {
    const message = "applies fail far more often than usual; look, then resume or halt";
    await setRolloutState(tx, id, "PAUSED", { code: "alert.failure_rate", message }, by);
  }
  return forward.length === 0 ? null : `Paused: ${forward.map(({ id }) => `rollout/${id}`).join(", ")}`;
}

function say(log: Logger, row: AlertRow, what: "begun" | "gone"): void {
  const { code, severity } = ALERTS[row.kind];
  const fields = {
    alert_id: row.id,
    alert: row.kind,
    ...(row.server_id === null ? {} : { server_id: row.server_id }),
    ...(row.apply_id === null ? {} : { apply_id: row.apply_id }),
    result_code: what === "begun" ? code : `${code}_gone`,
  };
  if (what === "gone") log.info(fields, `no more: ${row.message}`);
  else if (severity === "critical") log.error(fields, row.message);
  else log.warn(fields, row.message);
}
