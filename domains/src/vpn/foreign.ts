import type { FactQuery, RawFacts } from "@holdfast/core/domain.ts";
import { type Foreign, foreignBlocks, foreignFiles, type ForeignFormat, toldForeign } from "@holdfast/core/foreign.ts";
import { BOOT_FILE } from "./facts.ts";

const FOLDER = "/etc/swanctl/conf.d";
const MAIN = "/etc/swanctl/swanctl.conf";
const LEGACY = "/etc/ipsec.conf";

/** The keys stand in the same file, in a section of their own or in one line with others. */
const SWANCTL: ForeignFormat = { begins: /^[\w-]+[ \t]*\{/gm, secret: /secret|passw|\bpin\b|\bkey/i };
const STARTER: ForeignFormat = { begins: /^(?:conn|ca|config)\s/gm, secret: null };

export const foreignVpnFacts: readonly FactQuery[] = [
  { kind: "file", name: MAIN, path: MAIN },
  { kind: "folder", name: FOLDER, path: FOLDER, suffix: ".conf" },
  { kind: "file", name: LEGACY, path: LEGACY },
];

/** Files of others by which strongSwan has tunnels. What charon has loaded of them is in what is observed. */
export function foreignVpn(raw: RawFacts): Foreign {
  const alone = (path: string, format: ForeignFormat) => {
    const fact = raw[path];
    return fact?.status === 0 ? foreignBlocks(path, fact.stdout, format) : [];
  };
  const files = foreignFiles(raw[FOLDER])
    .map(([name, text]) => ({ path: `${FOLDER}/${name}`, text }))
    .filter(({ path }) => path !== BOOT_FILE);
  return toldForeign(
    [
      ...alone(MAIN, SWANCTL),
      ...files.flatMap(({ path, text }) => foreignBlocks(path, text, SWANCTL)),
      ...alone(LEGACY, STARTER),
    ],
    [],
  );
}
