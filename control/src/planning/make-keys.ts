import { randomBytes } from "node:crypto";
import { boundTo, secretOf } from "@holdfast/core/compose/tunnel-key.ts";
import type { TunnelDocument, ParsedDocument } from "@holdfast/core/policy/document.ts";
import type { Caller } from "../api/caller.ts";
import type { House } from "../house.ts";
import { catalogue } from "../secrets/secret-store.ts";
import type { Transaction } from "../store/transaction.ts";

/** 256 bits: as strong as anything in a suite. */
const GENERATED_BYTES = 32;

/** A value that nobody has seen. */
export function newSecretValue(): string {
  return randomBytes(GENERATED_BYTES).toString("base64url");
}

/**
 * Makes the generated keys that these documents name and that are not there yet. A change has its keys from the moment in which it is written,
 * so that its plan shows the very ones that are applied.
 */
export async function makeKeys(
  house: Pick<House, "secrets">,
  tx: Transaction,
  caller: Caller,
  documents: readonly (ParsedDocument | null)[],
): Promise<void> {
  const tunnels = documents.filter(
    (document): document is TunnelDocument => document?.kind === "Tunnel" && document.body.psk.from === "generated",
  );
  if (tunnels.length === 0) return;
  const known = await catalogue(tx);
  for (const tunnel of tunnels) {
    const wanted = secretOf(tunnel);
    if (wanted === null || known.some(({ name, version }) => name === wanted.name && version === wanted.version))
      continue;
    const key = { ...wanted, value: newSecretValue(), boundTo: boundTo(tunnel), madeBy: caller.userId };
    await house.secrets.add(tx, key, caller.actor);
  }
}
