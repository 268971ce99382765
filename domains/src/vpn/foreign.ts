import type { FactQuery, RawFacts } from "@holdfast/core/domain.ts";
import {
  type Foreign,
  foreignFacts,
  type ForeignFormat,
  type ForeignSource,
  readSources,
  toldForeign,
} from "@holdfast/core/foreign.ts";
import { BOOT_FILE, BOOT_FOLDER } from "./facts.ts";

/** The keys stand in the same file, in a section of their own or in one line with others. */
const SWANCTL: ForeignFormat = { begins: /^[\w-]+[ \t]*\{/gm, secret: /secret|passw|\bpin\b|\bkey/i };
const STARTER: ForeignFormat = { begins: /^(?:conn|ca|config)\s/gm, secret: null };

const SOURCES: readonly ForeignSource[] = [
  { path: "/etc/swanctl/swanctl.conf", format: SWANCTL },
  { path: BOOT_FOLDER, suffix: ".conf", format: SWANCTL, isOurs: (path) => path === BOOT_FILE },
  { path: "/etc/ipsec.conf", format: STARTER },
];

export const foreignVpnFacts: readonly FactQuery[] = foreignFacts(SOURCES);

/** Files of others by which strongSwan has tunnels. What charon has loaded of them is in what is observed. */
export function foreignVpn(raw: RawFacts): Foreign {
  return toldForeign(readSources(SOURCES, raw));
}
