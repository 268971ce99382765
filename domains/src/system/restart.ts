import type { Entry, FactQuery, RawFacts } from "@holdfast/core/domain.ts";

/**
 * Whether the server waits to be restarted. Debian and Ubuntu leave a flag where a package that was upgraded asks for it (update-notifier,
 * unattended-upgrades), with the names of such packages; and a link leads to the kernel that the next boot starts (linux-update-symlinks(1)).
 */
const FLAG = "/run/reboot-required";
const PACKAGES = "/run/reboot-required.pkgs";
/** Debian's link, and Ubuntu's. */
export const KERNEL_LINKS = ["/vmlinuz", "/boot/vmlinuz"] as const;
/** Where systemd says that the server is a container, whose kernel is its host's. */
const CONTAINER = "/run/systemd/container";

export const restartFacts: readonly FactQuery[] = [
  { kind: "file", name: FLAG, path: FLAG },
  { kind: "file", name: PACKAGES, path: PACKAGES },
  { kind: "file", name: CONTAINER, path: CONTAINER },
  { kind: "file", name: "kernel", path: "/proc/sys/kernel/osrelease" },
  ...KERNEL_LINKS.map((path): FactQuery => ({ kind: "entry", name: path, path })),
];

export type RestartReason =
  /** A package that was upgraded asks for it; without a name: somebody does. */
  | { readonly kind: "package"; readonly name: string }
  /** The next boot starts another kernel than the one that runs. */
  | { readonly kind: "kernel"; readonly runs: string; readonly next: string };

/** Why the server waits to be restarted; empty: nobody asks for it. */
export function restartReasons(raw: RawFacts, entryOf: (name: string) => Entry): readonly RestartReason[] {
  const lines = raw[PACKAGES]?.status === 0 ? raw[PACKAGES].stdout.split("\n").map((line) => line.trim()) : [];
  const names = [...new Set(lines.filter((line) => line !== ""))].toSorted();
  const asked = raw[FLAG]?.status === 0 ? (names.length === 0 ? [""] : names) : [];
  const reasons = asked.map((name): RestartReason => ({ kind: "package", name }));
  const runs = raw["kernel"]?.status === 0 ? raw["kernel"].stdout.trim() : "";
  if (runs === "" || raw[CONTAINER]?.status === 0) return reasons;
  const next = KERNEL_LINKS.flatMap((path) => {
    const entry = entryOf(path);
    const version = entry.type === "link" ? /(?:^|\/)vmlinuz-([^/]+)$/.exec(entry.target)?.[1] : undefined;
    return version === undefined ? [] : [version];
  })[0];
  return next === undefined || next === runs ? reasons : [...reasons, { kind: "kernel", runs, next }];
}
