import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { isUuid } from "@holdfast/core/base/id.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { EnrolmentService, type EnrollResponse } from "@holdfast/proto/gen/holdfast/v1/enrolment_pb.ts";
import { SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import { reasonOf } from "../log/log.ts";
import type { Clock } from "../os/clock.ts";
import { makeFolder, writeFileDurably } from "../os/files.ts";
import { accountNamed } from "../os/sockets.ts";
import { AGENT_ACCOUNT, type AgentPaths } from "../paths.ts";
import { clientOver } from "../rpc/http2-transport.ts";
import { makeTlsKey, readTlsKey, writeCredentials, type TlsKey } from "../session/credentials.ts";
import { facts } from "../session/host-service.ts";
import { writeIdentity } from "../settings.ts";
import { addressesOf } from "./control-address.ts";
import { writeLocalFloor } from "./local-floor.ts";
import { reachControlPlane } from "./reach-control-plane.ts";

export interface EnrolWish {
  readonly host: string;
  readonly port: number;
  readonly authorityFingerprint: string;
  readonly token: string;
  /** Who may always come in; becomes part of the server's own floor. */
  readonly managementNetworks: readonly string[];
  readonly sshPorts: readonly number[];
  /** Told while an operator has not approved yet. */
  readonly onPending: (fingerprint: string) => void;
}

/** Milliseconds between two questions whether an operator has approved. */
const ASK_AGAIN_MS = 3_000;
const CALL_TIMEOUT_MS = 30_000;

/**
 * Makes the key pairs here, gets a certificate for them, and writes down who commands this server. May be killed anywhere and run again with
 * the same token: the keys are kept until it is done, and the control plane knows them again.
 */
export async function enroll(
  paths: AgentPaths,
  clock: Clock,
  wish: EnrolWish,
): Promise<Result<{ serverId: string; serverName: string }, string>> {
  if (existsSync(paths.enrolment))
    return err(
      `this server is enrolled already (${paths.enrolment}). Remove it from its control plane first, then remove that file`,
    );
  const controlAddresses = await addressesOf(wish.host);
  if (!controlAddresses.ok) return controlAddresses;
  const account = accountNamed(AGENT_ACCOUNT) ?? undefined;
  makeFolder(paths.state, 0o755);
  makeFolder(paths.session, 0o700, account);
  const receiptKey = keptReceiptKey(paths);
  const tls = keptTlsKey(paths);
  const admitted = await untilApproved(clock, wish, tls, receiptKey);
  if (!admitted.ok) return admitted;
  const { answer, authorityPem } = admitted.value;
  if (!isUuid(answer.serverId) || answer.certificate === "" || answer.commandKeys.length === 0)
    return err("the control plane's answer is not complete");
  writeCredentials(paths, { keyPem: tls.privatePem, certificatePem: answer.certificate, authorityPem }, account);
  writeFloor(paths, {
    controlPlane: controlAddresses.value.map((address) => ({ address, port: wish.port })),
    inbound:
      wish.managementNetworks.length === 0 ? [] : [{ networks: wish.managementNetworks, tcpPorts: wish.sshPorts }],
  });
  // Last: with this file the server is enrolled.
  writeIdentity(paths, {
    serverId: answer.serverId,
    serverName: answer.serverName,
    controlPlane: { host: wish.host, port: wish.port },
    commandKeys: answer.commandKeys,
  });
  return ok({ serverId: answer.serverId, serverName: answer.serverName });
}

async function untilApproved(
  clock: Clock,
  wish: EnrolWish,
  tls: TlsKey,
  receiptPublicKey: Uint8Array,
): Promise<Result<{ answer: EnrollResponse; authorityPem: string }, string>> {
  for (let told = false; ; told = true) {
    const contact = await reachControlPlane(wish.host, wish.port, wish.authorityFingerprint);
    if (!contact.ok) return contact;
    const connection = clientOver(contact.value.socket);
    try {
      const answer = await createClient(EnrolmentService, connection.transport).enroll(
        {
          token: wish.token,
          tlsPublicKey: tls.publicDer,
          receiptPublicKey,
          proof: tls.prove(SIGNED_TEXT.enrolment + wish.token),
          bootId: clock.bootId(),
          hostname: hostname(),
          factsJson: canonicalJson(facts()),
        },
        { timeoutMs: CALL_TIMEOUT_MS },
      );
      if (!answer.approvalPending) return ok({ answer, authorityPem: contact.value.authorityPem });
      if (!told) wish.onPending(answer.fingerprint);
    } catch (error) {
      return err(reasonOf(error));
    } finally {
      connection.close();
    }
    await sleep(ASK_AGAIN_MS);
  }
}

/** The receipt key, root's alone; its public half as SubjectPublicKeyInfo. */
function keptReceiptKey(paths: AgentPaths): Uint8Array {
  if (!existsSync(paths.receiptKey)) {
    writeFileDurably(
      paths.receiptKey,
      generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
      0o600,
    );
  }
  return createPublicKey(createPrivateKey(readFileSync(paths.receiptKey))).export({ type: "spki", format: "der" });
}

/** The TLS key of this enrolment, the same one when it is run again. */
function keptTlsKey(paths: AgentPaths): TlsKey {
  const path = `${paths.state}/enrolling.key`;
  if (existsSync(path)) return readTlsKey(readFileSync(path, "utf8"));
  const key = makeTlsKey();
  writeFileDurably(path, key.privatePem, 0o600);
  return key;
}

/** An operator's own file is never written over. */
function writeFloor(paths: AgentPaths, floor: ManagementPath): void {
  if (!existsSync(paths.floor)) writeLocalFloor(paths, floor);
}
