import type { FactQuery, RawFacts } from "@holdfast/core/domain.ts";
import { type Foreign, foreignBlocks, foreignFiles, type ForeignFormat, toldForeign } from "@holdfast/core/foreign.ts";
import { CONFIRMED_PREFIX, TRIAL_PREFIX } from "./own-file.ts";

/** networkd takes the first file that fits, in the order of their names over all folders (systemd.network(5)). */
const FOLDERS = [
  { path: "/etc/systemd/network", suffixes: [".netdev", ".network", ".link"] },
  { path: "/run/systemd/network", suffixes: [".netdev", ".network", ".link"] },
  { path: "/etc/netplan", suffixes: [".yaml"] },
  { path: "/etc/network/interfaces.d", suffixes: [""] },
] as const;
const IFUPDOWN = "/etc/network/interfaces";

/** Keys of WireGuard and MACsec, passwords of radio networks and of 802.1X: whatever looks like one. */
const SECRET = /key|psk|pass|secret|private/i;
const SECTIONS: ForeignFormat = { begins: /^\[/gm, secret: SECRET };
const STANZAS: ForeignFormat = { begins: /^(?:auto|allow-\S+|iface|mapping|source\S*)\s/gm, secret: SECRET };
const WHOLE: ForeignFormat = { begins: /^(?!)/gm, secret: SECRET };
const FORMATS: Readonly<Record<(typeof FOLDERS)[number]["path"], ForeignFormat>> = {
  "/etc/systemd/network": SECTIONS,
  "/run/systemd/network": SECTIONS,
  "/etc/netplan": WHOLE,
  "/etc/network/interfaces.d": STANZAS,
};

export const foreignNetworkFacts: readonly FactQuery[] = [
  ...FOLDERS.flatMap(({ path, suffixes }) =>
    suffixes.map((suffix): FactQuery => ({ kind: "folder", name: `${path} ${suffix}`, path, suffix })),
  ),
  { kind: "file", name: "ifupdown", path: IFUPDOWN },
];

/** Files of others by which networkd, netplan and ifupdown set the network up. */
export function foreignNetwork(raw: RawFacts): Foreign {
  const files = FOLDERS.flatMap(({ path, suffixes }) =>
    suffixes.flatMap((suffix) =>
      foreignFiles(raw[`${path} ${suffix}`]).map(([name, text]) => ({ path: `${path}/${name}`, text, folder: path })),
    ),
  ).filter(({ path }) => !path.startsWith(TRIAL_PREFIX) && !path.startsWith(CONFIRMED_PREFIX));
  const interfaces = raw["ifupdown"];
  return toldForeign(
    [
      ...files.flatMap(({ path, text, folder }) => foreignBlocks(path, text, FORMATS[folder])),
      ...(interfaces?.status === 0 ? foreignBlocks(IFUPDOWN, interfaces.stdout, STANZAS) : []),
    ],
    [],
  );
}
