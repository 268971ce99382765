import type { Finding } from "../base/finding.ts";
import type { Result } from "../base/result.ts";
import type { Requirement } from "../capability/requirement.ts";
import type { AddressSet } from "../net/address-set.ts";
import type { Service } from "../net/service.ts";
import type { ManagementPath } from "../plan/management-path.ts";
import type { Origin, ProvenanceEntry } from "./effective-config.ts";
import type { FloorSettings } from "./floor-settings.ts";
import type { KernelSetting } from "./kernel-setting.ts";
import type { Need } from "./need.ts";
import type { Use } from "./use.ts";

/** One policy's section of one domain, with where it stands. Parameters are already put in: no `$name` is left. */
export interface LayeredSection<Section> {
  readonly origin: Origin;
  readonly section: Section;
}

/** What a name in a document means for this server. Every failure is a located finding. */
export interface Lookup {
  /**
   * An address reference as written: a literal address, network or range, a defined name, a group, `role:`, `site:`, `server:`, `self`, `any`.
   * `zone:` belongs to the firewall and is not asked here.
   */
  addresses(reference: string, origin: Origin, path: string): Result<AddressSet, Finding>;
  /** A service as written: `tcp/443`, `udp/4000-4100`, `icmp/echo`, `esp`, `any`, or the name of a group. */
  services(reference: string, origin: Origin, path: string): Result<readonly Service[], Finding>;
}

export interface ComposeInput<Section> {
  readonly server: string;
  /** Fleet first, then site, role, server; inside one layer by document name. */
  readonly layers: readonly LayeredSection<Section>[];
  readonly floor: FloorSettings;
  readonly lookup: Lookup;
  /** Role name to what the Server document binds it to; a role without a binding is the kernel name itself. */
  readonly interfaces: Readonly<Record<string, InterfaceBinding>>;
  /** Where the agent of this server dials. What a composer closes outbound, it leaves open to these. */
  readonly controlPlane: ManagementPath["controlPlane"];
  /** Where the Server document says that it is reached, the management address first; as written. */
  readonly addresses: readonly string[];
  /** What the domains composed before this one ask of it. The firewall is composed last, so it hears all of them. */
  readonly needs: readonly Need[];
}

export type InterfaceBinding = { readonly mac: string } | { readonly name: string };

export interface Composed<Config> {
  /** Null when no layer has a section of this domain and the floor asks nothing of it. */
  readonly config: Config | null;
  readonly provenance: readonly ProvenanceEntry[];
  readonly findings: readonly Finding[];
  /** What this config needs the firewall of the same server to let through. */
  readonly needs: readonly Need[];
  /** Traffic without which this config does nothing, and which nothing is opened for; judged once all domains are composed. */
  readonly uses?: readonly Use[];
  /** What the server must be able to do, beside the domain itself. */
  readonly requires?: readonly Requirement[];
  /** What this config sets in the kernel, or cannot do without; held against what the others say once all domains are composed. */
  readonly kernel?: readonly KernelSetting[];
  /** What the server is called because of this config: its own addresses, as `10.1.0.5` or `10.1.0.5/24`, its host name. */
  readonly called?: readonly string[];
}
