import type { Finding } from "@holdfast/core/base/finding.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { namesOnly } from "./certificate-names.ts";
import type { SlotChange } from "./diff.ts";
import { SYSCTL_FILE, type SystemObserved } from "./facts.ts";
import { FAILLOCK_FILE } from "./faillock-text.ts";
import { finding } from "./findings.ts";
import { foreignHosts } from "./hosts-block.ts";
import type { SystemConfig } from "./model.ts";
import { daemonFindings } from "./place-daemons.ts";
import { limitFindings } from "./place-limits.ts";
import { passwordFindings } from "./place-passwords.ts";
import { userFindings } from "./place-people.ts";
import { taskFindings } from "./place-tasks.ts";
import { proxyFindings, updateFindings } from "./place-updates.ts";
import { PROXY_FILE } from "./proxy-text.ts";
import { QUALITY_FILE } from "./quality-text.ts";
import { RESOLV_CONF } from "./resolv-conf.ts";
import { liveValue, slotsOf, splitSlot, splitUnit, whyNot } from "./slots.ts";
import { sshWish } from "./sshd-text.ts";
import { runningSshd } from "./step.ts";
import { setsKey } from "./sysctl-files.ts";
import { reaches } from "./sysctl-key.ts";
import { slotName } from "./words.ts";

/** What only the server itself says about a config: what it lacks, who else sets the same, whom it hurts. */
export function placeFindings(
  desired: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  return [
    ...unreadableFindings(desired, observed),
    ...sysctlFindings(desired, observed, changes),
    ...nameFindings(desired, observed, changes),
    ...sshFindings(desired, observed, changes),
    ...daemonFindings(desired, observed),
    ...updateFindings(desired, observed),
    ...proxyFindings(desired, observed),
    ...taskFindings(desired, observed, changes),
    ...limitFindings(desired, observed, changes),
    ...passwordFindings(desired, observed, changes),
    ...userFindings(desired, observed, changes),
    ...moduleFindings(desired, observed, changes),
    ...unitFindings(observed, changes),
  ];
}

function unreadableFindings(desired: SystemConfig, observed: SystemObserved): readonly Finding[] {
  return Object.keys(slotsOf(desired, observed)).flatMap((slot) => {
    if (liveValue(observed, slot) !== undefined) return [];
    return [
      finding(
        "system.not_ours_to_take",
        pathOf(slot),
        `${slotName(slot)} cannot become ours on this server: ${whyNot(observed, slot)}.`,
      ),
    ];
  });
}

function pathOf(slot: string): string {
  const [kind, rest] = splitSlot(slot);
  if (kind === "sysctl") return formatPath(["system", "sysctl", rest]);
  if (kind === "unit") return formatPath(["system", "units", splitUnit(rest)[0]]);
  if (["user", "comment", "shell", "members", "keys"].includes(kind)) return formatPath(["system", "users", rest]);
  if (kind === "task") return formatPath(["system", "tasks", rest]);
  if (kind === "authority") return formatPath(["system", "authorities", rest]);
  if (slot === `file:${PROXY_FILE}`) return "system.proxy";
  if (kind === "login") return "system.passwords.age";
  if (slot === `file:${QUALITY_FILE}`) return "system.passwords.quality";
  if (slot === `file:${FAILLOCK_FILE}`) return "system.passwords.lockout";
  if (kind === "group" || kind === "sudo") return "system.users";
  if (slot === `file:${RESOLV_CONF}`) return "system.resolver";
  return kind === "file" ? "system.banners" : `system.${kind}`;
}

/** Interfaces that one setting reaches, above which they are counted and not named. */
const MOST_NAMED = 3;

function sysctlFindings(
  desired: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const settings = Object.entries(desired.sysctl ?? {});
  const unknown = settings.flatMap(([key]) =>
    observed.sysctl[key] !== undefined || observed.booting
      ? []
      : [
          finding(
            "system.sysctl_unknown",
            formatPath(["system", "sysctl", key]),
            `The kernel of this server has no setting ${key}.`,
          ),
        ],
  );
  const others = settings.flatMap(([key, value]) => othersWho(key, value, observed));
  const changed = changes.flatMap(({ slot, to }) =>
    slot.startsWith("sysctl:") ? [{ key: slot.slice("sysctl:".length), to }] : [],
  );
  const reached = changed.flatMap(({ key, to }) => {
    const along = Object.keys(observed.sysctl).filter(
      (other) =>
        other !== key && desired.sysctl?.[other] === undefined && reaches(key, other) && observed.sysctl[other] !== to,
    );
    if (along.length === 0) return [];
    const names =
      along.length <= MOST_NAMED
        ? along.join(", ")
        : `${along.slice(0, MOST_NAMED).join(", ")} and ${along.length - MOST_NAMED} more`;
    return [
      finding(
        "system.sysctl_reaches",
        formatPath(["system", "sysctl", key]),
        `Setting ${key} may change ${names} as well.`,
      ),
    ];
  });
  const stops = changed.flatMap(({ key, to }) =>
    to === "0" && (key === "net.ipv4.ip_forward" || /^net\.ipv[46]\.conf\.all\.forwarding$/.test(key))
      ? [
          finding(
            "system.forwarding_stops",
            formatPath(["system", "sysctl", key]),
            "This server passes packets on now, and would not any more.",
          ),
        ]
      : [],
  );
  return [...unknown, ...others, ...reached, ...stops];
}

/** Every file that sets the same at boot: before ours it is of no effect, after ours it wins until Holdfast has started. */
function othersWho(key: string, value: string, observed: SystemObserved): readonly Finding[] {
  const ours = SYSCTL_FILE.slice(SYSCTL_FILE.lastIndexOf("/") + 1);
  return observed.sysctlLines
    .filter((line) => line.path !== SYSCTL_FILE && setsKey(line, key) && line.value !== value)
    .map((line) => {
      const where = `${line.path} line ${line.line} sets ${line.key} to ${line.value}`;
      const name = line.path.slice(line.path.lastIndexOf("/") + 1);
      const path = formatPath(["system", "sysctl", key]);
      return name > ours || line.path === "/etc/sysctl.conf"
        ? finding("system.sysctl_overridden", path, `${where}, and is read after our file.`)
        : finding("system.sysctl_set_elsewhere", path, `${where}; our file is read after it.`);
    });
}

/** Programs that are known to write the name of a server and its hosts file at boot. */
const NAME_MANAGERS = ["cloud-init.service", "cloud-init-local.service"] as const;

function nameFindings(
  desired: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const entry = observed.entries["/etc/hosts"];
  const lines = entry?.type === "file" ? foreignHosts(entry.text) : [];
  const shadowed = Object.entries(desired.hosts ?? {}).flatMap(([name, addresses]) =>
    lines
      .filter((line) => line.name === name && !addresses.includes(line.address))
      .map((line) =>
        finding(
          "system.hosts_shadowed",
          formatPath(["system", "hosts", name]),
          `/etc/hosts line ${line.line} has ${name} at ${line.address}.`,
        ),
      ),
  );
  const renamed = changes.find(({ slot, kind }) => slot === "hostname" && kind === "set");
  const isNew =
    typeof renamed?.to === "string" &&
    !lines.some(({ name }) => name === renamed.to) &&
    desired.hosts?.[renamed.to] === undefined;
  const old = lines.find(({ name }) => name === renamed?.from);
  const forgotten =
    isNew && old !== undefined
      ? [
          finding(
            "system.host_name_in_hosts",
            "system.hostname",
            `/etc/hosts line ${old.line} has the old name ${old.name}, and nothing there has the new one.`,
          ),
        ]
      : [];
  const isOurs = desired.hostname !== undefined || desired.hosts !== undefined;
  const manager = isOurs ? NAME_MANAGERS.find((unit) => observed.units?.[unit]?.file === "enabled") : undefined;
  const managed =
    manager === undefined
      ? []
      : [
          finding(
            "system.other_manager",
            desired.hostname === undefined ? "system.hosts" : "system.hostname",
            `${manager} starts at every boot of this server, and may set its name and /etc/hosts again.`,
          ),
        ];
  const zone = changes.some(({ slot }) => slot === "timezone")
    ? [
        finding(
          "system.timezone_in_daemons",
          "system.timezone",
          "Daemons that run already keep the zone they started with.",
        ),
      ]
    : [];
  return [...shadowed, ...forgotten, ...certificateFindings(observed, renamed), ...managed, ...zone];
}

/** Certificates that programs of this server have for the name that it loses. */
function certificateFindings({ certificates }: SystemObserved, renamed: SlotChange | undefined): readonly Finding[] {
  const { from: before, to: after } = renamed ?? {};
  if (typeof before !== "string" || typeof after !== "string") return [];
  return Object.entries(certificates)
    .filter(([, names]) => namesOnly(names, before, after))
    .map(([path, names]) =>
      finding(
        "system.host_name_in_certificates",
        "system.hostname",
        `The certificate ${path} is for ${names.join(", ")}, and not for the new name ${after}.`,
      ),
    );
}

/** Without one, or with one that does not take its own files, no setting of ssh does anything. */
export function missingSshd({ booting, sshd, sshdProblem }: SystemObserved): readonly Finding[] {
  if (booting || sshd !== null) return [];
  return [
    finding(
      "system.ssh_missing",
      "system.ssh",
      `sshd of this server does not say what it would do: ${sshdProblem ?? ""}.`,
    ),
  ];
}

function sshFindings(
  desired: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const ssh = sshWish(desired, observed);
  if (ssh === undefined || observed.booting) return [];
  if (observed.sshd === null) return missingSshd(observed);
  const socket = ["ssh.socket", "sshd.socket"].find((name) => observed.units?.[name]?.active === "active");
  if (socket !== undefined && ssh.port !== undefined)
    return [
      finding(
        "system.ssh_socket_ignores_port",
        "system.ssh.port",
        `${socket} listens on this server and starts sshd for each connection, so sshd's own port and addresses do nothing.`,
      ),
    ];
  const own = (observed.sshd["port"] ?? []).map(Number);
  const taken = (ssh.port ?? []).filter((port) => observed.listening.includes(port) && !own.includes(port));
  if (taken.length === 0 || runningSshd(observed) === null || !changes.some(({ slot }) => slot === "ssh")) return [];
  return [
    finding(
      "system.ssh_port_taken",
      "system.ssh.port",
      `Another program listens on port ${taken.join(", ")} of this server.`,
    ),
  ];
}

function unitFindings(observed: SystemObserved, changes: readonly SlotChange[]): readonly Finding[] {
  return changes.flatMap(({ slot, to }) => {
    const [kind, rest] = splitSlot(slot);
    if (kind !== "unit" || to !== false) return [];
    const [name] = splitUnit(rest);
    const needing = (observed.units?.[name]?.neededBy ?? []).filter((unit) => {
      const state = observed.units?.[unit]?.active;
      return state === undefined || state === "active";
    });
    if (needing.length === 0) return [];
    return [
      finding(
        "system.unit_needed",
        formatPath(["system", "units", name]),
        `${name} is needed by ${needing.join(", ")}, which goes down with it.`,
      ),
    ];
  });
}

function moduleFindings(
  desired: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const loads = changes.some(({ slot, to }) => slot === "modules:load" && to !== null);
  const isNew = (desired.modules?.load ?? []).some((name) => !observed.modules.includes(name));
  return loads && isNew
    ? [
        finding(
          "system.modules_stay",
          "system.modules.load",
          "An undo takes the lines away; what the kernel has loaded stays loaded until the next boot.",
        ),
      ]
    : [];
}
