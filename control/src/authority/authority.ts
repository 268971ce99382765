import { createPrivateKey, createPublicKey, hkdfSync } from "node:crypto";
import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Database } from "../store/database.ts";
import {
  type CertificateAuthority,
  certificateAuthority,
  makeAuthorityCertificate,
  makeAuthorityKey,
} from "./certificate-authority.ts";
import { type CommandSigner, commandSigner, makeCommandKey } from "./command-signer.ts";
import { readOrMakeSecret } from "./key-file.ts";
import { recordAuthority } from "./store/authority-record.ts";

/** The two keys that make a control plane the control plane of this house. */
export interface Authority {
  readonly certificates: CertificateAuthority;
  readonly commands: CommandSigner;
  /** A key of 256 bits for one purpose, the same in every instance of this house. */
  keyFor(purpose: string): Buffer;
}

/**
 * Opens the keys in `folder`, and makes them at the first start. Several instances of one house must be given copies of the same folder;
 * `checkAuthority` refuses one that brought its own.
 */
export async function openAuthority(folder: string, nowMs: number): Promise<Authority> {
  const authorityKey = createPrivateKey(
    await readOrMakeSecret(join(folder, "authority-key.pem"), async () => makeAuthorityKey()),
  );
  const certificate = await readOrMakeSecret(join(folder, "authority.pem"), () =>
    makeAuthorityCertificate(authorityKey, createPublicKey(authorityKey), nowMs),
  );
  const commandKey = createPrivateKey(
    await readOrMakeSecret(join(folder, "command-key.pem"), async () => makeCommandKey()),
  );
  const root = commandKey.export({ type: "pkcs8", format: "der" });
  return {
    certificates: await certificateAuthority(authorityKey, certificate),
    commands: commandSigner(commandKey),
    // Derived, so that instances that were given copies of the folder agree about it, also those that were set up before it was needed.
    keyFor: (purpose) => Buffer.from(hkdfSync("sha256", root, "holdfast", purpose, 32)),
  };
}

export interface AuthorityRefusal {
  readonly code: "authority.other_keys";
  readonly message: string;
}

/** Whether these are the keys that the agents of this database trust; the first instance's become so. Asked at every start. */
export async function checkAuthority(
  database: Database,
  authority: Authority,
): Promise<Result<null, AuthorityRefusal>> {
  const own = { ca_fingerprint: authority.certificates.fingerprint, command_key_id: authority.commands.keyId };
  const recorded = await recordAuthority(database, own);
  if (recorded.ca_fingerprint === own.ca_fingerprint && recorded.command_key_id === own.command_key_id) return ok(null);
  return err({
    code: "authority.other_keys",
    message: `this database belongs to the authority ${recorded.ca_fingerprint}, and this instance has ${own.ca_fingerprint}: copy the folder "authority" from the data directory of the first instance, then start again`,
  });
}
