/**
 * The key that every agent obeys. Only the signer's process opens its file.
 *   K1. Another one comes in three steps, each on the disk before the next: it is made beside the old one, the old one signs the link to it, it
 *       takes the old one's place. Killed before the link nothing has happened; after it, whoever opens the key next ends the change.
 *   K2. There is one private key at any time that agents are led to; the old one is gone with the third step.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { CommandSchema, type SignedCommand, SignedCommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { readOrMakeSecret } from "../authority/key-file.ts";
import {
  chainIds,
  type KeyLink,
  keyIdOf,
  publicKeyOf,
  readChain,
  renameDurably,
  signLink,
  writeChain,
} from "./key-chain.ts";

/** What stands before the command's bytes, so that the signature can never be taken for one over something else. */
const COMMAND_CONTEXT = Buffer.from("holdfast-command-v1\n", "ascii");

/** Refuses what is hours old and decides nothing else; long enough for clocks that are minutes apart. */
export const COMMAND_LIFE_MS = 3_600_000;

export const COMMAND_KEY_FILE = "command-key.pem";
const NEXT_KEY_FILE = "command-key.next.pem";

export interface CommandKey {
  /** Raw Ed25519 public key, hex: what agents are given at enrolment. */
  readonly publicKeyHex: string;
  readonly keyId: string;
  /** How the house came to it, the oldest link first. */
  readonly links: readonly KeyLink[];
  sign(command: MessageInitShape<typeof CommandSchema>): SignedCommand;
  linkTo(nextPublicKeyHex: string): KeyLink;
}

/** Opens the key in `folder`, and makes it at the first start. @throws Error when its chain does not lead to it: a person must bring both. */
export async function openCommandKey(folder: string): Promise<CommandKey> {
  const links = await readChain(folder);
  const path = join(folder, COMMAND_KEY_FILE);
  const next = await nextKey(folder);
  if (next !== null && links.at(-1)?.next === next) await renameDurably(join(folder, NEXT_KEY_FILE), path);
  const key = commandKey(createPrivateKey(await readOrMakeSecret(path, async () => makeCommandKey())), links);
  if (chainIds(links, key.publicKeyHex) === null)
    throw new Error(
      `the links in ${folder} do not lead to its ${COMMAND_KEY_FILE}: take both from the same backup, or from another signer of this house`,
    );
  return key;
}

/** Once no signer serves this folder. Run again after it was killed, it ends what it had begun. */
export async function changeCommandKey(folder: string): Promise<{ readonly from: string; readonly to: string }> {
  const old = await openCommandKey(folder);
  await readOrMakeSecret(join(folder, NEXT_KEY_FILE), async () => makeCommandKey());
  const next = await nextKey(folder);
  if (next === null) throw new Error(`${NEXT_KEY_FILE} is gone right after it was written`);
  await writeChain(folder, [...old.links, old.linkTo(next)]);
  const { keyId } = await openCommandKey(folder);
  return { from: old.keyId, to: keyId };
}

/** The public half of a key that waits to take the place of the one that is in force. */
async function nextKey(folder: string): Promise<string | null> {
  const text = await readFile(join(folder, NEXT_KEY_FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return text === null ? null : rawPublicKey(createPublicKey(createPrivateKey(text)));
}

/** A new command key, PKCS #8 in PEM. */
function makeCommandKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function commandKey(key: KeyObject, links: readonly KeyLink[]): CommandKey {
  const publicKeyHex = rawPublicKey(createPublicKey(key));
  const keyId = keyIdOf(publicKeyHex);
  return {
    publicKeyHex,
    keyId,
    links,
    sign(command) {
      const bytes = toBinary(CommandSchema, create(CommandSchema, command));
      const signature = sign(null, Buffer.concat([COMMAND_CONTEXT, bytes]), key);
      return create(SignedCommandSchema, { command: bytes, signature, keyId });
    },
    linkTo: (next) => signLink(key, publicKeyHex, next),
  };
}

/** Whether this key has signed these bytes as a command. */
export function isSignedCommand(publicKeyHex: string, command: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, Buffer.concat([COMMAND_CONTEXT, command]), publicKeyOf(publicKeyHex), signature);
}

function rawPublicKey(key: KeyObject): string {
  const { x } = key.export({ format: "jwk" });
  if (x === undefined) throw new Error("the command key is not an Ed25519 key");
  return Buffer.from(x, "base64url").toString("hex");
}
