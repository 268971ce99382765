/**
 * Hands heads of the audit log to the servers that are connected here, and holds what they keep against the log.
 *   H1. First what a server keeps is looked for in the log, then it is handed more: one that knows what the log lost is not made to forget it.
 *   H2. A server in the middle of an apply is left alone.
 *   H3. What accuses the log or the server is written down in the same transaction as its audit entry, and again at every look while it is so.
 */
import type { AuditStanding } from "@holdfast/core/audit/standing.ts";
import { ACCUSES, standingOf } from "@holdfast/core/audit/standing.ts";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { KeepAuditHeadResponse } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { isHigher, type SignedAnchor } from "@holdfast/proto/wire/audit-head.ts";
import type { Logger } from "pino";
import { call } from "../gateway/agent-client.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import { atMost } from "../planning/at-most.ts";
import { agentActor } from "../store/actor.ts";
import { hashAt } from "../store/audit.ts";
import type { Database } from "../store/database.ts";
import { listKeys } from "../store/enrolment.ts";
import { transaction } from "../store/transaction.ts";
import { type KeptThere, keptThere, signAnchor } from "./anchor.ts";
import { FIRST_EPOCH, knownEpochs } from "./epoch.ts";
import { listEpochs } from "./store/epochs.ts";
import { insertReceipt, setStanding, withOpenApply } from "./store/standings.ts";
import type { AuditWitness } from "./witness.ts";

export interface AnchoringOptions {
  readonly database: Database;
  readonly witness: AuditWitness;
  readonly instanceId: InstanceId;
  readonly nowMs: () => number;
  readonly log: Logger;
}

export interface Anchoring {
  look(sessions: readonly AgentSession[]): Promise<void>;
}

/** The guard reads one file, and writes one; it may have to be started first. */
const ANSWER_WITHIN_MS = 5_000;
/** Each may start a guard on its server, none waits for another one. */
const AT_ONCE = 16;

/** Of a server that says what no guard says, so much is written down. */
const CODE = /^[a-z_.]{0,64}$/;
const MESSAGE_LONGEST = 500;

interface Said {
  readonly there: KeptThere | null;
  readonly refusedCode: string;
  readonly refusedMessage: string;
}

export function anchoring(options: AnchoringOptions): Anchoring {
  const { database, witness, instanceId, nowMs, log } = options;
  const { signer } = witness;
  /** What was said over each session last: nobody else hands its server anything while it lasts. */
  const last = new WeakMap<AgentSession, Said>();

  async function ask(session: AgentSession, head: SignedAnchor | null): Promise<Said | null> {
    const request = head === null ? {} : { head: inMessage(head), publicKey: signer.publicKey };
    const answer = await call(session.client.keepAuditHead(request, { timeoutMs: ANSWER_WITHIN_MS }));
    if (answer.kind !== "answered") {
      log.debug({ server_id: session.serverId, reason: answer.message }, "a server did not say what it keeps");
      return null;
    }
    const said = await read(session, answer.value);
    last.set(session, said);
    return said;
  }

  async function read(session: AgentSession, answer: KeepAuditHeadResponse): Promise<Said> {
    const keys = (await listKeys(database, session.serverId)).map((key) => key.receipt_public_key);
    const refusedCode = CODE.test(answer.refusedCode) ? answer.refusedCode : "audit_head.unreadable";
    const refusedMessage = answer.refusedMessage.slice(0, MESSAGE_LONGEST);
    return { there: keptThere(answer, session.serverId, keys, signer), refusedCode, refusedMessage };
  }

  async function judge({ there, refusedCode }: Said, epoch: number): Promise<AuditStanding> {
    const hashThere = there === null ? null : await hashAt(database, there.head.entries);
    const { head: kept = null, isProven = false, isOurs = false } = there ?? {};
    return standingOf({ kept, refusedCode, isProven, isOurs }, { epoch, hashThere });
  }

  async function lookAt(session: AgentSession, epoch: number): Promise<void> {
    if (!session.keepsAuditHeads) {
      await record(session, { there: null, refusedCode: "", refusedMessage: "" }, "unsupported");
      return;
    }
    const known = last.get(session);
    const before = known ?? (await ask(session, null));
    if (before === null) return;
    const standing = await judge(before, epoch);
    const next = ACCUSES[standing] === "log" ? null : nextFor(before.there, epoch); // H1
    const after = next === null ? null : await ask(session, next);
    if (after !== null) await record(session, after, await judge(after, epoch));
    else if (known === undefined || ACCUSES[standing] !== null) await record(session, before, standing);
  }

  /** Null: there is nothing that it does not keep, or nothing that may be signed. */
  function nextFor(there: KeptThere | null, epoch: number): SignedAnchor | null {
    const verdict = witness.last();
    if (verdict === null || !verdict.intact || verdict.entries === 0 || verdict.epoch !== epoch) return null;
    const { entries, head } = verdict;
    const at = new Date(nowMs()).toISOString();
    const anchor = { epoch, entries, head, at };
    return there === null || isHigher(there.head, anchor) ? signAnchor(signer, anchor) : null;
  }

  async function record(session: AgentSession, said: Said, standing: AuditStanding): Promise<void> {
    const { serverId } = session;
    const { there, refusedCode: code } = said;
    const head = there?.head ?? null;
    const changed = await transaction(database, async (tx) => {
      const before = await setStanding(tx, serverId, { standing, head, code });
      if (there !== null && there.isProven && there.isOurs)
        await insertReceipt(tx, serverId, there.head, there.receipt);
      const wasAccused = before !== undefined && ACCUSES[before.standing] !== null;
      const isSame = before?.standing === standing && (!wasAccused || before.head === (head?.head ?? null));
      if (isSame || (ACCUSES[standing] === null && !wasAccused)) return false;
      tx.audit({
        ...agentActor(serverId, session.remoteAddress, instanceId),
        action: "audit.head_compared",
        object: `server/${serverId}`,
        serverId,
        old: before === undefined ? null : { standing: before.standing, epoch: before.epoch, entries: before.entries },
        new: { standing, kept: head === null ? null : { ...head }, code },
        resultCode: ACCUSES[standing] === null ? "ok" : `audit.head_${standing}`,
      });
      return true;
    });
    if (!changed.ok) throw changed.error;
    if (changed.value || ACCUSES[standing] !== null)
      log[ACCUSES[standing] === null ? "info" : "error"](
        {
          server_id: serverId,
          target_host: session.serverName,
          result_code: ACCUSES[standing] === null ? "audit.head_holds" : `audit.head_${standing}`,
          kept_entries: head?.entries ?? null,
          kept_head: head?.head ?? null,
          reason: said.refusedMessage,
        },
        "the head of the audit log that a server keeps",
      );
  }

  return {
    async look(sessions) {
      if (sessions.length === 0) return;
      const busy = await withOpenApply(database); // H2
      const epoch = knownEpochs(signer, await listEpochs(database)).newest?.epoch ?? FIRST_EPOCH;
      const free = sessions.filter((session) => !session.isClosed() && !busy.has(session.serverId));
      await atMost(AT_ONCE, free, (session) =>
        lookAt(session, epoch).catch((error: unknown) =>
          log.warn({ server_id: session.serverId, err: error }, "what a server keeps of the audit log is asked again"),
        ),
      );
    },
  };
}

function inMessage({ epoch, entries, head, at, signature }: SignedAnchor) {
  return { epoch: BigInt(epoch), entries: BigInt(entries), head, at, signature };
}
