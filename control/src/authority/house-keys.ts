/**
 * Keys that every instance of this house derives for purposes of its own: sealing second factors, signing heads of the audit log.
 *   K1. They came from the command key once. It is not here any more, so what came from it is written down before it leaves: an installation
 *       that goes on keeps what it has sealed and signed.
 *   K2. A folder whose certificates are there and whose house keys are not is refused: new ones would open nothing.
 */
import { createPrivateKey, hkdfSync, randomBytes } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { COMMAND_KEY_FILE } from "../signer/command-key.ts";
import { readOrMakeSecret } from "./key-file.ts";

export interface HouseKeys {
  /** A key of 256 bits for one purpose, the same in every instance of this house. */
  keyFor(purpose: string): Buffer;
}

/** What was derived from the command key itself, before there was a signer. */
const FROM_COMMAND_KEY = ["audit-head-v1", "account-seal-v1"] as const;

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const FILE = z.object({ root: hex, kept: z.record(z.string(), hex) });
const FILE_NAME = "house-keys.json";

/** @throws Error when the keys of a house that has some are missing: a person must bring them. */
export async function openHouseKeys(folder: string): Promise<HouseKeys> {
  const path = join(folder, FILE_NAME);
  const text = await readOrMakeSecret(path, () => makeHouseKeys(folder));
  const { root, kept } = FILE.parse(JSON.parse(text));
  return {
    keyFor: (purpose) => Buffer.from(kept[purpose] ?? derive(Buffer.from(root, "hex"), purpose), "hex"),
  };
}

async function makeHouseKeys(folder: string): Promise<string> {
  const command = await readFile(join(folder, COMMAND_KEY_FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (command !== null) {
    const from = createPrivateKey(command).export({ type: "pkcs8", format: "der" });
    const kept = Object.fromEntries(FROM_COMMAND_KEY.map((purpose) => [purpose, derive(from, purpose)]));
    return JSON.stringify({ root: derive(from, "house-root-v1"), kept });
  }
  if (await isThere(join(folder, "authority.pem")))
    throw new Error(
      `${join(folder, FILE_NAME)} is missing beside the certificates of this house: copy it from another instance or a backup; for an installation from before there was a signer, put ${COMMAND_KEY_FILE} back into ${folder} and start once`,
    );
  return JSON.stringify({ root: randomBytes(32).toString("hex"), kept: {} });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function derive(root: Buffer, purpose: string): string {
  return Buffer.from(hkdfSync("sha256", root, "holdfast", purpose, 32)).toString("hex");
}
