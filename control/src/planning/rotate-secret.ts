import type { ChangeId } from "@holdfast/core/base/id.ts";
import { boundTo, namedKeys, type NamedKey } from "@holdfast/core/compose/tunnel-key.ts";
import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import { formatKeyReference, type KeyReference } from "@holdfast/core/policy/tunnel-text.ts";
import { tunnelOfSecret } from "@holdfast/core/secret/secret-file.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { catalogue } from "../secrets/secret-store.ts";
import { insertChange } from "../store/changes.ts";
import { listHeads } from "../store/documents.ts";
import { newId } from "../store/new-id.ts";
import { type Transaction, transaction } from "../store/transaction.ts";
import { readEdit } from "./change-items.ts";
import { issueCertificates } from "./issue-certificates.ts";
import { isMade, mayMakeKey, newSecretValue } from "./make-keys.ts";
import { assertEverywhere } from "./scope.ts";
import { loadWorld } from "./world.ts";

interface Head {
  readonly tunnel: TunnelDocument;
  readonly text: string;
  readonly revision: number;
  /** Where it names the secret, as what. */
  readonly keys: readonly NamedKey[];
}

/**
 * A new version of a secret, and a draft in which every tunnel that names the secret names it. No server hears of either: the draft is planned
 * and applied like any other, and until it is confirmed at both ends the old version is what they go back to.
 */
export async function rotateSecret(
  house: House,
  caller: Caller,
  name: string,
  wish: { readonly value?: string | undefined; readonly reason: string },
): Promise<ChangeId> {
  const id: ChangeId = newId();
  const made = await transaction(house.database, async (tx) => {
    const heads = await headsNaming(house, tx, name);
    const own = new Set([name, ...heads.flatMap(({ keys }) => keys.flatMap(({ secret }) => secret ?? []))]);
    const versions = (await catalogue(tx)).filter((one) => own.has(one.name));
    if (versions.length === 0 && heads.length === 0) notFound(`secret ${name}`);
    const [first] = heads;
    if (first === undefined) refuse("secret.unused", `No tunnel names ${name}.`);
    const named = heads.flatMap(({ keys }) => keys.map(({ key }) => versionOf(key)));
    // Counted by what is there; a document may name any number of a secret that nobody has written yet.
    const version = Math.max(0, ...(versions.length === 0 ? named : versions.map((one) => one.version))) + 1;
    const isGenerated = tunnelOfSecret(name) !== null;
    if (isGenerated && wish.value !== undefined)
      refuse(
        "secret.generated",
        `The key of the tunnel ${first.tunnel.name} is made by Holdfast, and shown to nobody.`,
      );
    // Certificates are issued, and the other end accepts the new one by what it was told once.
    const isByCertificate = isGenerated && first.tunnel.body.key.from === "certificate";
    const external = isByCertificate
      ? undefined
      : heads.find(({ tunnel }) => tunnel.body.ends.some((end) => end.kind !== "managed"));
    if (external !== undefined && wish.value === undefined)
      refuse("secret.value_needed", `The other end of ${external.tunnel.name} is not a server of Holdfast.`);
    const world = await loadWorld(tx, house.documents);
    if (!isGenerated) assertEverywhere(caller, "edit");
    else if (!mayMakeKey(caller, world, first.tunnel))
      refuse(
        "access.out_of_scope",
        `You do not have the permission edit for vpn on both ends of the tunnel ${first.tunnel.name}.`,
      );
    if (isByCertificate) await issueCertificates(house, tx, caller, first.tunnel, first.keys, version);
    else {
      const value = wish.value ?? newSecretValue();
      const bound = isGenerated ? boundTo(first.tunnel, null) : "";
      const added = await house.secrets.add(
        tx,
        { name, version, value, boundTo: bound, madeBy: caller.userId },
        caller.actor,
      );
      const same = versions.find((one) => one.fingerprint === added.fingerprint);
      if (same !== undefined) refuse("secret.same_value", `Version ${same.version} of ${name} is this very value.`);
    }
    const documents = heads.map((head) => ({ text: withVersion(head, version), baseRevision: head.revision }));
    const { items } = await readEdit(tx, house.documents, world, { documents, deletes: [] });
    const what = isByCertificate ? "the certificates" : "the key";
    const title = `Version ${version} of ${isGenerated ? `${what} of the tunnel ${first.tunnel.name}` : `the secret ${name}`}`;
    await insertChange(tx, { id, title, reason: wish.reason, authorId: caller.userId }, items, caller.actor);
  });
  if (!made.ok) throw made.error;
  return id;
}

async function headsNaming(house: House, tx: Transaction, name: string): Promise<readonly Head[]> {
  const own = tunnelOfSecret(name);
  return (await listHeads(tx, "Tunnel", false)).flatMap(({ text, revision }): readonly Head[] => {
    const tunnel = text === null ? undefined : house.documents.parse(text).documents[0];
    if (tunnel?.kind !== "Tunnel" || text === null) return [];
    const keys = namedKeys(tunnel).filter(({ key }) =>
      own === null ? key.from === "secret" && key.name === name : isMade(key) && tunnel.name === own,
    );
    return keys.length > 0 ? [{ tunnel, text, revision, keys }] : [];
  });
}

function versionOf(key: KeyReference): number {
  return key.from === "file" || key.from === "each" ? 0 : key.version;
}

function withVersion({ tunnel, text, keys }: Head, version: number): string {
  return keys.reduce((before, { key, path }) => {
    if (key.from === "file" || key.from === "each") return before;
    const value = formatKeyReference({ ...key, version });
    const edited = editDocument(before, { kind: "set", path, value });
    if (edited.ok) return edited.value;
    return refuse(
      "change.invalid",
      `Tunnel/${tunnel.name} cannot be edited: ${edited.error}. Write ${value} into its text.`,
    );
  }, text);
}
