import { randomBytes } from "node:crypto";
import { holdsEverywhere, holdsOn } from "@holdfast/core/access/grant.ts";
import { managedServers } from "@holdfast/core/compose/tunnel-ends.ts";
import { boundTo, namedKeys } from "@holdfast/core/compose/tunnel-key.ts";
import type { TunnelDocument, ParsedDocument } from "@holdfast/core/policy/document.ts";
import { formatKeyReference, type KeyReference } from "@holdfast/core/policy/tunnel-text.ts";
import { isSecretOfEnd, tunnelOfSecret } from "@holdfast/core/secret/secret-file.ts";
import type { Caller } from "../api/caller.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { catalogue } from "../secrets/secret-store.ts";
import type { Transaction } from "../store/transaction.ts";
import { issueCertificates } from "./issue-certificates.ts";
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
 * Makes the generated keys and certificates that these documents name and that are not there yet. A change has its keys from the moment in which it is written,
 * so that its plan shows the very ones that are applied; whoever may not edit both ends makes none, and whoever plans the change makes it then.
 * Versions are counted: one that jumps would leave no number for the next rotation.
 */
export async function makeKeys(
  house: Pick<House, "secrets" | "nowMs">,
  tx: Transaction,
  caller: Caller,
  world: World,
  documents: readonly (ParsedDocument | null)[],
): Promise<KeysMade> {
  const tunnels = documents.filter(
    (document): document is TunnelDocument => document?.kind === "Tunnel" && isMade(document.body.key),
  );
  if (tunnels.length === 0) return { made: 0, left: [] };
  const known = await catalogue(tx);
  const left: string[] = [];
  let made = 0;
  for (const tunnel of tunnels) {
    const { key } = tunnel.body;
    if (!isMade(key)) continue;
    // Passwords of people are given by hand.
    const named = namedKeys(tunnel).filter((one) => one.person === null);
    const isThere = ({ secret }: (typeof named)[number]): boolean =>
      known.some(({ name, version }) => name === secret && version === key.version);
    const missing = named.filter((one) => !isThere(one));
    if (missing.length === 0) continue;
    const names = named.map(({ secret }) => secret);
    // An end that was given another name has no versions of its own: it gets the one that the other end has.
    const versions = known
      .filter(({ name }) => (key.from === "certificate" ? isOfEnd(name, tunnel.name) : names.includes(name)))
      .map(({ version }) => version);
    const next = Math.max(0, ...versions) + 1;
    if (key.version !== next && !versions.includes(key.version))
      refuse(
        "secret.not_next",
        `Tunnel/${tunnel.name} names version ${key.version} of its key; the next one is ${formatKeyReference({ from: key.from, version: next })}.`,
      );
    if (!mayMakeKey(caller, world, tunnel)) {
      left.push(tunnel.name);
      continue;
    }
    if (key.from === "certificate") await issueCertificates(house, tx, caller, tunnel, missing, key.version);
    else
      for (const { secret, server } of missing) {
        const name = secret ?? "";
        const bound = { version: key.version, boundTo: boundTo(tunnel, server), madeBy: caller.userId };
        await house.secrets.add(tx, { name, value: newSecretValue(), ...bound }, caller.actor);
      }
    made += missing.length;
  }
  return { made, left };
}

/** Of one end of this tunnel, not of the tunnel as a whole. */
function isOfEnd(secret: string, tunnel: string): boolean {
  return tunnelOfSecret(secret) === tunnel && isSecretOfEnd(secret);
}

type MadeKey = Extract<KeyReference, { readonly from: "generated" | "certificate" }>;

/** What Holdfast makes itself. */
export function isMade(key: KeyReference): key is MadeKey {
  return key.from === "generated" || key.from === "certificate";
}

/** A key is both ends': who may not edit one of them would take its next version away. */
export function mayMakeKey(caller: Caller, world: World, tunnel: TunnelDocument): boolean {
  if (holdsEverywhere(caller.grants, "edit")) return true;
  return managedServers(tunnel).every((name) => {
    const server = world.servers.find((one) => one.name === name);
    return server !== undefined && holdsOn(caller.grants, "edit", { name, labels: labelsOf(world, server) }, ["vpn"]);
  });
}
