import type { Finding } from "@holdfast/core/base/finding.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { SlotChange } from "./diff.ts";
import type { SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import { isEntrance, peopleFindings } from "./guard-people.ts";
import type { SystemConfig } from "./model.ts";
import { splitSlot } from "./slots.ts";
import { runningSshd } from "./step.ts";

/** Would this cut the way by which the server is mended, or shut out those who mend it? */
export function guardFindings(
  desired: SystemConfig | null,
  observed: SystemObserved,
  changes: readonly SlotChange[],
  path: ManagementPath,
): readonly Finding[] {
  const isTouched = changes.some(({ slot }) => isEntrance(slot));
  return [
    ...(isTouched && observed.sshd !== null ? portFindings(desired?.ssh ?? {}, observed, path) : []),
    ...(isTouched ? peopleFindings(desired, observed, changes) : []),
    ...changes.flatMap((change) => ipv6Findings(change, path)),
  ];
}

/** Kernel settings on which packets of the management path may depend. */
const PATH_SETTINGS = /^net\.ipv[46]\.(conf\.|ip_forward$|icmp_echo_ignore_all$|ip_unprivileged_port_start$)/;

export function touchesManagementPath(changes: readonly SlotChange[]): boolean {
  return changes.some(({ slot }) => {
    const [kind, rest] = splitSlot(slot);
    return isEntrance(slot) || (kind === "sysctl" && PATH_SETTINGS.test(rest));
  });
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
