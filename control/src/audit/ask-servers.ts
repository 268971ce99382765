import { fromBinary } from "@bufbuild/protobuf";
/**
 * What all servers keep of the audit log, asked now, of whichever instance holds their sessions. A server that cannot be asked answers by the
 * newest receipt that its own key signed.
 */
import { type AuditStanding, standingOf } from "@holdfast/core/audit/standing.ts";
import type { ServerId } from "@holdfast/core/base/id.ts";
import { KeepAuditHeadResponseSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { AnchoredHead } from "@holdfast/proto/wire/audit-head.ts";
import { AUDIT_HEAD_QUESTION, type Switchboard } from "../gateway/switchboard.ts";
import { atMost } from "../planning/at-most.ts";
import { hashAt } from "../store/audit.ts";
import type { Database } from "../store/database.ts";
import { listKeys } from "../store/enrolment.ts";
import { headOfReceipt, keptThere } from "./anchor.ts";
import type { HeadSigner } from "./checkpoint.ts";
import { FIRST_EPOCH, knownEpochs } from "./epoch.ts";
import { listEpochs } from "./store/epochs.ts";
import { type AskedServer, enrolledServers, listReceipts } from "./store/standings.ts";

export interface HeldByServer {
  readonly id: ServerId;
  readonly name: string;
  readonly standing: AuditStanding;
  /** Null: it keeps none, or nobody knows. */
  readonly head: AnchoredHead | null;
  /** `receipt`: it could not be asked now, this is the last that it signed; `nobody`: and there is none. */
  readonly from: "server" | "receipt" | "nobody";
}

export interface HeldHeads {
  readonly epoch: number;
  readonly servers: readonly HeldByServer[];
}

export type AskServers = () => Promise<HeldHeads>;

const AT_ONCE = 16;
/** A server whose newest receipts nobody can read any more, because its keys are gone, has said nothing. */
const RECEIPTS_READ = 5;

export function askServers(options: {
  readonly database: Database;
  readonly switchboard: Switchboard;
  readonly signer: HeadSigner;
}): AskServers {
  const { database, switchboard, signer } = options;

  async function askAll(): Promise<HeldHeads> {
    const epoch = knownEpochs(signer, await listEpochs(database)).newest?.epoch ?? FIRST_EPOCH;
    const servers = await enrolledServers(database);
    return { epoch, servers: await atMost(AT_ONCE, servers, (server) => askOne(server, epoch)) };
  }

  async function askOne(server: AskedServer, epoch: number): Promise<HeldByServer> {
    const { id, name } = server;
    // Said when its session began; an agent that was upgraded since has another session.
    if (server.standing === "unsupported") return { id, name, standing: "unsupported", head: null, from: "server" };
    const keys = (await listKeys(database, id)).map((key) => key.receipt_public_key);
    const asked = await switchboard.ask(id, "audit_head", AUDIT_HEAD_QUESTION);
    if (asked.kind === "unreachable") return byReceipt(server, keys, epoch);
    const answer = fromBinary(KeepAuditHeadResponseSchema, asked.value);
    const there = keptThere(answer, id, keys, signer);
    const { head: kept = null, isProven = false, isOurs = false } = there ?? {};
    const said = { kept, refusedCode: answer.refusedCode, isProven, isOurs };
    return { id, name, standing: standingOf(said, await logAt(kept, epoch)), head: kept, from: "server" };
  }

  async function byReceipt(
    { id, name }: AskedServer,
    keys: readonly Uint8Array[],
    epoch: number,
  ): Promise<HeldByServer> {
    const receipts = await listReceipts(database, id, RECEIPTS_READ);
    const kept = receipts.map((receipt) => headOfReceipt(receipt, id, keys)).find((head) => head !== null) ?? null;
    if (kept === null) return { id, name, standing: "none", head: null, from: "nobody" };
    // Only a head that this house signed gets a receipt written down.
    const said = { kept, refusedCode: "", isProven: true, isOurs: true };
    return { id, name, standing: standingOf(said, await logAt(kept, epoch)), head: kept, from: "receipt" };
  }

  async function logAt(kept: AnchoredHead | null, epoch: number) {
    return { epoch, hashThere: kept === null ? null : await hashAt(database, kept.entries) };
  }

  let asking: Promise<HeldHeads> | null = null;
  // Whoever asks while it is being asked hears the same answer: each question may start a guard on every server.
  return () =>
    (asking ??= askAll().finally(() => {
      asking = null;
    }));
}
