import type { FactQuery, RawFacts } from "@holdfast/core/domain.ts";
import {
  type Foreign,
  foreignFacts,
  type ForeignFormat,
  type ForeignSource,
  readSources,
  toldForeign,
} from "@holdfast/core/foreign.ts";
import { SYSCTL_FILE } from "./facts.ts";
import { SSHD_DROP_IN } from "./sshd-text.ts";

/** What follows `Match` holds for some only, to the next one (sshd_config(5)). */
const SSHD: ForeignFormat = { begins: /^[ \t]*Match\b/gim, secret: null };
const LINES: ForeignFormat = { begins: null, secret: null };

/** Of sshd the first word counts, of the kernel's settings the last one. */
const SOURCES: readonly ForeignSource[] = [
  { path: "/etc/ssh/sshd_config.d", suffix: ".conf", format: SSHD, isOurs: (path) => path === SSHD_DROP_IN },
  { path: "/etc/ssh/sshd_config", format: SSHD },
  { path: "/etc/sysctl.d", suffix: ".conf", format: LINES, isOurs: (path) => path === SYSCTL_FILE },
  { path: "/etc/sysctl.conf", format: LINES },
];

export const foreignSystemFacts: readonly FactQuery[] = foreignFacts(SOURCES);

/** Files of others for sshd and for the kernel's settings. */
export function foreignSystem(raw: RawFacts): Foreign {
  return toldForeign(readSources(SOURCES, raw));
}
