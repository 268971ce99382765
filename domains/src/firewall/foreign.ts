import type { FactQuery, RawFacts } from "@holdfast/core/domain.ts";
import { type Foreign, type ForeignFormat, foreignBlocks, toldForeign } from "@holdfast/core/foreign.ts";
import { FAMILY, TABLE, WATCH_TABLE } from "./names.ts";

const LISTING = "nft list ruleset";
const BOOT_FILE = "/etc/nftables.conf";
const OURS = [TABLE, WATCH_TABLE];
const TABLES: ForeignFormat = { begins: /^table /gm, secret: null };

/** Without counters, so that it is the same as long as nobody changes it. */
export const foreignFirewallFacts: readonly FactQuery[] = [
  { kind: "command", name: "ruleset", argv: ["nft", "-s", "list", "ruleset"] },
  { kind: "file", name: "boot", path: BOOT_FILE },
];

/** Tables of others as the kernel has them, and the file by which Debian loads some at boot. */
export function foreignFirewall(raw: RawFacts): Foreign {
  const ruleset = raw["ruleset"];
  const isRead = ruleset?.status === 0;
  const live = foreignBlocks(LISTING, isRead ? ruleset.stdout : "", TABLES).filter(
    // The name of an owner may follow.
    ({ title }) => !OURS.some((name) => title.startsWith(`table ${FAMILY} ${name} {`)),
  );
  const boot = raw["boot"]?.status === 0 ? foreignBlocks(BOOT_FILE, raw["boot"].stdout, TABLES) : [];
  const why = ruleset?.stderr.trim().split("\n")[0] ?? "it was not asked";
  return toldForeign([...live, ...boot], isRead ? [] : [`${LISTING}: ${why}`]);
}
