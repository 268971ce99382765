import { createHash, createPublicKey, verify } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { isUuid } from "@holdfast/core/base/id.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { CommandSchema, type Command, type SignedCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import type { Refusal } from "../rpc/refusal.ts";
import type { Identity } from "../settings.ts";

/** A command that the control plane has signed, for this server, not hours ago. Nothing of it is read before the signature holds. */
export function verifyCommand(
  signed: SignedCommand | undefined,
  identity: Identity,
  nowMs: number,
): Result<Command, Refusal> {
  if (signed === undefined) return err({ code: "command.unreadable", message: "the command is missing" });
  const key = identity.commandKeys.find((raw) => keyId(raw) === signed.keyId);
  if (key === undefined)
    return err({
      code: "command.signature",
      message: `the key ${JSON.stringify(signed.keyId.slice(0, 16))} is not one that this server was given at enrolment`,
    });
  const text = Buffer.concat([Buffer.from(SIGNED_TEXT.command, "ascii"), signed.command]);
  if (!verify(null, text, publicKey(key), signed.signature))
    return err({ code: "command.signature", message: "the signature does not hold" });
  const command = decode(signed.command);
  if (command === null) return err({ code: "command.unreadable", message: "the signed bytes are no Command" });
  if (command.serverId !== identity.serverId)
    return err({
      code: "command.wrong_server",
      message: `the command is for ${command.serverId}; this is ${identity.serverId}`,
    });
  if (!isUuid(command.requestId)) return err({ code: "command.unreadable", message: "request_id is no UUID" });
  if (command.fence <= 0n || command.fence > BigInt(Number.MAX_SAFE_INTEGER))
    return err({ code: "command.unreadable", message: "the fence is out of range" });
  if (command.verb.case === undefined) return err({ code: "command.wrong_verb", message: "the command has no verb" });
  if (command.expiresAtMs <= BigInt(nowMs))
    return err({
      code: "command.expired",
      message: "the command has expired; if it was just sent, the clocks of server and control plane are hours apart",
    });
  return ok(command);
}

export function keyId(rawPublicKeyHex: string): string {
  return createHash("sha256").update(Buffer.from(rawPublicKeyHex, "hex")).digest("hex").slice(0, 16);
}

export function publicKey(rawHex: string) {
  return createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(rawHex, "hex").toString("base64url") },
    format: "jwk",
  });
}

function decode(bytes: Uint8Array): Command | null {
  try {
    return fromBinary(CommandSchema, bytes);
  } catch {
    return null;
  }
}
