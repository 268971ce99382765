import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Account } from "@holdfast/core/domain.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { type SlotChange, targetsOf } from "./diff.ts";
import type { SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import type { SystemConfig } from "./model.ts";
import { splitSlot } from "./slots.ts";
import { KEY_PATTERN } from "./ssh-key.ts";
import { whoEnters } from "./sshd-access.ts";
import { sshdEffective, sshWish } from "./sshd-text.ts";
import { runningSshd } from "./step.ts";
import { accountsWith } from "./users.ts";

/** Would this cut the way by which the server is mended, or shut out those who mend it? */
export function guardFindings(
  desired: SystemConfig | null,
  observed: SystemObserved,
  changes: readonly SlotChange[],
  path: ManagementPath,
): readonly Finding[] {
  const isTouched = changes.some(({ slot }) => ENTRANCES.includes(splitSlot(slot)[0]));
  return [
    ...(isTouched ? sshFindings(desired, observed, path) : []),
    ...changes.flatMap((change) => ipv6Findings(change, path)),
  ];
}

/** Slots that decide who gets in. */
const ENTRANCES: readonly string[] = ["ssh", "user", "shell", "members", "keys"];

/** Kernel settings on which packets of the management path may depend. */
const PATH_SETTINGS = /^net\.ipv[46]\.(conf\.|ip_forward$|icmp_echo_ignore_all$|ip_unprivileged_port_start$)/;

export function touchesManagementPath(changes: readonly SlotChange[]): boolean {
  return changes.some(({ slot }) => {
    const [kind, rest] = splitSlot(slot);
    return kind === "sudo" || ENTRANCES.includes(kind) || (kind === "sysctl" && PATH_SETTINGS.test(rest));
  });
}

function sshFindings(desired: SystemConfig | null, observed: SystemObserved, path: ManagementPath): readonly Finding[] {
  if (observed.sshd === null) return [];
  const ssh = desired === null ? undefined : sshWish(desired, observed);
  // What is put back to what was found is not known in sshd's own words; who enters is then judged by what holds now.
  const after = { ...observed.sshd, ...(ssh === undefined ? {} : sshdEffective(ssh)) };
  const next = accountsWith(observed, targetsOf(desired, observed), hasOurs(after));
  return [...portFindings(ssh ?? {}, observed, path), ...peopleFindings(observed.sshd, after, observed, next)];
}

function hasOurs(effective: Readonly<Record<string, readonly string[]>>): boolean {
  return (effective["authorizedkeysfile"] ?? []).join(" ").split(" ").includes(KEY_PATTERN);
}

function portFindings(
  ssh: NonNullable<SystemConfig["ssh"]>,
  observed: SystemObserved,
  path: ManagementPath,
): readonly Finding[] {
  if (ssh.port === undefined || runningSshd(observed) === null) return [];
  const [now, next] = [(observed.sshd?.["port"] ?? []).map(Number), ssh.port];
  const managed = new Set(path.inbound.flatMap(({ tcpPorts }) => tcpPorts));
  const lost = now.filter((port) => managed.has(port) && !next.includes(port));
  if (lost.length === 0) return [];
  const kept = next.filter((port) => managed.has(port));
  if (kept.length === 0)
    return [
      finding(
        "system.management_path_cut",
        "system.ssh.port",
        `sshd would leave port ${lost.join(", ")}, by which this server is managed, and listen on no port of its management path.`,
      ),
    ];
  return [
    finding(
      "system.management_ssh_changed",
      "system.ssh.port",
      `sshd would leave port ${lost.join(", ")} of the management path; port ${kept.join(", ")} stays.`,
    ),
  ];
}

function peopleFindings(
  before: Readonly<Record<string, readonly string[]>>,
  after: Readonly<Record<string, readonly string[]>>,
  observed: SystemObserved,
  accounts: readonly Account[],
): readonly Finding[] {
  const [now, next] = [whoEnters(before, accountsWith(observed, {}, hasOurs(before))), whoEnters(after, accounts)];
  if (next === null) {
    const message =
      "Keys of this server come from places that we do not look at, so nobody can say here who will be able to log in.";
    return [finding("system.ssh_nobody_seen", "system.ssh", message)];
  }
  if (next.length === 0) {
    const nobody = "Nobody could log in by ssh: no account that may enter has a key or a password that still counts";
    if (observed.foreignAccounts)
      return [finding("system.ssh_nobody_seen", "system.ssh", `${nobody}, unless one of the directory service has.`)];
    if (now !== null && now.length === 0) return [finding("system.ssh_nobody_now", "system.ssh", `${nobody}.`)];
    return [finding("system.ssh_nobody_enters", "system.ssh", `${nobody}.`)];
  }
  const lost = (now ?? []).filter((name) => !next.includes(name));
  if (lost.length === 0) return [];
  return [
    finding(
      "system.management_ssh_changed",
      "system.ssh",
      `${lost.join(", ")} can log in by ssh now and could not any more; ${next.join(", ")} still can.`,
    ),
  ];
}

function ipv6Findings(change: SlotChange, path: ManagementPath): readonly Finding[] {
  const found = /^sysctl:net\.ipv6\.conf\.(.+)\.disable_ipv6$/.exec(change.slot);
  if (found === null || change.to !== "1") return [];
  const usesIt =
    path.controlPlane.some(({ address }) => address.includes(":")) ||
    path.inbound.some(({ networks }) => networks.some((network) => network.includes(":")));
  if (!usesIt) return [];
  return [
    finding(
      "system.management_ipv6_off",
      `system.sysctl["${change.slot.slice("sysctl:".length)}"]`,
      `IPv6 would be off on ${found[1] ?? ""}, and the management path of this server has IPv6 addresses.`,
    ),
  ];
}
