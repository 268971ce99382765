/**
 * Signs commands for agents, and decides for itself which.
 *   G1. It writes a command from the rows that it reads; of the question it takes only what no row holds: sealed secrets, and the words of an abort.
 *   G2. A line of its own log is on the disk before a signature leaves.
 *   G3. However often it is asked, it signs no faster than its pace.
 *   G4. It answers every question with a typed value; trouble of its own is `unavailable`, and asking again later is right.
 */
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import type { Logger } from "pino";
import { OVERWRITES_DRIFT } from "../saga/overwrites-drift.ts";
import type { Queryable } from "../store/database.ts";
import { StoreFailure } from "../store/store-failure.ts";
import { COMMAND_LIFE_MS, type CommandKey } from "./command-key.ts";
import {
  type ApplyWish,
  judgeApply,
  judgeRelease,
  judgeTunnelAct,
  SIGNER_REFUSALS,
  type SignerRefusal,
} from "./judge.ts";
import { pace } from "./pace.ts";
import type { SignedLog } from "./signed-log.ts";
import { factsOf, serverFacts, type TransactionFacts, tunnelActFacts } from "./store/facts.ts";
import type { SignerAnswer, SignerQuestion, SigningWish } from "./wire.ts";

export interface SignerOptions {
  readonly key: CommandKey;
  /** As a role that reads the rows of facts.ts and writes nothing. */
  readonly database: Queryable;
  readonly signedLog: SignedLog;
  /** What goes forward has at least so many approvals, whatever the rows say that the floor asks for. */
  readonly approvalsAtLeast: number;
  readonly nowMs: () => number;
  readonly log: Logger;
}

/** A fleet that comes back after an outage is asked for at once; a loop gone wild is not more than an hour's work of a large one. */
const BURST = 2_000;
const PER_SECOND = 50;

type Command = MessageInitShape<typeof CommandSchema>;
type Verb = NonNullable<Command["verb"]>;
type Judged = { readonly command: Command; readonly plan: string | null } | { readonly refusal: SignerRefusal };

export function signer(options: SignerOptions): (question: SignerQuestion) => Promise<SignerAnswer> {
  const { key, database, signedLog, nowMs, log } = options;
  const tempo = pace(BURST, PER_SECOND);

  return async (question) => {
    try {
      return question.ask === "describe" ? await describe() : await answer(question);
    } catch (error) {
      const code = error instanceof StoreFailure ? "signer.database_unreachable" : "signer.trouble";
      log.error({ err: error, result_code: code }, "nothing is signed");
      return { kind: "unavailable", code, message: error instanceof Error ? error.message : String(error) };
    }
  };

  async function describe(): Promise<SignerAnswer> {
    // An id that nobody has: what is asked is whether the rows can be read.
    const trouble = await factsOf(database, "00000000-0000-0000-0000-000000000000").then(
      () => null,
      (error: unknown) =>
        `the signer cannot read the database: ${error instanceof Error ? error.message : String(error)}`,
    );
    const { publicKeyHex, keyId, links } = key;
    return { kind: "described", publicKeyHex, keyId, links: [...links], uid: process.getuid?.() ?? 0, trouble };
  }

  async function answer(wish: SigningWish): Promise<SignerAnswer> {
    if (!tempo.take(nowMs()))
      return { kind: "unavailable", code: "signer.too_many", message: "more was asked than is signed in this time" };
    const judged = await judge(wish);
    const said = {
      at: new Date(nowMs()).toISOString(),
      ask: wish.ask,
      server: wish.serverId,
      request: wish.requestId,
      fence: wish.fence,
    };
    if ("refusal" in judged) {
      const { refusal: code } = judged;
      await signedLog.append({ ...said, code });
      log.warn(
        { request_id: wish.requestId, server_id: wish.serverId, result_code: code, ask: wish.ask },
        SIGNER_REFUSALS[code],
      );
      return { kind: "refused", code, message: SIGNER_REFUSALS[code] };
    }
    const { command, signature, keyId } = key.sign(judged.command);
    const sha256 = createHash("sha256").update(command).digest("hex");
    await signedLog.append({ ...said, code: "ok", plan: judged.plan, command: sha256 }); // G2
    log.info({ request_id: wish.requestId, server_id: wish.serverId, result_code: "ok", ask: wish.ask }, "signed");
    return {
      kind: "signed",
      command: Buffer.from(command).toString("base64"),
      signature: Buffer.from(signature).toString("base64"),
      keyId,
    };
  }

  async function judge(wish: SigningWish): Promise<Judged> {
    const common = {
      serverId: wish.serverId,
      requestId: wish.requestId,
      fence: BigInt(wish.fence),
      expiresAtMs: BigInt(nowMs() + COMMAND_LIFE_MS),
    };
    if (wish.ask === "release") {
      const refusal = judgeRelease(wish, await serverFacts(database, wish.serverId));
      if (refusal !== null) return { refusal };
      const verb: Verb = { case: "release", value: { reason: wish.reason } };
      return { command: { ...common, actor: wish.actor, verb }, plan: null };
    }
    if (wish.ask === "tunnel") {
      const act = await tunnelActFacts(database, wish.requestId);
      const refusal = judgeTunnelAct(wish, await serverFacts(database, wish.serverId), act);
      if (refusal !== null) return { refusal };
      if (act === undefined) return { refusal: "signer.no_act" };
      const { tunnel, act: verb, of, acknowledged } = act;
      const value = { tunnel, act: verb, of, acknowledged: [...acknowledged] };
      const actor = `user/${act.requested_by}`;
      return { command: { ...common, actor, verb: { case: "tunnel", value } }, plan: null };
    }
    const facts = await factsOf(database, wish.requestId);
    const refusal = judgeApply(wish, facts, sha256Of, options.approvalsAtLeast);
    if (refusal !== null) return { refusal };
    if (facts === undefined) return { refusal: "signer.unknown_request" };
    const { apply_id: applyId, change_id: changeId } = facts;
    return {
      command: { ...common, applyId, changeId, actor: `user/${facts.requested_by}`, verb: verbOf(wish, facts) },
      plan: facts.plan_digest,
    };
  }
}

function verbOf(wish: ApplyWish, facts: TransactionFacts): Verb {
  switch (wish.ask) {
    case "prepare":
      return {
        case: "prepare",
        value: {
          kind: facts.kind,
          configJson: facts.plan_config ?? "",
          configDigest: facts.config_digest,
          planDigest: facts.plan_digest,
          baseGeneration: BigInt(facts.plan_base_generation ?? 0),
          overwriteDrift: facts.plan_findings.some((finding) => finding.code === OVERWRITES_DRIFT),
          secrets: wish.secrets.map(({ file, ephemeralKey, sealed }) => ({
            file,
            ephemeralKey: Buffer.from(ephemeralKey, "base64"),
            sealed: Buffer.from(sealed, "base64"),
          })),
        },
      };
    case "execute":
      return { case: "execute", value: { nonce: facts.nonce } };
    case "confirm":
      return { case: "confirm", value: { nonce: facts.nonce } };
    case "abort":
      return { case: "abort", value: { code: wish.code, message: wish.message } };
  }
}

function sha256Of(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
