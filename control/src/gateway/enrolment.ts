/**
 * How a server becomes ours. A token, made for one server and good for one hour, pins the key pair that was made on that server.
 *   E1. A token is used once; the key that used it may ask again, because answers get lost and approvals take time.
 *   E2. A second key with the same token is refused and alarmed: somebody else has the token.
 *   E3. Nothing is certified before an operator has compared the fingerprint, unless the house says otherwise.
 */
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { InstanceId, ServerId, UserId } from "@holdfast/core/base/id.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { EnrollRequest, EnrollResponseSchema } from "@holdfast/proto/gen/holdfast/v1/enrolment_pb.ts";
import { CODE_HEADER, SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import type { Authority } from "../authority/authority.ts";
import type { Actor } from "../store/actor.ts";
import type { Database } from "../store/database.ts";
import { activateKey, insertPendingKey, setCertificate, useEnrolmentToken } from "../store/enrolment.ts";
import { newId } from "../store/new-id.ts";
import { lockServer, setEnrolment, setFacts } from "../store/servers.ts";
import { transaction, type Transaction } from "../store/transaction.ts";
import { fingerprintOf, keySha256 } from "./peer.ts";
import { possesses, readPublicKey } from "./possession.ts";

export type EnrolmentHandler = (
  request: EnrollRequest,
  remote: string,
) => Promise<MessageInitShape<typeof EnrollResponseSchema>>;

export interface EnrolmentOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly instanceId: InstanceId;
  readonly approvalRequired: boolean;
  readonly nowMs: () => number;
}

const REFUSALS = {
  "enrolment.token_unknown": [
    Code.Unauthenticated,
    "this token is not known: make a new one with `holdfast server enroll`",
  ],
  "enrolment.token_expired": [
    Code.Unauthenticated,
    "this token is older than an hour: make a new one with `holdfast server enroll`",
  ],
  "enrolment.token_stolen": [
    Code.PermissionDenied,
    "this token was used by another key: if that was not you, somebody has your token; tell your operators",
  ],
  "enrolment.server_released": [
    Code.PermissionDenied,
    "this server was released, and its id is never used again: add it anew",
  ],
  "enrolment.key_ended": [
    Code.PermissionDenied,
    "this key was revoked or replaced: enrol again with a new token and fresh keys",
  ],
} as const satisfies Record<string, readonly [Code, string]>;
type EnrolmentRefusal = keyof typeof REFUSALS;

export function enrolment(options: EnrolmentOptions): EnrolmentHandler {
  const { database, authority } = options;
  return async (request, remote) => {
    const key = readPublicKey(request.tlsPublicKey);
    if (key === null) throw invalid("tls_public_key", "an Ed25519 or P-256 SubjectPublicKeyInfo in DER");
    if (readPublicKey(request.receiptPublicKey)?.asymmetricKeyType !== "ed25519")
      throw invalid("receipt_public_key", "an Ed25519 SubjectPublicKeyInfo in DER");
    if (!possesses(key, SIGNED_TEXT.enrolment, request.token, request.proof))
      throw invalid("proof", "a signature by the TLS key over the context and the token");
    const sha256 = keySha256(request.tlsPublicKey);
    const by: Actor = { actor: "agent/unknown", source: remote, instanceId: options.instanceId };
    const asked = await transaction(database, (tx) => takeIn(tx, request, sha256, options.approvalRequired, by));
    if (!asked.ok)
      throw new ConnectError(
        `${asked.error.code}: ${asked.error.message}`,
        asked.error.code === "store.wrong_state" ? Code.AlreadyExists : Code.Unavailable,
      );
    if (!asked.value.ok) throw refusal(asked.value.error);
    const { serverId, serverName, state } = asked.value.value;
    const answer = {
      serverId,
      serverName,
      caCertificate: authority.certificates.certificatePem,
      commandKeys: [authority.commands.publicKeyHex],
      fingerprint: fingerprintOf(sha256),
    };
    if (state === "pending") return { ...answer, approvalPending: true };
    const issued = await authority.certificates.issueForAgent({
      serverId,
      publicKey: request.tlsPublicKey,
      nowMs: options.nowMs(),
    });
    const recorded = await transaction(database, (tx) =>
      setCertificate(tx, sha256, issued.serial, new Date(issued.notAfterMs), by),
    );
    if (!recorded.ok) throw new ConnectError(`${recorded.error.code}: try again`, Code.Unavailable);
    return { ...answer, certificate: issued.certificatePem, expiresAtMs: BigInt(issued.notAfterMs) };
  };
}

interface TakenIn {
  readonly serverId: ServerId;
  readonly serverName: string;
  readonly state: "pending" | "active";
}

async function takeIn(
  tx: Transaction,
  request: EnrollRequest,
  sha256: string,
  approvalRequired: boolean,
  by: Actor,
): Promise<Result<TakenIn, EnrolmentRefusal>> {
  const use = await useEnrolmentToken(tx, createHash("sha256").update(request.token, "utf8").digest(), sha256, by);
  if (use.kind === "unknown") return err("enrolment.token_unknown");
  if (use.kind === "expired") return err("enrolment.token_expired");
  if (use.kind === "stolen") return err("enrolment.token_stolen");
  const { serverId } = use;
  const server = await lockServer(tx, serverId);
  if (server.enrolment === "released") return err("enrolment.server_released");
  const key = await insertPendingKey(
    tx,
    {
      id: newId(),
      serverId,
      tlsKeySha256: sha256,
      tlsPublicKey: Buffer.from(request.tlsPublicKey),
      receiptPublicKey: Buffer.from(request.receiptPublicKey),
    },
    by,
  );
  if (key.state === "revoked" || key.state === "superseded") return err("enrolment.key_ended");
  if (key.state === "active") return ok({ serverId, serverName: server.name, state: "active" });
  if (use.kind === "used") await setFacts(tx, serverId, readFacts(request.factsJson), server.capabilities);
  if (!approvalRequired) {
    await activateKey(tx, sha256, null, by);
    if (server.enrolment !== "enrolled") await setEnrolment(tx, serverId, ["expected", "pending"], "enrolled", by);
    return ok({ serverId, serverName: server.name, state: "active" });
  }
  // A server that is enrolled stays so: its present key works on until the new one is approved.
  if (server.enrolment === "expected") await setEnrolment(tx, serverId, ["expected"], "pending", by);
  return ok({ serverId, serverName: server.name, state: "pending" });
}

/** An operator has compared the fingerprint on both screens (E3). Throws `store.wrong_state` when the key does not wait for that. */
export async function approveEnrolment(tx: Transaction, sha256: string, user: UserId, by: Actor): Promise<void> {
  const key = await activateKey(tx, sha256, user, by);
  const server = await lockServer(tx, key.server_id);
  if (server.enrolment !== "enrolled") await setEnrolment(tx, key.server_id, ["expected", "pending"], "enrolled", by);
}

function refusal(code: EnrolmentRefusal): ConnectError {
  const [wire, message] = REFUSALS[code];
  return new ConnectError(`${code}: ${message}`, wire, { [CODE_HEADER]: code });
}

function invalid(field: string, expected: string): ConnectError {
  return new ConnectError(`enrolment.invalid: ${field} must be ${expected}`, Code.InvalidArgument, {
    [CODE_HEADER]: "enrolment.invalid",
  });
}

/** Facts are for people and bindings; an agent that sends nonsense is enrolled without them. */
function readFacts(text: string): Json {
  try {
    return JSON.parse(text === "" ? "{}" : text) as Json;
  } catch {
    return {};
  }
}
