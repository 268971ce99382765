import type { Json } from "../base/canonical-json.ts";
import type { DomainName } from "../domain.ts";
import type { ManagementPath } from "../plan/management-path.ts";
import type { Probe } from "../plan/probe.ts";

/** Times of a trial in seconds. The floor owns them; a change may only make them stricter (shorter reconnect, longer soak). */
export interface TrialSettings {
  /** No new session of the agent in this time after the change: undo now. */
  readonly reconnectSeconds: number;
  /** Least time on trial when the management path is touched. */
  readonly soakSeconds: number;
  /** The whole window after the last step; then the server undoes by itself. */
  readonly windowSeconds: number;
  /** Who confirms: a machine, or a person where the management path is touched. */
  readonly confirm: "machine" | "person_when_management_path";
}

/** DESIGN defaults: reconnect 15 s, soak 15 s where the management path is touched, the whole window 120 s. */
export const DEFAULT_TRIAL: TrialSettings = {
  reconnectSeconds: 15,
  soakSeconds: 15,
  windowSeconds: 120,
  confirm: "machine",
};

/** Where an item came from. `path` points into that document. */
export interface Origin {
  readonly document: string; // Kind/name, or "Holdfast" for implied items
  readonly revision: number;
  readonly layer: "floor" | "fleet" | "site" | "role" | "server" | "implied";
  readonly path: string;
  readonly line?: number;
}

export interface ProvenanceEntry {
  /** Path into the effective config, for example `firewall.inbound.rules.web`. */
  readonly item: string;
  readonly from: Origin;
  /** What it won over, nearest first, with the losing value in words. */
  readonly beat: readonly { readonly origin: Origin; readonly value: string }[];
}

/**
 * What one server should have. `domains` holds only the domains that are ours; each value is that domain's own concrete config.
 * The digest is SHA-256 over canonicalJson of exactly this object; provenance travels beside it and is not part of the digest.
 */
export interface EffectiveConfig {
  readonly server: string;
  readonly domains: { readonly [Name in DomainName]?: Json };
  readonly probes: readonly Probe[];
  readonly trial: TrialSettings;
  readonly managementPath: ManagementPath;
  /** What the server does by itself when the floor is lost outside of a change; absent: it only tells. */
  readonly whenFloorLost?: "repair";
  /** Names of what the store of secrets must have brought to the server (secret/secret-file.ts); absent: nothing. */
  readonly secrets?: readonly string[];
}
