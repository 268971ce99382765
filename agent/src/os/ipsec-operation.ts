import { setTimeout as sleep } from "node:timers/promises";
import { assertNever } from "@holdfast/core/base/never.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { IpsecFailure, IpsecOperation } from "@holdfast/core/plan/ipsec-state.ts";
import { REQUEST_MS } from "./ipsec-requests.ts";
import { checkIpsecOperation } from "./ipsec-rules.ts";
import { refusalIn, withCharon } from "./ipsec.ts";
import type { ViciConnection } from "./vici-connection.ts";
import { sectionOf, sectionsIn, textOf, type ViciAnswer } from "./vici-message.ts";

/**
 * What an operator asks of a tunnel that is loaded. Unlike a step of a plan (ipsec.ts), which leaves silence to the trial, each ends with what
 * came of it: a person waits for the answer.
 */

/** Milliseconds for a whole exchange. A round trip and some arithmetic; a busy end a few seconds. charon itself goes on trying after that. */
const EXCHANGE_MS = 8_000;
/** Milliseconds in which the other end is told that an association ends; without its answer it ends all the same. */
const GOODBYE_MS = 2_000;
/** Milliseconds between two looks whether there are new keys. */
const LOOK_EVERY_MS = 200;

export function operateIpsec(root: string, operation: IpsecOperation): Promise<Result<null, IpsecFailure>> {
  const checked = checkIpsecOperation(operation);
  if (!checked.ok) return Promise.resolve(err({ kind: "failed", why: checked.error }));
  return withCharon(root, (vici) => operate(vici, operation), failed);
}

async function operate(vici: ViciConnection, operation: IpsecOperation): Promise<Result<null, IpsecFailure>> {
  switch (operation.op) {
    case "begin":
      return begin(vici, operation.name, operation.label);
    case "end":
      return end(vici, operation.name, operation.label);
    case "renew":
      return renew(vici, operation.name, operation.label);
    default:
      return assertNever(operation);
  }
}

async function begin(vici: ViciConnection, ike: string, child: string): Promise<Result<null, IpsecFailure>> {
  const message = { ike, child, timeout: String(EXCHANGE_MS), loglevel: "1" };
  const tried = await vici.listing("initiate", "control-log", message, EXCHANGE_MS + REQUEST_MS);
  if (!tried.ok) return err(failed(tried.error));
  const { answer, events } = tried.value;
  if (textOf(answer, "success") === "yes") return ok(null);
  const refusal = refusalIn(events);
  if (refusal !== null) return err({ kind: "refused", why: `the other end refuses: ${refusal}` });
  const said = textOf(answer, "errmsg");
  return /within|timeout|not established after/i.test(said)
    ? err({ kind: "silent", why: `the other end did not answer within ${EXCHANGE_MS / 1_000} s` })
    : err(failed(said || "strongSwan gave the exchange up and did not say why"));
}

/**
 * Gone already is success: between the look and the request it may have ended by itself. The other end may begin a new one at once, and charon may
 * count that as not ended: what counts is whether what was there before is there.
 */
async function end(vici: ViciConnection, ike: string, child: string | null): Promise<Result<null, IpsecFailure>> {
  const before = await look(vici, ike, child);
  if (!before.ok) return err(failed(before.error));
  const what = child === null ? { ike } : { ike, child };
  const message = { ...what, force: "yes", timeout: String(GOODBYE_MS) };
  const asked = await vici.request("terminate", message, GOODBYE_MS + REQUEST_MS);
  if (!asked.ok) return err(failed(asked.error));
  if (textOf(asked.value, "success") === "yes") return ok(null);
  const now = await look(vici, ike, child);
  if (!now.ok) return err(failed(now.error));
  const old = before.value.map(({ id }) => id);
  return now.value.some(({ id, stands }) => stands && old.includes(id))
    ? err(failed(textOf(asked.value, "errmsg") || "it has not ended in time"))
    : ok(null);
}

/** New keys show in a new number: of the child, or of the association. While they are agreed on, the old one stands in another state. */
async function renew(vici: ViciConnection, ike: string, child: string | null): Promise<Result<null, IpsecFailure>> {
  const before = await look(vici, ike, child);
  if (!before.ok) return err(failed(before.error));
  const old = before.value.map(({ id }) => id);
  const asked = await vici.request("rekey", child === null ? { ike } : { ike, child }, REQUEST_MS);
  if (!asked.ok) return err(failed(asked.error));
  if (old.length === 0 || textOf(asked.value, "matches") === "0")
    return err({ kind: "gone", why: "what was agreed ended before its keys could be replaced" });
  const giveUpAt = performance.now() + EXCHANGE_MS;
  for (;;) {
    const now = await look(vici, ike, child);
    if (!now.ok) return err(failed(now.error));
    if (now.value.length === 0)
      return err({ kind: "gone", why: "what was agreed ended while its keys were being replaced" });
    if (now.value.some(({ id, stands }) => stands && !old.includes(id))) return ok(null);
    if (performance.now() > giveUpAt)
      return err({
        kind: "silent",
        why: `no new keys were agreed within ${EXCHANGE_MS / 1_000} s; the old ones are still in use`,
      });
    await sleep(LOOK_EVERY_MS);
  }
}

interface Seen {
  /** charon's own number of it. */
  readonly id: string;
  readonly stands: boolean;
}

/** The associations of this name, or their children of this label. */
async function look(vici: ViciConnection, ike: string, child: string | null): Promise<Result<readonly Seen[], string>> {
  const listed = await vici.listing("list-sas", "list-sa", { ike }, REQUEST_MS);
  if (!listed.ok) return listed;
  const sas = listed.value.events.flatMap(sectionsIn).map(([, sa]) => sa);
  const seen = (answer: ViciAnswer, standing: string): Seen => ({
    id: textOf(answer, "uniqueid"),
    stands: textOf(answer, "state") === standing,
  });
  if (child === null) return ok(sas.map((sa) => seen(sa, "ESTABLISHED")));
  const children = sas.flatMap((sa) => sectionsIn(sectionOf(sa, "child-sas")).map(([, one]) => one));
  return ok(children.filter((one) => textOf(one, "name") === child).map((one) => seen(one, "INSTALLED")));
}

function failed(why: string): IpsecFailure {
  return { kind: "failed", why };
}
