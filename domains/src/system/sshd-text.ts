import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemObserved } from "./facts.ts";
import type { SshConfig, SystemConfig } from "./model.ts";
import { KEY_PATTERN } from "./ssh-key.ts";
import { hasKeys } from "./users.ts";

/**
 * sshd's own words: settings to the text of our file, and to what `sshd -T` must say of them. sshd takes the first value that it reads, so
 * the file's name sorts before that of others (cloud-init writes 50-cloud-init.conf).
 */
export const SSHD_DROP_IN = "/etc/ssh/sshd_config.d/05-holdfast.conf";

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

/** `effective`: what sshd -T prints for it; a keyword of several values may stand on several lines. */
interface Line {
  readonly keyword: string;
  readonly values: readonly string[];
  readonly effective: readonly string[];
  /** One line for each value, or all on one. */
  readonly layout: "lines" | "words" | "commas";
}

const ROOT_LOGIN = {
  never: { written: "no", effective: "no" },
  keys: { written: "prohibit-password", effective: "without-password" },
  any: { written: "yes", effective: "yes" },
} as const satisfies Record<NonNullable<SshConfig["rootLogin"]>, { written: string; effective: string }>;

const TCP_FORWARDING = {
  all: "yes",
  none: "no",
  local: "local",
  remote: "remote",
} as const satisfies Record<NonNullable<SshConfig["tcpForwarding"]>, string>;

const LOG = { info: "INFO", verbose: "VERBOSE" } as const satisfies Record<NonNullable<SshConfig["log"]>, string>;

export const BANNER_FILE = "/etc/issue.net";

/** What a config wants of sshd: its own section, and where to look for keys once users have some of ours. */
export type SshWish = SshConfig & { readonly keyFiles?: readonly string[] };

/** Where sshd looks unless it is told otherwise (sshd_config(5), AuthorizedKeysFile). */
const KEY_FILES = [".ssh/authorized_keys", ".ssh/authorized_keys2"] as const;

/** Undefined: nothing of sshd is ours. Places of keys that the server has already stay, and ours is added. */
export function sshWish(config: SystemConfig, observed: SystemObserved | null): SshWish | undefined {
  if (!hasKeys(config)) return config.ssh;
  const stated = observed?.sshd?.["authorizedkeysfile"]?.join(" ").split(" ") ?? KEY_FILES;
  const others = stated.filter((path) => path !== "" && path !== "none" && path !== KEY_PATTERN);
  return { ...config.ssh, keyFiles: [...others, KEY_PATTERN] };
}

function linesOf(ssh: SshWish): readonly Line[] {
  const one = (keyword: string, value: string | undefined, effective = value): readonly Line[] =>
    value === undefined ? [] : [{ keyword, values: [value], effective: [effective ?? value], layout: "words" }];
  const many = (keyword: string, values: readonly string[] | undefined, layout: Line["layout"]): readonly Line[] =>
    values === undefined
      ? []
      : [{ keyword, values, effective: layout === "commas" ? [values.join(",")] : values, layout }];
  const yesNo = (value: boolean | undefined): string | undefined =>
    value === undefined ? undefined : value ? "yes" : "no";
  const root = ssh.rootLogin === undefined ? undefined : ROOT_LOGIN[ssh.rootLogin];
  return [
    ...many("Port", ssh.port?.map(String), "lines"),
    ...(ssh.listen === undefined
      ? []
      : [
          {
            keyword: "ListenAddress",
            values: ssh.listen,
            effective: listenAddresses(ssh.listen, ssh.port),
            layout: "lines",
          } as const,
        ]),
    ...one("PermitRootLogin", root?.written, root?.effective),
    ...one("PubkeyAuthentication", yesNo(ssh.keys)),
    ...one("AuthorizedKeysFile", ssh.keyFiles?.join(" ")),
    ...one("PasswordAuthentication", yesNo(ssh.passwords)),
    // PAM asks for passwords this way too: closing one door of two would be a lie.
    ...(ssh.passwords === false ? one("KbdInteractiveAuthentication", "no") : []),
    ...many("AllowUsers", ssh.allowUsers, "words"),
    ...many("AllowGroups", ssh.allowGroups, "words"),
    ...many("DenyUsers", ssh.denyUsers, "words"),
    ...many("DenyGroups", ssh.denyGroups, "words"),
    ...many("KexAlgorithms", ssh.keyExchange, "commas"),
    ...many("Ciphers", ssh.ciphers, "commas"),
    ...many("MACs", ssh.macs, "commas"),
    ...one("MaxAuthTries", ssh.maxTries?.toString()),
    ...one("MaxSessions", ssh.maxSessions?.toString()),
    ...one("LoginGraceTime", ssh.loginGrace?.toString()),
    ...one("ClientAliveInterval", ssh.idle?.every.toString()),
    ...one("ClientAliveCountMax", ssh.idle?.misses.toString()),
    ...one("AllowTcpForwarding", ssh.tcpForwarding === undefined ? undefined : TCP_FORWARDING[ssh.tcpForwarding]),
    ...one("AllowAgentForwarding", yesNo(ssh.agentForwarding)),
    ...one("X11Forwarding", yesNo(ssh.x11Forwarding)),
    ...(ssh.banner === undefined ? [] : one("Banner", ssh.banner ? BANNER_FILE : "none")),
    ...one("LogLevel", ssh.log === undefined ? undefined : LOG[ssh.log]),
  ];
}

/** Without ports of our own sshd's stand, and then what it prints cannot be foretold. */
function listenAddresses(listen: readonly string[], ports: readonly number[] | undefined): readonly string[] {
  return (ports ?? []).flatMap((port) =>
    listen.map((address) => `${address.includes(":") ? `[${address}]` : address}:${port}`),
  );
}

export function sshdText(ssh: SshWish): string {
  const lines = linesOf(ssh).flatMap(({ keyword, values, layout }) => {
    switch (layout) {
      case "lines":
        return values.map((value) => `${keyword} ${value}`);
      case "words":
        return [`${keyword} ${values.join(" ")}`];
      case "commas":
        return [`${keyword} ${values.join(",")}`];
    }
  });
  return `${[HEAD, ...lines].join("\n")}\n`;
}

/** What `sshd -T` must say, by its lower-case keyword. */
export function sshdEffective(ssh: SshWish): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    linesOf(ssh)
      .filter(({ effective }) => effective.length > 0)
      .map(({ keyword, effective }) => [keyword.toLowerCase(), effective]),
  );
}

/** What `sshd -T` printed. */
export function parseEffective(output: string): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {};
  for (const line of output.split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) (found[line.slice(0, space).toLowerCase()] ??= []).push(line.slice(space + 1));
  }
  return found;
}

/** The first keyword that sshd understands otherwise than it was meant; null when there is none. */
export function effectiveProblem(
  wanted: Readonly<Record<string, readonly string[]>>,
  found: Readonly<Record<string, readonly string[]>>,
): string | null {
  for (const [keyword, values] of Object.entries(wanted)) {
    const have = found[keyword] ?? [];
    if (sameValues(keyword, values, have)) continue;
    return `sshd would have ${keyword} ${have.join(" ") || "unset"} and not ${values.join(" ")}: another file of its configuration says so`;
  }
  return null;
}

export function sameValues(keyword: string, wanted: readonly string[], found: readonly string[]): boolean {
  // The order of algorithms is a preference; of everything else it says nothing.
  const canonical = (values: readonly string[]): string => values.toSorted().join(" ").toLowerCase();
  return keyword === "ciphers" ? wanted.join() === found.join() : canonical(wanted) === canonical(found);
}

/** The main file with its Include of our folder led to another one; null when it has none. */
export function withIncludesFrom(main: string, folder: string, other: string): string | null {
  const patterns = [`${folder}/*.conf`, `${folder.slice(folder.lastIndexOf("/") + 1)}/*.conf`];
  let isIncluded = false;
  const lines = main.split("\n").map((line) => {
    const [keyword = "", ...words] = line.trim().split(/\s+/);
    if (keyword.toLowerCase() !== "include" || !words.some((word) => patterns.includes(word))) return line;
    isIncluded = true;
    return `Include ${words.map((word) => (patterns.includes(word) ? `${other}/*.conf` : word)).join(" ")}`;
  });
  return isIncluded ? lines.join("\n") : null;
}

const KEYWORDS = new Set([
  "Port",
  "ListenAddress",
  "PermitRootLogin",
  "PubkeyAuthentication",
  "AuthorizedKeysFile",
  "PasswordAuthentication",
  "KbdInteractiveAuthentication",
  "AllowUsers",
  "AllowGroups",
  "DenyUsers",
  "DenyGroups",
  "KexAlgorithms",
  "Ciphers",
  "MACs",
  "MaxAuthTries",
  "MaxSessions",
  "LoginGraceTime",
  "ClientAliveInterval",
  "ClientAliveCountMax",
  "AllowTcpForwarding",
  "AllowAgentForwarding",
  "X11Forwarding",
  "Banner",
  "LogLevel",
]);

/** Whether a text could be ours: our head, and keywords of ours only. Nothing in it can run a program or read another file. */
export function parseSshdText(text: string): Result<null, string> {
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "") return err("this is no text of ours for sshd");
  for (const line of lines) {
    const [keyword = "", ...values] = line.split(" ");
    // `%u` and `%h` stand in places of keys only; elsewhere a % is no value of ours.
    const value = keyword === "AuthorizedKeysFile" ? /^[A-Za-z0-9_./%-]+$/ : /^[A-Za-z0-9@_.,:/-]+$/;
    const good = KEYWORDS.has(keyword) && values.length > 0 && values.every((one) => value.test(one));
    const isBanner = keyword !== "Banner" || values.join() === "none" || values.join() === BANNER_FILE;
    if (!good || !isBanner) return err(`${JSON.stringify(line.slice(0, 80))} is no line of ours for sshd`);
  }
  return ok(null);
}
