import { createPrivateKey, createPublicKey } from "node:crypto";
import { join } from "node:path";
import { type CertificateAuthority, certificateAuthority, makeAuthorityCertificate, makeAuthorityKey } from "./certificate-authority.ts";
import { type CommandSigner, commandSigner, makeCommandKey } from "./command-signer.ts";
import { readOrMakeSecret } from "./key-file.ts";

/** The two keys that make a control plane the control plane of this house. */
export interface Authority {
  readonly certificates: CertificateAuthority;
  readonly commands: CommandSigner;
}

/**
 * Opens the keys in `folder`, and makes them at the first start. Several instances of one house must be given copies of the same folder;
 * `recordAuthority` refuses to start one that brought its own.
 */
export async function openAuthority(folder: string, nowMs: number): Promise<Authority> {
  const authorityKey = createPrivateKey(await readOrMakeSecret(join(folder, "authority-key.pem"), async () => makeAuthorityKey()));
  const certificate = await readOrMakeSecret(join(folder, "authority.pem"), () => makeAuthorityCertificate(authorityKey, createPublicKey(authorityKey), nowMs));
  const commandKey = createPrivateKey(await readOrMakeSecret(join(folder, "command-key.pem"), async () => makeCommandKey()));
  return { certificates: await certificateAuthority(authorityKey, certificate), commands: commandSigner(commandKey) };
}
