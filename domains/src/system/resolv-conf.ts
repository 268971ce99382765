import type { Entry } from "@holdfast/core/domain.ts";
import type { SystemObserved } from "./facts.ts";
import { fileOf } from "./file-value.ts";
import type { SystemConfig } from "./model.ts";

/** Where a server looks names up: through systemd-resolved, or by the plain file that programs read themselves. */
export const RESOLV_CONF = "/etc/resolv.conf";
/** What the C library reads of a plain file (resolv.h, MAXNS). */
export const MOST_SERVERS = 3;

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

export function isThroughResolved(observed: SystemObserved): boolean {
  const link = observed.entries[RESOLV_CONF];
  const isStub = link?.type === "link" && link.target.includes("systemd/resolve");
  return isStub && observed.units?.["systemd-resolved.service"]?.active === "active";
}

/** Which of the two a config takes on this server. What became ours stays it, so that a daemon that is down for a moment moves nothing. */
export function resolverSlot(observed: SystemObserved | null): "resolver" | `file:${typeof RESOLV_CONF}` {
  if (observed === null || Object.hasOwn(observed.found, "resolver")) return "resolver";
  if (Object.hasOwn(observed.found, `file:${RESOLV_CONF}`)) return `file:${RESOLV_CONF}`;
  return observed.entries[RESOLV_CONF]?.type === "file" ? `file:${RESOLV_CONF}` : "resolver";
}

/** Others who write the plain file, by the words that they leave in it, and by their units. */
const WRITERS =
  /\b(NetworkManager|resolvconf|openresolv|dhclient|dhcpcd|connman|systemd-resolved|cloud-init|netconfig)\b/i;
const WRITING_UNITS = ["NetworkManager.service", "resolvconf.service", "dhcpcd.service", "connman.service"] as const;

export function writerOfResolvConf(observed: SystemObserved): string | null {
  const unit = WRITING_UNITS.find((name) => observed.units?.[name]?.active === "active");
  if (unit !== undefined) return unit;
  const comments = textOf(observed.entries[RESOLV_CONF])
    .split("\n")
    .filter((line) => /^[#;]/.test(line.trim()) && line !== HEAD);
  return WRITERS.exec(comments.join("\n"))?.[0] ?? null;
}

/** Only what the policy says is replaced: the other lines are those that were found. */
export function resolvConfText(resolver: NonNullable<SystemConfig["resolver"]>, observed: SystemObserved): string {
  const found = fileOf(observed.found[`file:${RESOLV_CONF}`] ?? null)?.text;
  const others = (found ?? textOf(observed.entries[RESOLV_CONF])).split("\n").filter((line) => {
    const [keyword = ""] = line.trim().split(/\s+/);
    if (keyword === "" || /^[#;]/.test(keyword)) return false;
    if (keyword === "nameserver") return resolver.servers === undefined;
    return !((keyword === "search" || keyword === "domain") && resolver.search !== undefined);
  });
  const own = [
    ...(resolver.servers ?? []).map((address) => `nameserver ${address}`),
    ...(resolver.search === undefined ? [] : [`search ${resolver.search.join(" ")}`]),
  ];
  return `${[HEAD, ...own, ...others].join("\n")}\n`;
}

function textOf(entry: Entry | undefined): string {
  return entry?.type === "file" ? entry.text : "";
}
