import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import tls from "node:tls";
import { createClient } from "@connectrpc/connect";
import { clientOver } from "@holdfast/agent/rpc/http2-transport.ts";
import { EnrolmentService, type EnrollResponse, RenewalService } from "@holdfast/proto/gen/holdfast/v1/enrolment_pb.ts";
import { GRPC_ALPN, SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import type { AgentIdentity } from "./agent.ts";

export interface EnrolmentTry {
  readonly port: number;
  readonly caCertificate: string;
  readonly token: string;
  readonly tlsKey?: KeyObject;
  readonly receiptKey?: KeyObject;
}

/** Asks for a certificate as an agent does at enrolment. */
export async function enrol(
  options: EnrolmentTry,
): Promise<{ readonly answer: EnrollResponse; readonly tlsKey: KeyObject; readonly receiptKey: KeyObject }> {
  const tlsKey = options.tlsKey ?? generateKeyPairSync("ed25519").privateKey;
  const receiptKey = options.receiptKey ?? generateKeyPairSync("ed25519").privateKey;
  const answer = await withCalls({ port: options.port, caCertificate: options.caCertificate }, (transport) =>
    createClient(EnrolmentService, transport).enroll({
      token: options.token,
      tlsPublicKey: spkiOf(tlsKey),
      receiptPublicKey: spkiOf(receiptKey),
      proof: sign(null, Buffer.from(SIGNED_TEXT.enrolment + options.token), tlsKey),
      bootId: randomUUID(),
      hostname: "simulated",
      factsJson: "{}",
    }),
  );
  return { answer, tlsKey, receiptKey };
}

/** Renews as an agent does at half life. */
export async function renew(port: number, identity: AgentIdentity, tlsKey: KeyObject): Promise<EnrollResponse> {
  return withCalls({ port, caCertificate: identity.caCertificate, identity }, (transport) =>
    createClient(RenewalService, transport).renew({
      tlsPublicKey: spkiOf(tlsKey),
      proof: sign(null, Buffer.from(SIGNED_TEXT.renewal + identity.serverId), tlsKey),
    }),
  );
}

/** Ordinary gRPC on the agent port, with or without a certificate. */
export async function withCalls<T>(
  to: { readonly port: number; readonly caCertificate: string; readonly identity?: AgentIdentity },
  body: (transport: ReturnType<typeof clientOver>["transport"]) => Promise<T>,
): Promise<T> {
  const socket = tls.connect({
    host: "127.0.0.1",
    port: to.port,
    ca: to.caCertificate,
    ALPNProtocols: [GRPC_ALPN],
    ...(to.identity === undefined
      ? {}
      : { cert: to.identity.certificate, key: to.identity.tlsKey.export({ type: "pkcs8", format: "pem" }) }),
  });
  socket.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", () => resolve());
    socket.once("error", reject);
  });
  const connection = clientOver(socket);
  try {
    return await body(connection.transport);
  } finally {
    connection.close();
    socket.destroy();
  }
}

function spkiOf(key: KeyObject): Buffer {
  const { x } = key.export({ format: "jwk" });
  // Ed25519 SubjectPublicKeyInfo: a fixed prefix and the raw key (RFC 8410).
  return Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(x ?? "", "base64url")]);
}
