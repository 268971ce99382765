/** The key that every agent obeys. Only the signer's process opens its file. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { CommandSchema, type SignedCommand, SignedCommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { readOrMakeSecret } from "../authority/key-file.ts";

/** What stands before the command's bytes, so that the signature can never be taken for one over something else. */
const COMMAND_CONTEXT = Buffer.from("holdfast-command-v1\n", "ascii");

/** Refuses what is hours old and decides nothing else; long enough for clocks that are minutes apart. */
export const COMMAND_LIFE_MS = 3_600_000;

export const COMMAND_KEY_FILE = "command-key.pem";

export interface CommandKey {
  /** Raw Ed25519 public key, hex: what agents are given at enrolment. */
  readonly publicKeyHex: string;
  readonly keyId: string;
  sign(command: MessageInitShape<typeof CommandSchema>): SignedCommand;
}

/** Opens the key in `folder`, and makes it at the first start. */
export async function openCommandKey(folder: string): Promise<CommandKey> {
  return commandKey(
    createPrivateKey(await readOrMakeSecret(join(folder, COMMAND_KEY_FILE), async () => makeCommandKey())),
  );
}

/** A new command key, PKCS #8 in PEM. */
function makeCommandKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function commandKey(key: KeyObject): CommandKey {
  const raw = rawPublicKey(createPublicKey(key));
  const keyId = keyIdOf(raw);
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

/** Whether this key has signed these bytes as a command. */
export function isSignedCommand(publicKeyHex: string, command: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKeyHex, "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, Buffer.concat([COMMAND_CONTEXT, command]), key, signature);
}

function keyIdOf(raw: Buffer): string {
  return createHash("sha256").update(raw).digest("hex").slice(0, 16);
}

function rawPublicKey(key: KeyObject): Buffer {
  const { x } = key.export({ format: "jwk" });
  if (x === undefined) throw new Error("the command key is not an Ed25519 key");
  return Buffer.from(x, "base64url");
}
