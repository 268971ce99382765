import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/**
 * Names and values of kernel settings, as text. A key is written with dots; where a name holds a dot itself (an interface eth0.100), the dot
 * is a slash: `net.ipv4.conf.eth0/100.rp_filter`, as sysctl(8) has it.
 */

const TOPS = ["fs", "kernel", "net", "user", "vm"] as const;
/** Characters; the deepest key of a stock kernel has about 60. */
const LONGEST_KEY = 120;
/** Bytes that the kernel takes in one write are more, but no setting needs them. */
const LONGEST_VALUE = 1000;

/**
 * What no policy may set, each with its reason: settings that run programs, that cannot be undone before the next boot, that are acts and
 * not settings, or that belong to another part of a policy.
 */
const REFUSED: readonly { readonly key: RegExp; readonly why: string }[] = [
  {
    key: /^kernel\.(core_pattern|modprobe|hotplug|poweroff_cmd|usermodehelper\..*)$/,
    why: "it makes the kernel run a program",
  },
  { key: /^fs\.binfmt_misc\./, why: "it makes the kernel run a program" },
  {
    key: /^kernel\.(modules_disabled|kexec_load_disabled|unprivileged_bpf_disabled|yama\.ptrace_scope)$/,
    why: "the kernel lets it be set in one direction only, so it could not be undone",
  },
  {
    key: /^(vm\.(drop_caches|compact_memory|stat_refresh)|net\.ipv[46]\.route\.flush)$/,
    why: "it is an act and no setting",
  },
  { key: /^kernel\.(hostname|domainname)$/, why: "the name of the server is system.hostname" },
  { key: /^net\.ipv4\.tcp_fastopen_key$|\.stable_secret$/, why: "it is a secret, and a policy carries none in clear" },
  { key: /^kernel\.(random\..*|ns_last_pid|sysrq-trigger)$/, why: "it is no setting of a policy" },
];

export function parseSysctlKey(text: string): Result<string, string> {
  const shown = JSON.stringify(text.slice(0, LONGEST_KEY));
  if (text.length > LONGEST_KEY) return err(`${shown}… is too long for the name of a kernel setting`);
  const parts = text.split(".");
  // The first character keeps `.` and `..` out of the path that the key becomes.
  if (parts.length < 2 || !parts.every((part) => /^[A-Za-z0-9_-][A-Za-z0-9_:@/-]*$/.test(part)))
    return err(`${shown} is not the name of a kernel setting; write it with dots, like net.core.somaxconn`);
  if (parts.some((part) => part.includes("//") || part.endsWith("/")))
    return err(`${shown} is not the name of a kernel setting`);
  if (!TOPS.some((top) => top === parts[0])) return err(`${shown} begins with none of ${TOPS.join(", ")}`);
  const refused = REFUSED.find(({ key }) => key.test(text));
  return refused === undefined ? ok(text) : err(`${text} is not set by a policy: ${refused.why}`);
}

/** Below /proc/sys. The key must have been checked. */
export function sysctlPath(key: string): string {
  return key
    .split(".")
    .map((part) => part.replaceAll("/", "."))
    .join("/");
}

/** Values of several numbers stand apart by tabs in the kernel and by spaces everywhere else. */
export function normalSysctlValue(text: string): string {
  return text.trim().replace(/[ \t]+/g, " ");
}

/** One line of printable ASCII: the same text stands in the boot file, where a new line would be another setting. */
export function parseSysctlText(text: string): Result<string, string> {
  const value = normalSysctlValue(text);
  if (value === "") return err("a kernel setting cannot be empty here");
  if (text.length > LONGEST_VALUE) return err(`a value of ${text.length} characters is too long`);
  if (!/^[\x20-\x7e]+$/.test(value))
    return err(`${JSON.stringify(value.slice(0, 60))} holds characters that no kernel setting has`);
  return ok(value);
}

/** Changes without anybody setting it (counters, states, things that are made anew at each reading), or is a secret. */
const VOLATILE: readonly RegExp[] = [
  /^fs\.(dentry-state|file-nr|inode-nr|inode-state|aio-nr|epoll\..*|quota\..*)$/,
  /^fs\.(mqueue\.queues)$/,
  /^kernel\.(random\..*|ns_last_pid|pty\.nr|hostname|domainname|tainted|cad_pid|sched_domain\..*)$/,
  /^net\.netfilter\.nf_conntrack_count$/,
  /^net\.ipv[46]\.(route\.flush)$/,
  /\.stable_secret$|^net\.ipv4\.tcp_fastopen_key$/,
];

/** Whether a reading of it says something about what was set. */
export function isSettled(key: string): boolean {
  return !VOLATILE.some((pattern) => pattern.test(key));
}

const FORWARDING_4 = /^net\.ipv4\.(ip_forward|conf\..*\.forwarding)$/;

/**
 * Whether setting `key` may change `other` as well: forwarding as a whole sets it on every interface and resets redirects, and what is set
 * for `all` or `default` reaches the interfaces (net/ipv4/devinet.c, net/ipv6/addrconf.c).
 */
export function reaches(key: string, other: string): boolean {
  if (FORWARDING_4.test(key))
    return FORWARDING_4.test(other) || /^net\.ipv4\.conf\.[^.]+\.accept_redirects$/.test(other);
  const [own, their] = [perInterface(key), perInterface(other)];
  return own !== null && their !== null && own.family === their.family && own.leaf === their.leaf && isWide(own.name);
}

/** Wide ones first, so that what they reach is set after them. */
export function bySpread(a: string, b: string): number {
  return spread(a) - spread(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function spread(key: string): number {
  if (key === "net.ipv4.ip_forward") return 0;
  const place = perInterface(key);
  if (place === null) return 3;
  return place.name === "all" ? 1 : place.name === "default" ? 2 : 4;
}

export function perInterface(
  key: string,
): { readonly family: string; readonly name: string; readonly leaf: string } | null {
  const found = /^net\.(ipv[46])\.conf\.([^.]+)\.([^.]+)$/.exec(key);
  return found === null ? null : { family: found[1] ?? "", name: found[2] ?? "", leaf: found[3] ?? "" };
}

function isWide(name: string): boolean {
  return name === "all" || name === "default";
}
