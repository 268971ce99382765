import { randomBytes } from "node:crypto";
import { holdsEverywhere, holdsOn } from "@holdfast/core/access/grant.ts";
import { managedServers } from "@holdfast/core/compose/tunnel-ends.ts";
import { boundTo, secretOf } from "@holdfast/core/compose/tunnel-key.ts";
import type { TunnelDocument, ParsedDocument } from "@holdfast/core/policy/document.ts";
import { formatPskReference } from "@holdfast/core/policy/tunnel-text.ts";
import type { Caller } from "../api/caller.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { catalogue } from "../secrets/secret-store.ts";
import type { Transaction } from "../store/transaction.ts";
import { labelsOf, type World } from "./world.ts";

/** 256 bits: as strong as anything in a suite. */
const GENERATED_BYTES = 32;

/** A value that nobody has seen. */
export function newSecretValue(): string {
  return randomBytes(GENERATED_BYTES).toString("base64url");
}

export interface KeysMade {
  readonly made: number;
  /** Tunnels whose key is not there, and which the caller may not make one for. */
  readonly left: readonly string[];
}

/**
 * Makes the generated keys that these documents name and that are not there yet. A change has its keys from the moment in which it is written,
 * so that its plan shows the very ones that are applied; whoever may not edit both ends makes none, and whoever plans the change makes it then.
 * Versions are counted: one that jumps would leave no number for the next rotation.
 */
export async function makeKeys(
  house: Pick<House, "secrets">,
  tx: Transaction,
  caller: Caller,
  world: World,
  documents: readonly (ParsedDocument | null)[],
): Promise<KeysMade> {
  const tunnels = documents.filter(
    (document): document is TunnelDocument => document?.kind === "Tunnel" && document.body.psk.from === "generated",
  );
  if (tunnels.length === 0) return { made: 0, left: [] };
  const known = await catalogue(tx);
  const left: string[] = [];
  let made = 0;
  for (const tunnel of tunnels) {
    const wanted = secretOf(tunnel.name, tunnel.body.psk);
    if (wanted === null) continue;
    const versions = known.filter(({ name }) => name === wanted.name).map(({ version }) => version);
    if (versions.includes(wanted.version)) continue;
    const next = Math.max(0, ...versions) + 1;
    if (wanted.version !== next)
      refuse(
        "secret.not_next",
        `Tunnel/${tunnel.name} names version ${wanted.version} of its key; the next one is ${formatPskReference({ from: "generated", version: next })}.`,
      );
    if (!mayMakeKey(caller, world, tunnel)) {
      left.push(tunnel.name);
      continue;
    }
    const key = { ...wanted, value: newSecretValue(), boundTo: boundTo(tunnel), madeBy: caller.userId };
    await house.secrets.add(tx, key, caller.actor);
    made += 1;
  }
  return { made, left };
}

/** A key is both ends': who may not edit one of them would take its next version away. */
export function mayMakeKey(caller: Caller, world: World, tunnel: TunnelDocument): boolean {
  if (holdsEverywhere(caller.grants, "edit")) return true;
  return managedServers(tunnel).every((name) => {
    const server = world.servers.find((one) => one.name === name);
    return server !== undefined && holdsOn(caller.grants, "edit", { name, labels: labelsOf(world, server) }, ["vpn"]);
  });
}
