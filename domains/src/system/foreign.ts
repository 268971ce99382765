import type { FactQuery, RawFacts } from "@holdfast/core/domain.ts";
import { type Foreign, foreignBlocks, foreignFiles, type ForeignFormat, toldForeign } from "@holdfast/core/foreign.ts";
import { SYSCTL_FILE } from "./facts.ts";
import { SSHD_DROP_IN } from "./sshd-text.ts";

const SSHD_MAIN = "/etc/ssh/sshd_config";
const SSHD_FOLDER = "/etc/ssh/sshd_config.d";
const SYSCTL_MAIN = "/etc/sysctl.conf";
const SYSCTL_FOLDER = "/etc/sysctl.d";

/** What follows `Match` holds for some only, to the next one (sshd_config(5)). */
const SSHD: ForeignFormat = { begins: /^[ \t]*Match\b/gim, secret: null };
const LINES: ForeignFormat = { begins: /^(?!)/gm, secret: null };

export const foreignSystemFacts: readonly FactQuery[] = [
  { kind: "folder", name: SSHD_FOLDER, path: SSHD_FOLDER, suffix: ".conf" },
  { kind: "file", name: SSHD_MAIN, path: SSHD_MAIN },
  { kind: "folder", name: SYSCTL_FOLDER, path: SYSCTL_FOLDER, suffix: ".conf" },
  { kind: "file", name: SYSCTL_MAIN, path: SYSCTL_MAIN },
];

/** Files of others for sshd, of which the first word counts, and for the kernel's settings, of which the last one does. */
export function foreignSystem(raw: RawFacts): Foreign {
  const inFolder = (folder: string, format: ForeignFormat) =>
    foreignFiles(raw[folder])
      .map(([name, text]) => ({ path: `${folder}/${name}`, text }))
      .filter(({ path }) => path !== SSHD_DROP_IN && path !== SYSCTL_FILE)
      .flatMap(({ path, text }) => foreignBlocks(path, text, format));
  const alone = (path: string, format: ForeignFormat) => {
    const fact = raw[path];
    return fact?.status === 0 ? foreignBlocks(path, fact.stdout, format) : [];
  };
  return toldForeign(
    [
      ...inFolder(SSHD_FOLDER, SSHD),
      ...alone(SSHD_MAIN, SSHD),
      ...inFolder(SYSCTL_FOLDER, LINES),
      ...alone(SYSCTL_MAIN, LINES),
    ],
    [],
  );
}
