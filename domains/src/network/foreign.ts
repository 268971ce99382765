import type { FactQuery, RawFacts } from "@holdfast/core/domain.ts";
import {
  type Foreign,
  foreignFacts,
  type ForeignFormat,
  type ForeignSource,
  readSources,
  toldForeign,
} from "@holdfast/core/foreign.ts";
import { CONFIRMED_PREFIX, TRIAL_PREFIX } from "./own-file.ts";

/** Keys of WireGuard and MACsec, passwords of radio networks and of 802.1X: whatever looks like one. */
const SECRET = /key|psk|pass|secret|private/i;
const SECTIONS: ForeignFormat = { begins: /^\[/gm, secret: SECRET };
const STANZAS: ForeignFormat = { begins: /^(?:auto|allow-\S+|iface|mapping|source\S*)\s/gm, secret: SECRET };
const WHOLE: ForeignFormat = { begins: null, secret: SECRET };

const isOurs = (path: string): boolean => path.startsWith(TRIAL_PREFIX) || path.startsWith(CONFIRMED_PREFIX);

const SOURCES: readonly ForeignSource[] = [
  ...["/etc/systemd/network", "/run/systemd/network"].flatMap((path) =>
    [".netdev", ".network", ".link"].map((suffix) => ({ path, suffix, format: SECTIONS, isOurs })),
  ),
  { path: "/etc/netplan", suffix: ".yaml", format: WHOLE },
  { path: "/etc/network/interfaces.d", suffix: "", format: STANZAS },
  { path: "/etc/network/interfaces", format: STANZAS },
];

export const foreignNetworkFacts: readonly FactQuery[] = foreignFacts(SOURCES);

/** Files of others by which networkd, netplan and ifupdown set the network up. */
export function foreignNetwork(raw: RawFacts): Foreign {
  return toldForeign(readSources(SOURCES, raw));
}
