import { createPrivateKey, createPublicKey } from "node:crypto";
import { join } from "node:path";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { CommandSigner } from "../signer/command-signer.ts";
import { chainIds } from "../signer/key-chain.ts";
import { systemActor } from "../store/actor.ts";
import type { Database } from "../store/database.ts";
import type { StoreFailure } from "../store/store-failure.ts";
import { transaction } from "../store/transaction.ts";
import {
  type CertificateAuthority,
  certificateAuthority,
  makeAuthorityCertificate,
  makeAuthorityKey,
} from "./certificate-authority.ts";
import { type HouseKeys, openHouseKeys } from "./house-keys.ts";
import { readOrMakeSecret } from "./key-file.ts";
import { newestCommandKey, noteCommandKey, recordAuthority } from "./store/authority-record.ts";

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
  readonly code: "authority.other_keys" | "authority.older_key";
  readonly message: string;
}

/**
 * Whether these are the keys that the agents of this database trust; the first instance's become so. Asked at every start. Another command key
 * is theirs too when the links lead to it from the first one; that it was changed is written into the audit log by the first who brings it.
 */
export async function checkAuthority(
  database: Database,
  authority: Authority,
  instanceId: InstanceId,
): Promise<Result<null, AuthorityRefusal | StoreFailure>> {
  const { keyId, links, publicKeyHex } = authority.commands;
  const ids = chainIds(links, publicKeyHex) ?? [keyId];
  const fingerprint = authority.certificates.fingerprint;
  const recorded = await recordAuthority(database, { ca_fingerprint: fingerprint, command_key_id: keyId });
  if (recorded.ca_fingerprint !== fingerprint || !ids.includes(recorded.command_key_id))
    return err({
      code: "authority.other_keys",
      message: `this database belongs to the authority ${recorded.ca_fingerprint}, and the command key ${recorded.command_key_id}; this instance has ${fingerprint} and ${ids.join(", ")}: copy the folder "authority" and the signer's command-key.pem and command-keys.json from the first instance, then start again`,
    });
  const noted = await transaction(database, async (tx) => {
    const newest = (await newestCommandKey(tx)) ?? recorded.command_key_id;
    if (!ids.includes(newest)) return newest;
    if (newest !== keyId) noteCommandKey(tx, newest, keyId, systemActor("authority", instanceId));
    return null;
  });
  if (!noted.ok) return noted;
  if (noted.value === null) return ok(null);
  return err({
    code: "authority.older_key",
    message: `the command key of this house was changed to ${noted.value}; the signer of this instance has ${keyId}: copy command-key.pem and command-keys.json from the signer that has it, then start again`,
  });
}
