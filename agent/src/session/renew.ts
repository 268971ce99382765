import { createClient } from "@connectrpc/connect";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { RenewalService } from "@holdfast/proto/gen/holdfast/v1/enrolment_pb.ts";
import { GRPC_ALPN, SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import { reasonOf } from "../log/log.ts";
import type { AgentPaths } from "../paths.ts";
import { clientOver } from "../rpc/http2-transport.ts";
import type { Identity } from "../settings.ts";
import { makeTlsKey, writeCredentials, type Credentials } from "./credentials.ts";
import { dial } from "./dial.ts";

/** Milliseconds for the one call. */
const RENEW_TIMEOUT_MS = 30_000;

/** True from half life on: the other half is left for a control plane that is away for days. */
export function isDueForRenewal(credentials: Pick<Credentials, "notBeforeMs" | "notAfterMs">, nowMs: number): boolean {
  return nowMs >= (credentials.notBeforeMs + credentials.notAfterMs) / 2;
}

/** Gets a certificate for a fresh key over a connection of its own, and keeps both. The old ones stay good until they expire. */
export async function renew(
  paths: AgentPaths,
  identity: Identity,
  credentials: Credentials,
): Promise<Result<null, string>> {
  const socket = await dial(identity.controlPlane, credentials, GRPC_ALPN);
  if (!socket.ok) return socket;
  const connection = clientOver(socket.value);
  try {
    const key = makeTlsKey();
    const client = createClient(RenewalService, connection.transport);
    const answer = await client.renew(
      { tlsPublicKey: key.publicDer, proof: key.prove(SIGNED_TEXT.renewal + identity.serverId) },
      { timeoutMs: RENEW_TIMEOUT_MS },
    );
    if (answer.serverId !== identity.serverId || answer.certificate === "")
      return err("the control plane answered for another server, or with no certificate");
    writeCredentials(paths, {
      keyPem: key.privatePem,
      certificatePem: answer.certificate,
      authorityPem: credentials.authorityPem,
    });
    return ok(null);
  } catch (error) {
    return err(reasonOf(error));
  } finally {
    connection.close();
  }
}
