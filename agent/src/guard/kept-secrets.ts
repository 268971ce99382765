import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import type { SealedSecret } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { sealedAbout } from "@holdfast/proto/wire/sealed-secret.ts";
import { makeFolder, namesIn, readTextIfThere, removeFileDurably, writeFileDurably } from "../os/files.ts";
import type { GuardContext } from "./context.ts";

/**
 * Secrets that came with a change: one file each, root's alone, for the module that gives it to a daemon. Nothing refers to a new one before the
 * change loads it, and the old one stays until the new one is confirmed: an undo needs it.
 */

export interface SecretTrouble {
  readonly code: "secret.missing" | "secret.unopenable";
  readonly message: string;
}

/** @throws the system's error when the disk refuses */
export function keepSecrets(
  context: Pick<GuardContext, "paths" | "identity" | "sealing">,
  requestId: string,
  files: readonly string[],
  sealed: readonly SealedSecret[],
): Result<null, SecretTrouble> {
  const folder = context.paths.secrets;
  for (const file of files) {
    const path = join(folder, file);
    const one = sealed.find((candidate) => candidate.file === file);
    if (one === undefined) {
      if (readTextIfThere(path) !== null) continue;
      const message = `The secret ${file} did not come with this change and is not on this server; the log of the control plane says why.`;
      return err({ code: "secret.missing", message });
    }
    const about = sealedAbout({ serverId: context.identity.serverId, requestId, file });
    const value = context.sealing.open(one.ephemeralKey, one.sealed, about);
    if (value === null) {
      const message = `The secret ${file} was not sealed for this server and this change. A new session tells the control plane the key of today.`;
      return err({ code: "secret.unopenable", message });
    }
    makeFolder(folder, 0o700);
    const text = `${value.toString("utf8")}\n`;
    if (readTextIfThere(path) !== text) writeFileDurably(path, text, 0o600);
  }
  return ok(null);
}

/** What is confirmed needs no other ones, and nothing goes back any more. */
export function forgetSecrets(folder: string, kept: readonly string[]): void {
  for (const name of namesIn(folder))
    if (parseSecretFile(name).ok && !kept.includes(name)) removeFileDurably(join(folder, name));
}
