import type { FactQuery, RawFacts } from "@holdfast/core/domain.ts";
import {
  bothReadings,
  type Foreign,
  foreignBlocks,
  foreignFacts,
  type ForeignFormat,
  type ForeignReading,
  type ForeignSource,
  readSources,
  toldForeign,
  unreadableSource,
} from "@holdfast/core/foreign.ts";
import { FAMILY, TABLE, WATCH_TABLE } from "./names.ts";

const LISTING = "nft list ruleset";
const OURS = [TABLE, WATCH_TABLE];
const TABLES: ForeignFormat = { begins: /^table /gm, secret: null };
const SOURCES: readonly ForeignSource[] = [{ path: "/etc/nftables.conf", format: TABLES }];

/** Without counters, so that it is the same as long as nobody changes it. */
export const foreignFirewallFacts: readonly FactQuery[] = [
  { kind: "command", name: LISTING, argv: ["nft", "-s", "list", "ruleset"] },
  ...foreignFacts(SOURCES),
];

/** Tables of others as the kernel has them, and the file by which Debian loads some at boot. */
export function foreignFirewall(raw: RawFacts): Foreign {
  return toldForeign(bothReadings(liveTables(raw), readSources(SOURCES, raw)));
}

function liveTables(raw: RawFacts): ForeignReading {
  const listed = raw[LISTING];
  if (listed?.status !== 0) return { blocks: [], unreadable: [unreadableSource(LISTING, listed)] };
  const tables = foreignBlocks(LISTING, listed.stdout, TABLES);
  // The name of an owner may follow.
  const isOurs = (title: string): boolean => OURS.some((name) => title.startsWith(`table ${FAMILY} ${name} {`));
  return { blocks: tables.filter(({ title }) => !isOurs(title)), unreadable: [] };
}
