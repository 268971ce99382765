import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { EnrollResponseSchema, RenewRequest } from "@holdfast/proto/gen/holdfast/v1/enrolment_pb.ts";
import { SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import type { Authority } from "../authority/authority.ts";
import { addRenewedKey, certifyRenewedKey } from "../authority/store/agent-keys.ts";
import { agentActor } from "../store/actor.ts";
import type { Database } from "../store/database.ts";
import { transaction } from "../store/transaction.ts";
import type { AgentPeer } from "./listener.ts";
import { fingerprintOf, keySha256 } from "./peer.ts";
import { possesses, readPublicKey } from "./possession.ts";

export type RenewalHandler = (
  request: RenewRequest,
  peer: AgentPeer,
) => Promise<MessageInitShape<typeof EnrollResponseSchema>>;

/**
 * A certificate for a fresh key of the same server. The old key stays the active one until the new one has been seen on a connection:
 * an answer that was lost locks nobody out.
 */
export function renewal(options: {
  readonly database: Database;
  readonly authority: Authority;
  readonly instanceId: InstanceId;
  readonly nowMs: () => number;
}): RenewalHandler {
  const { database, authority } = options;
  return async (request, peer) => {
    const key = readPublicKey(request.tlsPublicKey);
    if (key === null || !possesses(key, SIGNED_TEXT.renewal, peer.serverId, request.proof)) {
      throw new ConnectError(
        "renewal.invalid: tls_public_key must be an Ed25519 or P-256 key, and proof its signature over the context and the server's id",
        Code.InvalidArgument,
      );
    }
    const sha256 = keySha256(request.tlsPublicKey);
    const added = await transaction(database, (tx) =>
      addRenewedKey(tx, {
        serverId: peer.serverId,
        byKeySha256: peer.keySha256,
        keySha256: sha256,
        tlsPublicKey: request.tlsPublicKey,
      }),
    );
    if (!added.ok) throw new ConnectError(`${added.error.code}: try again`, Code.Unavailable);
    if (!added.value)
      throw new ConnectError("renewal.key_known: this key was certified before: make a fresh one", Code.AlreadyExists);
    const issued = await authority.certificates.issueForAgent({
      serverId: peer.serverId,
      publicKey: request.tlsPublicKey,
      nowMs: options.nowMs(),
    });
    const recorded = await transaction(database, (tx) =>
      certifyRenewedKey(
        tx,
        sha256,
        issued.serial,
        new Date(issued.notAfterMs),
        agentActor(peer.serverId, "agent port", options.instanceId),
      ),
    );
    if (!recorded.ok) throw new ConnectError(`${recorded.error.code}: try again`, Code.Unavailable);
    return {
      serverId: peer.serverId,
      certificate: issued.certificatePem,
      caCertificate: authority.certificates.certificatePem,
      commandKeys: [authority.commands.publicKeyHex],
      fingerprint: fingerprintOf(sha256),
      expiresAtMs: BigInt(issued.notAfterMs),
    };
  };
}
