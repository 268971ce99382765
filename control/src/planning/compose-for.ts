import { createHash } from "node:crypto";
import type { Digest } from "@holdfast/core/base/id.ts";
import { type ComposedServer, composeServer } from "@holdfast/core/compose/compose.ts";
import { effectiveText } from "@holdfast/core/compose/digest.ts";
import type { TrialSettings } from "@holdfast/core/compose/effective-config.ts";
import type { House } from "../house.ts";
import { fleetAfter, type Edit, newestInForce, type Selected, selectFor } from "./selection.ts";
import type { World, WorldServer } from "./world.ts";

/** What one server should have, with what it is made of. */
export interface Composition {
  readonly server: WorldServer;
  readonly selected: Selected;
  readonly composed: ComposedServer;
  /** Canonical text and digest of the config; null when composing found an error. */
  readonly config: { readonly text: string; readonly digest: Digest } | null;
}

/** Composes server after server with the same edits; what is the same for all of them is worked out once. */
export function composer(
  house: Pick<House, "languages" | "controlPlane">,
  world: World,
  edits: readonly Edit[],
): (server: WorldServer, trial?: Partial<TrialSettings>) => Composition {
  const inForce = newestInForce(world);
  const fleet = fleetAfter(world, edits);
  const observedAddresses = Object.fromEntries(world.servers.map((server) => [server.name, server.observedAddresses]));
  return (server, trial) => {
    const selected = selectFor(world, server, edits, inForce, fleet);
    const composed = composeServer({
      server: server.name,
      documents: selected.documents,
      domains: house.languages,
      controlPlane: house.controlPlane,
      observedAddresses,
      ...(trial === undefined ? {} : { trial }),
    });
    if (composed.config === null) return { server, selected, composed, config: null };
    const text = effectiveText(composed.config);
    return { server, selected, composed, config: { text, digest: sha256(text) } };
  };
}

export function sha256(text: string): Digest {
  return createHash("sha256").update(text, "utf8").digest("hex") as Digest;
}
