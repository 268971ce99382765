import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { normalSysctlValue, parseSysctlText } from "./sysctl-key.ts";

/**
 * Settings whose values are known well enough to be checked before a kernel sees them. A key that is not here is taken as it is written; the
 * kernel then has the last word, and the change is undone where it refuses. Ranges are those of Documentation/admin-guide/sysctl and
 * Documentation/networking/ip-sysctl.rst of Linux.
 */
export type SysctlKind =
  /** A whole number in a range. */
  | { readonly kind: "number"; readonly least: number; readonly most: number }
  /** One of some words, each of which is a number to the kernel. */
  | { readonly kind: "words"; readonly words: Readonly<Record<string, number>> }
  /** So many numbers, none below the one before it. */
  | { readonly kind: "rising"; readonly count: number }
  /** The name of something that the kernel has, such as an algorithm. */
  | { readonly kind: "name" };

const SWITCH = { kind: "number", least: 0, most: 1 } as const;
const COUNT = { kind: "number", least: 0, most: 2 ** 31 - 1 } as const;
const FILTER = { kind: "words", words: { off: 0, strict: 1, loose: 2 } } as const;

const CATALOGUE: readonly { readonly key: RegExp; readonly kind: SysctlKind }[] = [
  { key: /^net\.ipv4\.conf\.[^.]+\.rp_filter$/, kind: FILTER },
  {
    key: /^net\.ipv4\.conf\.[^.]+\.(accept_redirects|secure_redirects|send_redirects|accept_source_route|forwarding|log_martians|proxy_arp|route_localnet|bc_forwarding)$/,
    kind: SWITCH,
  },
  {
    key: /^net\.ipv6\.conf\.[^.]+\.(accept_redirects|autoconf|disable_ipv6|forwarding|proxy_ndp)$/,
    kind: SWITCH,
  },
  { key: /^net\.ipv6\.conf\.[^.]+\.(accept_ra|use_tempaddr)$/, kind: { kind: "number", least: -1, most: 2 } },
  { key: /^net\.ipv4\.ip_forward$/, kind: SWITCH },
  { key: /^net\.ipv4\.ip_nonlocal_bind$|^net\.ipv6\.ip_nonlocal_bind$/, kind: SWITCH },
  { key: /^net\.ipv4\.tcp_(timestamps|tw_reuse|syncookies|ecn)$/, kind: { kind: "number", least: 0, most: 2 } },
  {
    key: /^net\.ipv4\.tcp_(sack|window_scaling|rfc1337|slow_start_after_idle|no_metrics_save|abort_on_overflow)$/,
    kind: SWITCH,
  },
  { key: /^net\.ipv4\.tcp_(rmem|wmem|mem)$|^net\.ipv4\.udp_mem$/, kind: { kind: "rising", count: 3 } },
  { key: /^net\.ipv4\.ip_local_port_range$/, kind: { kind: "rising", count: 2 } },
  { key: /^net\.ipv4\.ip_unprivileged_port_start$/, kind: { kind: "number", least: 0, most: 65_536 } },
  {
    key: /^net\.ipv4\.tcp_(max_syn_backlog|fin_timeout|keepalive_(time|intvl|probes)|max_tw_buckets|synack_retries|syn_retries)$/,
    kind: COUNT,
  },
  { key: /^net\.ipv4\.icmp_(echo_ignore_all|echo_ignore_broadcasts|ignore_bogus_error_responses)$/, kind: SWITCH },
  { key: /^net\.ipv4\.tcp_congestion_control$|^net\.core\.default_qdisc$/, kind: { kind: "name" } },
  { key: /^net\.core\.(somaxconn|netdev_max_backlog|[rw]mem_(default|max)|optmem_max)$/, kind: COUNT },
  { key: /^net\.netfilter\.nf_conntrack_max$/, kind: COUNT },
  { key: /^net\.bridge\.bridge-nf-call-(arp|ip|ip6)tables$/, kind: SWITCH },
  { key: /^vm\.swappiness$/, kind: { kind: "number", least: 0, most: 200 } },
  { key: /^vm\.overcommit_memory$/, kind: { kind: "number", least: 0, most: 2 } },
  { key: /^vm\.(dirty_ratio|dirty_background_ratio)$/, kind: { kind: "number", least: 0, most: 100 } },
  { key: /^fs\.(file-max|nr_open)$|^fs\.inotify\.max_user_(instances|watches)$/, kind: COUNT },
  { key: /^fs\.protected_(hardlinks|symlinks)$/, kind: SWITCH },
  { key: /^fs\.protected_(fifos|regular)$|^fs\.suid_dumpable$/, kind: { kind: "number", least: 0, most: 2 } },
  { key: /^kernel\.(kptr_restrict|randomize_va_space)$/, kind: { kind: "number", least: 0, most: 2 } },
  { key: /^kernel\.dmesg_restrict$/, kind: SWITCH },
  { key: /^kernel\.(pid_max|threads-max|panic)$/, kind: { kind: "number", least: -1, most: 2 ** 31 - 1 } },
];

export function sysctlKind(key: string): SysctlKind | null {
  return CATALOGUE.find((entry) => entry.key.test(key))?.kind ?? null;
}

/** What a policy says, as the kernel wants it. There is one way to write each value: where there are words, the word. */
export function sysctlValue(key: string, written: string | number): Result<string, string> {
  const text = parseSysctlText(String(written));
  if (!text.ok) return text;
  const known = sysctlKind(key);
  const shown = JSON.stringify(written);
  switch (known?.kind) {
    case undefined:
      return text;
    case "words": {
      const number = Object.hasOwn(known.words, written) ? known.words[written] : undefined;
      if (number !== undefined) return ok(String(number));
      return err(`${shown} is no value of ${key}; write ${Object.keys(known.words).join(", ")}`);
    }
    case "number": {
      const number = /^-?\d{1,12}$/.test(text.value) ? Number(text.value) : Number.NaN;
      if (number >= known.least && number <= known.most) return ok(String(number));
      return err(`${shown} is no value of ${key}; write a number from ${known.least} to ${known.most}`);
    }
    case "rising": {
      const numbers = text.value.split(" ").map((part) => (/^\d{1,12}$/.test(part) ? Number(part) : Number.NaN));
      const isRising = numbers.every((number, index) => number >= (numbers[index - 1] ?? 0));
      if (numbers.length === known.count && isRising) return ok(numbers.join(" "));
      return err(
        `${shown} is no value of ${key}; write ${known.count} numbers with spaces between, none below the one before it`,
      );
    }
    case "name":
      return /^[a-z0-9_]+$/.test(text.value)
        ? text
        : err(`${shown} is no value of ${key}; write a name like ${key.endsWith("qdisc") ? "fq" : "bbr"}`);
  }
}

/** A value of the kernel as a policy would write it. */
export function sysctlWords(key: string, value: string): string {
  const known = sysctlKind(key);
  if (known?.kind !== "words") return normalSysctlValue(value);
  const word = Object.entries(known.words).find(([, number]) => String(number) === value)?.[0];
  return word === undefined ? value : `${word} (${value})`;
}
