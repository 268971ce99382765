import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { CommandSchema, type SignedCommand, SignedCommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";

/** What stands before the command's bytes, so that the signature can never be taken for one over something else. */
const COMMAND_CONTEXT = Buffer.from("holdfast-command-v1\n", "ascii");

/** Refuses what is hours old and decides nothing else; long enough for clocks that are minutes apart. */
export const COMMAND_LIFE_MS = 3_600_000;

export interface CommandSigner {
  /** Raw Ed25519 public key, hex: what agents are given at enrolment. */
  readonly publicKeyHex: string;
  readonly keyId: string;
  sign(command: MessageInitShape<typeof CommandSchema>): SignedCommand;
}

/** A new command key, PKCS #8 in PEM. */
export function makeCommandKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

export function commandSigner(key: KeyObject): CommandSigner {
  const raw = rawPublicKey(createPublicKey(key));
  const keyId = createHash("sha256").update(raw).digest("hex").slice(0, 16);
  return {
    publicKeyHex: raw.toString("hex"),
    keyId,
    sign(command) {
      const bytes = toBinary(CommandSchema, create(CommandSchema, command));
      const signature = sign(null, Buffer.concat([COMMAND_CONTEXT, bytes]), key);
      return create(SignedCommandSchema, { command: bytes, signature, keyId });
    },
  };
}

function rawPublicKey(key: KeyObject): Buffer {
  const { x } = key.export({ format: "jwk" });
  if (x === undefined) throw new Error("the command key is not an Ed25519 key");
  return Buffer.from(x, "base64url");
}
