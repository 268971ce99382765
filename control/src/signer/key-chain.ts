/**
 * How this house came to its command key: links that anybody may read, each signed by the key before it. They are kept beside the key, for
 * ever: whoever was away over several changes follows them all, and no old private key is needed for that.
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { commandKeyLinkText } from "@holdfast/proto/wire/command-key.ts";
import { z } from "zod";

const rawKey = z.string().regex(/^[0-9a-f]{64}$/);
export const KEY_LINK = z.object({ previous: rawKey, next: rawKey, signature: z.base64() });
export type KeyLink = z.infer<typeof KEY_LINK>;

const FILE = z.object({ links: z.array(KEY_LINK) });
const FILE_NAME = "command-keys.json";

export function keyIdOf(rawHex: string): string {
  return createHash("sha256").update(Buffer.from(rawHex, "hex")).digest("hex").slice(0, 16);
}

export function publicKeyOf(rawHex: string): KeyObject {
  const x = Buffer.from(rawHex, "hex").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

export function signLink(key: KeyObject, previous: string, next: string): KeyLink {
  const text = Buffer.from(commandKeyLinkText(previous, next), "ascii");
  return { previous, next, signature: sign(null, text, key).toString("base64") };
}

/** The ids of every key of the house, the oldest first, that of now last. Null: the links do not hold, or lead elsewhere. */
export function chainIds(links: readonly KeyLink[], nowHex: string): readonly string[] | null {
  for (const [at, { previous, next, signature }] of links.entries()) {
    const after = links[at + 1]?.previous ?? nowHex;
    const text = Buffer.from(commandKeyLinkText(previous, next), "ascii");
    if (next !== after || !verify(null, text, publicKeyOf(previous), Buffer.from(signature, "base64"))) return null;
  }
  return [...links.map(({ previous }) => previous), nowHex].map(keyIdOf);
}

export async function readChain(folder: string): Promise<readonly KeyLink[]> {
  const text = await readFile(join(folder, FILE_NAME), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return text === null ? [] : FILE.parse(JSON.parse(text)).links;
}

export async function writeChain(folder: string, links: readonly KeyLink[]): Promise<void> {
  const path = join(folder, FILE_NAME);
  const half = `${path}.half`;
  const file = await open(half, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ links }, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await renameDurably(half, path);
}

export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
