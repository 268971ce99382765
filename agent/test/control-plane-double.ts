import { execFileSync } from "node:child_process";
import { createHash, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import tls, { type TLSSocket } from "node:tls";
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Client } from "@connectrpc/connect";
import { CommandSchema, SignedCommandSchema, type SignedCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { EnrolmentService, RenewalService } from "@holdfast/proto/gen/holdfast/v1/enrolment_pb.ts";
import { HostService } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { AGENT_SESSION_ALPN, GRPC_ALPN, SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import { serveOver } from "../src/rpc/http2-service.ts";
import { clientOver, type ConnectionClient } from "../src/rpc/http2-transport.ts";

export const SERVER_ID = "01930000-0000-7000-8000-00000000abcd";

/** The other end of the wire, as small as it can be: an authority made by openssl, an agent port, a command key. */
export class ControlPlaneDouble {
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-control-"));
  readonly #command = generateKeyPairSync("ed25519");
  readonly sessions: ConnectionClient[] = [];
  readonly #sockets = new Set<TLSSocket>();
  #server: tls.Server | null = null;
  port = 0;
  /** How often Enroll is answered with "an operator must approve first". */
  pendingAnswers = 0;
  renewals = 0;
  receiptKey: KeyObject | null = null;

  constructor(role = "holdfast:role:control") {
    this.#openssl(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-days",
      "2",
      "-subj",
      "/CN=test authority",
      "-addext",
      "keyUsage=critical,keyCertSign",
    );
    const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(this.#path("server.key"), key.privateKey.export({ type: "pkcs8", format: "pem" }));
    writeFileSync(this.#path("server.pem"), this.#issue(key.publicKey, `URI:${role},IP:127.0.0.1`, "serverAuth", 2));
  }

  get fingerprint(): string {
    return createHash("sha256")
      .update(derOf(readFileSync(this.#path("ca.pem"), "utf8")))
      .digest("hex");
  }

  async listen(port = 0): Promise<void> {
    const server = tls.createServer({
      key: readFileSync(this.#path("server.key")),
      cert: readFileSync(this.#path("server.pem")),
      ca: readFileSync(this.#path("ca.pem")),
      minVersion: "TLSv1.3",
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: [AGENT_SESSION_ALPN, GRPC_ALPN],
    });
    server.on("tlsClientError", () => undefined);
    server.on("secureConnection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      if (socket.alpnProtocol === GRPC_ALPN) this.#serveCalls(socket);
      else if (socket.authorized) this.sessions.push(clientOver(socket));
      else socket.destroy();
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    this.port = (server.address() as AddressInfo).port;
  }

  /** Nobody listens any more and every connection is cut, as in a crash. */
  async crash(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => (this.#server === null ? resolve() : this.#server.close(() => resolve())));
    this.#server = null;
  }

  async close(): Promise<void> {
    await this.crash();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The n-th session that was ever opened. */
  async session(n: number): Promise<Client<typeof HostService>> {
    const giveUpAt = performance.now() + 15_000;
    for (;;) {
      const found = this.sessions[n];
      if (found !== undefined) return createClient(HostService, found.transport);
      if (performance.now() > giveUpAt)
        throw new Error(`there have been ${this.sessions.length} sessions, not ${n + 1}`);
      await sleep(10);
    }
  }

  command(
    requestId: string,
    fence: bigint,
    verb: NonNullable<Exclude<MessageInitShape<typeof CommandSchema>, { $typeName: string }>["verb"]>,
  ): SignedCommand {
    const command = toBinary(
      CommandSchema,
      create(CommandSchema, {
        serverId: SERVER_ID,
        requestId,
        fence,
        expiresAtMs: BigInt(Date.now() + 3_600_000),
        verb,
      }),
    );
    const signature = sign(null, Buffer.concat([Buffer.from(SIGNED_TEXT.command), command]), this.#command.privateKey);
    return create(SignedCommandSchema, {
      command,
      signature,
      keyId: createHash("sha256").update(this.#rawCommandKey()).digest("hex").slice(0, 16),
    });
  }

  #serveCalls(socket: TLSSocket): void {
    const answer = (spki: Uint8Array) => ({
      serverId: SERVER_ID,
      serverName: "web-1",
      certificate: this.#issue(
        createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }),
        `URI:holdfast:role:agent,URI:holdfast:server:${SERVER_ID}`,
        "clientAuth",
        2,
      ),
      caCertificate: readFileSync(this.#path("ca.pem"), "utf8"),
      commandKeys: [this.#rawCommandKey().toString("hex")],
    });
    const proven = (spki: Uint8Array, text: string, proof: Uint8Array): void => {
      const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
      if (!verify("sha256", Buffer.from(text), key, proof)) throw new Error("the proof of possession does not hold");
    };
    serveOver(socket, (router) => {
      router.service(EnrolmentService, {
        enroll: (request) => {
          proven(request.tlsPublicKey, SIGNED_TEXT.enrolment + request.token, request.proof);
          this.receiptKey = createPublicKey({
            key: Buffer.from(request.receiptPublicKey),
            format: "der",
            type: "spki",
          });
          if (this.pendingAnswers-- > 0) return { approvalPending: true, fingerprint: "ab cd" };
          return answer(request.tlsPublicKey);
        },
      });
      router.service(RenewalService, {
        renew: (request) => {
          if (!socket.authorized) throw new Error("a certificate is needed");
          proven(request.tlsPublicKey, SIGNED_TEXT.renewal + SERVER_ID, request.proof);
          this.renewals++;
          return answer(request.tlsPublicKey);
        },
      });
    });
  }

  #issue(publicKey: KeyObject, names: string, usage: string, days: number): string {
    writeFileSync(this.#path("public.pem"), publicKey.export({ type: "spki", format: "pem" }));
    writeFileSync(
      this.#path("extensions"),
      `subjectAltName=${names}\nextendedKeyUsage=${usage}\nbasicConstraints=critical,CA:FALSE\n`,
    );
    const days_ = String(days);
    this.#openssl(
      "x509",
      "-new",
      "-force_pubkey",
      "public.pem",
      "-subj",
      "/CN=test",
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-days",
      days_,
      "-extfile",
      "extensions",
      "-out",
      "issued.pem",
    );
    return readFileSync(this.#path("issued.pem"), "utf8");
  }

  #rawCommandKey(): Buffer {
    return Buffer.from(this.#command.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #openssl(...words: readonly string[]): void {
    execFileSync("openssl", words, { cwd: this.#folder, stdio: "pipe" });
  }
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}
