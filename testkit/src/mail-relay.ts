import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { certificateAuthority, makeAuthorityCertificate } from "@holdfast/control/authority/certificate-authority.ts";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** What a real server of SMTP lets one say. */
export type MailRelayOptions = SMTPServerOptions;

export interface Letter {
  readonly to: readonly string[];
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
  readonly text: string;
}

export interface MailRelay {
  readonly port: number;
  readonly authority: string;
  readonly letters: readonly Letter[];
}

/** A relay that listens on loopback under a certificate of its own authority, and keeps what it takes. */
export async function withMailRelay(
  password: string,
  options: SMTPServerOptions,
  body: (relay: MailRelay) => Promise<void>,
): Promise<void> {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const nowMs = Date.now();
  const authority = await makeAuthorityCertificate(pair.privateKey, createPublicKey(pair.privateKey), nowMs);
  const { certificatePem, keyPem } = await (
    await certificateAuthority(createPrivateKey(pair.privateKey.export({ type: "pkcs8", format: "pem" })), authority)
  ).issueForAgentPort({ names: ["localhost"], nowMs });
  const letters: Letter[] = [];
  const server = new SMTPServer({
    cert: certificatePem,
    key: keyPem,
    onAuth: (auth, _session, answer) =>
      auth.password === password
        ? answer(null, { user: auth.username })
        : answer(new Error(`${auth.password ?? ""} is not the password`)),
    onData: (stream, session, answer) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        letters.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          isEncrypted: session.secure,
          user: typeof session.user === "string" ? session.user : undefined,
          text: Buffer.concat(parts).toString("utf8"),
        });
        answer();
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  try {
    await body({ port: (server.server.address() as AddressInfo).port, authority, letters });
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
