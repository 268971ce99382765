import type { Finding } from "@holdfast/core/base/finding.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { NO_RESTART } from "./apt-text.ts";
import { FOR_GOOD } from "./faillock-text.ts";
import { finding } from "./findings.ts";
import type { SystemConfig } from "./model.ts";

/** Settings that do harm which no probe sees at once, with what they do. `when` is the value that does it; absent: any. */
const HAZARDS: readonly { readonly key: RegExp; readonly when?: RegExp; readonly does: string }[] = [
  {
    key: /^vm\.overcommit_memory$/,
    when: /^2$/,
    does: "programs that reserve more memory than there is are refused it, at any later time",
  },
  {
    key: /^vm\.(panic_on_oom|min_free_kbytes|admin_reserve_kbytes)$/,
    does: "a server short of memory behaves otherwise, up to a halt",
  },
  {
    key: /^vm\.nr_hugepages$/,
    does: "the memory is taken from all programs at once, and the kernel may give less than was asked for",
  },
  {
    key: /^kernel\.(panic_on_oops|panic_on_warn|hung_task_panic|softlockup_panic)$/,
    when: /^[^0]/,
    does: "a fault of the kernel becomes a restart of the server",
  },
  { key: /^kernel\.(pid_max|threads-max)$/, does: "programs that need more processes fail, at any later time" },
  { key: /^kernel\./, does: "it changes how the kernel works for every program" },
  { key: /^fs\.(file-max|nr_open)$/, does: "programs that need more open files fail, at any later time" },
  {
    key: /^net\.ipv6\.conf\.(all|default)\.disable_ipv6$/,
    when: /^1$/,
    does: "all IPv6 addresses go away, and putting it back does not bring back those that were set by hand",
  },
  {
    key: /^net\.ipv6\.conf\.[^.]+\.(accept_ra|autoconf)$/,
    does: "an address or a route that routers announced may run out later",
  },
  {
    key: /^net\.ipv4\.conf\.[^.]+\.rp_filter$/,
    when: /^1$/,
    does: "packets are dropped where the way back is another interface, as with IPsec and several uplinks",
  },
  {
    key: /^net\.ipv4\.conf\.[^.]+\.(route_localnet|accept_source_route|accept_redirects)$/,
    when: /^1$/,
    does: "others can lead packets where they should not go",
  },
  { key: /^net\.ipv4\.tcp_(mem|rmem|wmem)$/, does: "connections may slow down or fail under load" },
  { key: /^net\.netfilter\.nf_conntrack_/, does: "new connections are dropped when the table is full" },
];

/** Names for one and the same setting of the kernel. */
const ALIASES: readonly (readonly [string, string])[] = [["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"]];

/** What clients have spoken for ten years and speak still (OpenSSH 6.5, PuTTY 0.68, libssh 0.7 and newer). */
const COMMON: Readonly<Record<"keyExchange" | "ciphers" | "macs", readonly string[]>> = {
  keyExchange: ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"],
  ciphers: ["aes256-ctr", "aes128-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"],
  macs: ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
};

/** Remarks about a config alone. */
export function validateSystem(config: SystemConfig): readonly Finding[] {
  return [
    ...sysctlFindings(config),
    ...sshFindings(config),
    ...unitFindings(config),
    ...userFindings(config),
    ...logFindings(config),
    ...updateFindings(config),
    ...passwordFindings(config),
  ];
}

function sysctlFindings(config: SystemConfig): readonly Finding[] {
  const settings = config.sysctl ?? {};
  const hazards = Object.entries(settings).flatMap(([key, value]) => {
    const hazard = HAZARDS.find((one) => one.key.test(key));
    if (hazard === undefined || (hazard.when !== undefined && !hazard.when.test(value))) return [];
    return [
      finding("system.sysctl_hazard", formatPath(["system", "sysctl", key]), `${key} = ${value}: ${hazard.does}.`),
    ];
  });
  const aliases = ALIASES.flatMap(([one, other]) => {
    const [a, b] = [settings[one], settings[other]];
    if (a === undefined || b === undefined || a === b) return [];
    return [
      finding(
        "system.sysctl_alias",
        formatPath(["system", "sysctl", other]),
        `${one} is ${a} and ${other} is ${b}, but both are one setting.`,
      ),
    ];
  });
  return [...hazards, ...aliases];
}

function sshFindings(config: SystemConfig): readonly Finding[] {
  const { ssh, banners } = config;
  const hidden =
    banners?.issueNet !== undefined && ssh?.banner !== true
      ? [
          finding(
            "system.banner_not_shown",
            "system.banners.issueNet",
            "sshd shows /etc/issue.net only where ssh.banner is true.",
          ),
        ]
      : [];
  if (ssh === undefined) return hidden;
  return [
    ...hidden,
    ...(["keyExchange", "ciphers", "macs"] as const).flatMap((list) => {
      const chosen = ssh[list];
      if (chosen === undefined || chosen.some((name) => COMMON[list].includes(name))) return [];
      return [
        finding(
          "system.ssh_few_clients",
          `system.ssh.${list}`,
          `Not one of these is spoken by every client of today; ${COMMON[list].join(" or ")} would be.`,
        ),
      ];
    }),
    ...(ssh.keys === false && ssh.passwords === false
      ? [finding("system.ssh_all_doors_closed", "system.ssh", "Neither keys nor passwords let anybody in.")]
      : []),
    ...(ssh.rootLogin === "any" && ssh.passwords !== false
      ? [
          finding(
            "system.ssh_root_passwords",
            "system.ssh.rootLogin",
            "root may log in with a password, which is tried by everybody all day.",
          ),
        ]
      : []),
  ];
}

function userFindings(config: SystemConfig): readonly Finding[] {
  return Object.entries(config.users ?? {}).flatMap(([name, user]) =>
    user.state === "present" && user.sudo === "free"
      ? [
          finding(
            "system.sudo_free",
            formatPath(["system", "users", name, "sudo"]),
            `Whoever holds a key of ${name} is root without being asked anything more.`,
          ),
        ]
      : [],
  );
}

function logFindings({ logs }: SystemConfig): readonly Finding[] {
  if (logs === undefined) return [];
  const clear = logs.to.filter(({ by }) => by !== "tls");
  const isUnvouched = clear.length < logs.to.length && logs.tls === undefined;
  return [
    ...(clear.length === 0
      ? []
      : [
          finding(
            "system.logs_in_clear",
            "system.logs",
            `Logs go over the network as they are to ${clear.map(({ host }) => host).join(", ")}, for everybody to read.`,
          ),
        ]),
    ...(isUnvouched
      ? [finding("system.logs_no_authority", "system.logs.tls", "Nobody vouches for the log servers by tls.")]
      : []),
  ];
}

function updateFindings({ updates }: SystemConfig): readonly Finding[] {
  const restarts = updates?.restart !== undefined && updates.restart !== NO_RESTART;
  return restarts && updates.install === "none"
    ? [
        finding(
          "system.updates_restart_idle",
          "system.updates.restart",
          "Nothing is installed by itself, so nothing restarts the server either.",
        ),
      ]
    : [];
}

function passwordFindings({ passwords }: SystemConfig): readonly Finding[] {
  const { age, lockout } = passwords ?? {};
  const { most, least = 0, warn = 0 } = age ?? {};
  const longer = most === undefined ? [] : Object.entries({ least, warn }).filter(([, days]) => days >= most);
  return [
    ...longer.map(([name, days]) =>
      finding(
        "system.passwords_age_order",
        `system.passwords.age.${name}`,
        `${name} is ${days} days, and a password lives ${most ?? 0}: it could never be changed in peace.`,
      ),
    ),
    ...(lockout?.for === FOR_GOOD
      ? [
          finding(
            "system.lockout_for_good",
            "system.passwords.lockout.for",
            "Whoever types wrong passwords for somebody else keeps that account locked until an administrator opens it, or the server restarts.",
          ),
        ]
      : []),
  ];
}

function unitFindings(config: SystemConfig): readonly Finding[] {
  return Object.entries(config.units ?? {}).flatMap(([name, unit]) => {
    if (unit.running === undefined || unit.enabled !== undefined) return [];
    const now = unit.running ? "runs" : "is stopped";
    return [
      finding(
        "system.unit_not_at_boot",
        formatPath(["system", "units", name]),
        `${name} ${now} from the change on; the policy does not say what the next boot does with it.`,
      ),
    ];
  });
}
