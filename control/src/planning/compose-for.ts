import { createHash } from "node:crypto";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { Digest } from "@holdfast/core/base/id.ts";
import { type ComposedServer, composeServer } from "@holdfast/core/compose/compose.ts";
import { effectiveText } from "@holdfast/core/compose/digest.ts";
import type { TrialSettings } from "@holdfast/core/compose/effective-config.ts";
import { stricterTrial } from "@holdfast/core/compose/floor.ts";
import { secretsOf } from "@holdfast/core/compose/tunnel-key.ts";
import { type SecretVersion, TUNNEL_AUTHORITY_SECRET } from "@holdfast/core/secret/secret-file.ts";
import type { House } from "../house.ts";
import { CompositionCache, compositionKey } from "./composition-cache.ts";
import { certificatesIn } from "./people-certificates.ts";
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

/** One memory for each set of languages: other languages compose other configs. */
const memories = new WeakMap<House["languages"], CompositionCache>();

/** Composes server after server with the same edits; what is the same for all of them is worked out once. */
export function composer(
  house: Pick<House, "languages" | "controlPlane">,
  world: World,
  edits: readonly Edit[],
): (server: WorldServer, trial?: Partial<TrialSettings>) => Composition {
  const inForce = newestInForce(world);
  const fleet = fleetAfter(world, edits);
  const observedAddresses = Object.fromEntries(world.servers.map((server) => [server.name, server.observedAddresses]));
  const observed = JSON.stringify(observedAddresses);
  const memory = memories.get(house.languages) ?? new CompositionCache();
  memories.set(house.languages, memory);
  return (server, trial) => {
    const selected = selectFor(world, server, edits, inForce, fleet);
    const input = {
      server: server.name,
      documents: selected.documents,
      domains: house.languages,
      controlPlane: house.controlPlane,
      observedAddresses,
      secrets: secretsNamed(selected.documents, world.secrets),
    };
    const key = compositionKey(input, observed);
    const known = memory.get(key);
    // A wish for the trial that says what the floor says anyway changes nothing.
    if (known !== undefined && !isOtherTrial(known.composed, trial)) return { server, selected, ...known };
    const composed = composeServer({ ...input, ...(trial === undefined ? {} : { trial }) });
    if (composed.config === null) return { server, selected, composed, config: null };
    const text = effectiveText(composed.config);
    const config = { text, digest: sha256(text) };
    if (!isOtherTrial(composed, undefined)) memory.put(key, { composed, config });
    return { server, selected, composed, config };
  };
}

/** Of which a certificate of a person says that it is issued. */
const AUTHORITIES = [TUNNEL_AUTHORITY_SECRET];

/** Only what these tunnels name: a new version of another secret makes no composition anew. */
function secretsNamed(documents: Selected["documents"], secrets: readonly SecretVersion[]): readonly SecretVersion[] {
  const names = new Set(
    documents.flatMap(({ document }) =>
      document.kind === "Tunnel"
        ? [
            ...secretsOf(document).map(({ name }) => name),
            ...(certificatesIn(document).length === 0 ? [] : AUTHORITIES),
          ]
        : [],
    ),
  );
  return secrets.filter(({ name }) => names.has(name));
}

/** Whether composing with this wish would give another trial, or another finding, than is there. */
function isOtherTrial({ config, floor }: ComposedServer, wish: Partial<TrialSettings> | undefined): boolean {
  const { trial, findings } = stricterTrial(floor.trial, wish ?? {});
  return findings.length > 0 || config === null || canonicalJson({ ...trial }) !== canonicalJson({ ...config.trial });
}

export function sha256(text: string): Digest {
  return createHash("sha256").update(text, "utf8").digest("hex") as Digest;
}
