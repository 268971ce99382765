import { createPrivateKey, createPublicKey } from "node:crypto";
import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { CommandSigner } from "../signer/command-signer.ts";
import type { Database } from "../store/database.ts";
import {
  type CertificateAuthority,
  certificateAuthority,
  makeAuthorityCertificate,
  makeAuthorityKey,
} from "./certificate-authority.ts";
import { type HouseKeys, openHouseKeys } from "./house-keys.ts";
import { readOrMakeSecret } from "./key-file.ts";
import { recordAuthority } from "./store/authority-record.ts";

/** The keys that this process holds: its agents' certificates and what is derived for the house. */
export interface OwnKeys extends HouseKeys {
  readonly certificates: CertificateAuthority;
}

/** What makes a control plane the control plane of this house. The command key is not here: whoever wants a command signed asks the signer. */
export interface Authority extends OwnKeys {
  readonly commands: CommandSigner;
}

/**
 * Opens the keys in `folder`, and makes them at the first start. Several instances of one house must be given copies of the same folder;
 * `checkAuthority` refuses one that brought its own.
 */
export async function openOwnKeys(folder: string, nowMs: number): Promise<OwnKeys> {
  // First: an installation that goes on has them to derive, and a new one has no certificates yet.
  const house = await openHouseKeys(folder);
  const authorityKey = createPrivateKey(
    await readOrMakeSecret(join(folder, "authority-key.pem"), async () => makeAuthorityKey()),
  );
  const certificate = await readOrMakeSecret(join(folder, "authority.pem"), () =>
    makeAuthorityCertificate(authorityKey, createPublicKey(authorityKey), nowMs),
  );
  return { ...house, certificates: await certificateAuthority(authorityKey, certificate) };
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
    message: `this database belongs to the authority ${recorded.ca_fingerprint}, and the command key ${recorded.command_key_id}; this instance has ${own.ca_fingerprint} and ${own.command_key_id}: copy the folder "authority" and the signer's command-key.pem from the first instance, then start again`,
  });
}
